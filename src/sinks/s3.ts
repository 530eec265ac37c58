import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { S3Client } from '@aws-sdk/client-s3'
import type { Sink, SinkBatch } from '../sink.ts'
import { sha256 } from './digest.ts'
import { rowLines } from './ndjson.ts'
import { type ManifestReference, manifestOf } from './s3-manifest.ts'
import type { S3Options } from './s3-options.ts'
import { S3Store } from './s3-store.ts'

/** What is kept with a batch. */
interface S3State {
  readonly manifest: ManifestReference
}

const compress = promisify(gzip)

/**
 * Stores the log in S3, or a store that speaks its language, under Object Lock: for each batch an object of gzipped NDJSON, a
 * line an entry, and a manifest that has its digest, its bounds, and the digest of the manifest before. Needs
 * `@aws-sdk/client-s3`.
 *
 * A batch is stored when the store has confirmed digest, mode and date of both objects. Nothing is ever overwritten.
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
  return {
    name,
    limits: { entries: 10_000, age: 1_000, ...limits },
    open: (signal) => store.check(signal),
    write: async (batch) => {
      const text = rowLines(batch.entries)
      const { signal } = batch
      const key = `${prefix}entries/${entriesName(batch, text)}.ndjson.gz`
      const object = await store.put({ key, body: await compress(text), type: 'application/gzip' }, signal)
      const state = batch.state as S3State | null
      const manifest = manifestOf(name, batch, { text, object, previous: state?.manifest ?? null })
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

/** By day, number and time, and by content: after a restore of the database a number may come with other entries. */
function entriesName({ entries, number }: SinkBatch, text: Buffer): string {
  const timestamp = entries[0]?.timestamp ?? ''
  const day = timestamp.slice(0, 10).replaceAll('-', '/')
  const time = timestamp.replaceAll(/[-:]|\..*/g, '')
  return `${day}/${padded(number)}-${time}Z-${sha256(text).slice(0, 12)}`
}

function padded(number: bigint): string {
  return String(number).padStart(12, '0')
}
