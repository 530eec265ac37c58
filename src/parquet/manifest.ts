import type { ArchiveObject, ParquetFile } from '../archive-contract.ts'
import type { LeafRun } from '../seal/leaf-runs.ts'

/** A file of an archive, and what is in it. */
export type ArchivedPart = ArchiveObject & Omit<ParquetFile, 'path'>

/** What was archived at one time of one partition, as the database has it. */
export interface ArchiveManifest {
  readonly format: 'prisma-extension-audit/archive/1'
  readonly log: string
  /** ISO 8601; the beginning is null for what has no month before it. */
  readonly range: { readonly from: string | null; readonly to: string }
  readonly entries: number
  readonly seq: { readonly lowest: string; readonly highest: string }
  /** Of the canonical forms of its rows, each with a line end, in the order of (transaction id, seq). */
  readonly content: { readonly sha256: string }
  readonly parts: readonly ArchivedPart[]
  /** The newest checkpoint of the seals by then, which covers all of it; null for a log that is not sealed. */
  readonly checkpoint: { readonly number: number; readonly size: number; readonly note: string } | null
}

/** A manifest as its file has it. */
export interface ManifestFile extends ArchiveManifest {
  /**
   * The leaves of its entries in the tree of that checkpoint, which are not contiguous: in order, the first and the last of each
   * run. Null for a log that is not sealed; files of earlier versions lack it. The database has all leaves already.
   */
  readonly leaves: readonly LeafRun[] | null
}

/** A manifest, and where it is stored. */
export interface KeptManifest {
  readonly reference: ArchiveObject
  readonly manifest: ArchiveManifest
}

/** Where the files of a log are: `public.audit_logs/entries/month=2024-03/part-….parquet`. */
export function partKey(log: string, content: string, { month }: Pick<ParquetFile, 'month'>, index: number) {
  const number = String(index).padStart(3, '0')
  return `${folderOf(log)}/entries/month=${month}/part-${content.slice(0, 16)}-${number}.parquet`
}

export function manifestKey({ log, range, content }: Pick<ArchiveManifest, 'log' | 'range' | 'content'>) {
  // the end of a month is the beginning of the next one
  const month = range.from?.slice(0, 7) ?? `before-${range.to.slice(0, 7)}`
  return `${folderOf(log)}/manifests/${month}-${content.sha256.slice(0, 16)}.json`
}

/** @param log with its schema, quoted where needed */
export function folderOf(log: string): string {
  return log.replaceAll('"', '').replaceAll(/[^\w.-]/g, '_')
}

export function manifestText(manifest: ManifestFile): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
}
