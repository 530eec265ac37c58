import type { ArchiveObject } from '../archive-contract.ts'
import { columnOfLine, splitLines } from '../log/ndjson.ts'
import type { SinkBatch } from '../sink.ts'

/** Where a manifest is, and what it must be. */
export type ManifestReference = Pick<ArchiveObject, 'key' | 'versionId' | 'sha256'>

/** What is kept with a batch. */
export interface S3State {
  readonly manifest: ManifestReference
}

/** What is known of one object and its place in the log. Each names the manifest before, so that none can be left out. */
export interface Manifest {
  readonly format: 'prisma-extension-audit/manifest/1'
  readonly log: string
  readonly sink: string
  /** From 1, without gaps. */
  readonly number: string
  readonly era: SinkBatch['era']
  readonly from: string
  readonly until: string
  readonly entries: number
  readonly seq: { readonly lowest: string; readonly highest: string }
  readonly timestamp: { readonly earliest: string; readonly latest: string }
  /** As it is stored, and as the store confirmed it. */
  readonly object: ArchiveObject
  /** What is in it once it is unzipped. */
  readonly content: { readonly sha256: string; readonly bytes: number }
  /** Null for the first. */
  readonly previous: ManifestReference | null
}

/** The same batch, stored in the same object behind the same manifest, always makes the same bytes. */
export function manifestOf(
  sink: string,
  { number, lines, log, era, from, until }: SinkBatch,
  { content, object, previous }: Pick<Manifest, 'content' | 'object' | 'previous'>,
): Buffer {
  const entries = splitLines(new TextDecoder().decode(lines))
  const times = entries.map((line) => columnOfLine(line, 'timestamp')).sort()
  const seqs = entries.map((line) => BigInt(columnOfLine(line, 'seq'))).sort((a, b) => (a < b ? -1 : 1))
  const manifest: Manifest = {
    format: 'prisma-extension-audit/manifest/1',
    ...{ log, sink, number: String(number), era, from, until, entries: entries.length },
    seq: { lowest: String(seqs[0]), highest: String(seqs.at(-1)) },
    timestamp: { earliest: times[0] ?? '', latest: times.at(-1) ?? '' },
    ...{ object, content },
    // the database does not keep the order of keys
    previous: previous && { key: previous.key, versionId: previous.versionId, sha256: previous.sha256 },
  }
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
}
