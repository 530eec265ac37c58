import type { ArchiveObject, ParquetFile } from '../archive-contract.ts'
import type { LeafRun } from '../seal/leaf-runs.ts'
import { sha256 } from '../sinks/digest.ts'

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

/** How much of the digest of the content is in the names of the files: those of one attempt have it in common. */
const digits = 16

/** Where the files of a log are: `public.audit_logs/entries/month=2024-03/part-….parquet`. */
export function partKey(log: string, content: string, { month }: Pick<ParquetFile, 'month'>, index: number) {
  const number = String(index).padStart(3, '0')
  return `${entriesFolder(log, month)}/part-${content.slice(0, digits)}-${number}.parquet`
}

/** Has its own digest, too: another process may store one of the same entries, with a later checkpoint, and neither replaces the other. */
export function manifestKey({ log, range, content }: ArchiveManifest, text: Buffer): string {
  // the end of a month is the beginning of the next one
  const month = range.from?.slice(0, 7) ?? `before-${range.to.slice(0, 7)}`
  const name = [month, content.sha256.slice(0, digits), sha256(text).slice(0, digits)].join('-')
  return `${manifestsFolder(log)}/${name}.json`
}

/** Whether a file of entries is one that a manifest lists, by their keys. */
export function isOfManifest(part: string, manifest: string): boolean {
  const [, content] = /\/part-([^-/]+)-[^/]*$/.exec(part) ?? []
  return content !== undefined && manifest.includes(`-${content}`)
}

/** @param month `2024-03`; without it, the folder of all months */
export function entriesFolder(log: string, month?: string): string {
  return `${folderOf(log)}/entries${month === undefined ? '' : `/month=${month}`}`
}

export function manifestsFolder(log: string): string {
  return `${folderOf(log)}/manifests`
}

/** @param log with its schema, quoted where needed */
function folderOf(log: string): string {
  return log.replaceAll('"', '').replaceAll(/[^\w.-]/g, '_')
}

export function manifestText(manifest: ManifestFile): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
}
