import { S3Client } from '@aws-sdk/client-s3'
import { columnOfLine, firstLine } from '../log/ndjson.ts'
import type { Sink, SinkBatch } from '../sink.ts'
import { type Compressor, compressorOf } from './compression.ts'
import { sha256 } from './digest.ts'
import { s3Archive } from './s3-archive.ts'
import { manifestOf, type S3State } from './s3-manifest.ts'
import type { S3Options } from './s3-options.ts'
import { S3Store } from './s3-store.ts'

/**
 * Stores the log in S3, or a store that speaks its language, under Object Lock: for each batch an object of compressed NDJSON, a
 * line an entry, and a manifest that has its digest, its bounds, and the digest of the manifest before. Needs
 * `@aws-sdk/client-s3`.
 *
 * A batch is stored when the store has confirmed digest, mode and date of both objects. Nothing is ever overwritten.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` for a compression that this Node does not have
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   sinks: [s3({ bucket: 'acme-audit', prefix: 'prod/', retention: { mode: 'COMPLIANCE', days: 2555 } })],
 * })
 * ```
 */
export function s3(options: S3Options): Sink {
  const { name = 's3', prefix = '', limits } = options
  const client = new S3Client(options.client ?? {})
  const store = new S3Store(client, options)
  const compressor = compressorOf(options.compression ?? 'gzip')
  return {
    name,
    limits: { entries: 10_000, age: 1_000, ...limits },
    archive: s3Archive(client, options),
    open: (signal) => store.check(signal),
    write: async (batch) => {
      const { lines, signal } = batch
      const content = { sha256: sha256(lines), bytes: lines.length }
      const key = `${prefix}entries/${entriesName(batch, content.sha256)}.ndjson${compressor.ending}`
      const object = await store.put(
        {
          key,
          body: await compressor.compress(lines),
          type: compressor.type,
          isSame: holds(lines, compressor),
        },
        signal,
      )
      const previous = (batch.state as S3State | null)?.manifest ?? null
      const manifest = manifestOf(name, batch, { object, content, previous })
      const digest = sha256(manifest)
      const manifestKey = `${prefix}manifests/${padded(batch.number)}-${digest.slice(0, 12)}.json`
      const { versionId } = await store.put(
        { key: manifestKey, body: manifest, type: 'application/json' },
        signal,
      )
      return { manifest: { key: manifestKey, versionId, sha256: digest } } satisfies S3State
    },
    close: async () => client.destroy(),
  }
}

/** Whether an object has these lines. Compressed by another version, or on another machine, they are other bytes. */
function holds(lines: Uint8Array, { decompress }: Compressor): (body: Buffer) => Promise<boolean> {
  return async (body) => (await decompress(body).catch(() => undefined))?.equals(lines) ?? false
}

/** By day, number and time, and by content: after a restore of the database a number may come with other entries. */
function entriesName({ lines, number }: SinkBatch, digest: string): string {
  const timestamp = columnOfLine(firstLine(lines), 'timestamp')
  const day = timestamp.slice(0, 10).replaceAll('-', '/')
  const time = timestamp.replaceAll(/[-:]|\..*/g, '')
  return `${day}/${padded(number)}-${time}Z-${digest.slice(0, 12)}`
}

function padded(number: bigint): string {
  return String(number).padStart(12, '0')
}
