import { S3Client } from '@aws-sdk/client-s3'
import type { Anchor } from '../anchor.ts'
import { sha256 } from '../sinks/digest.ts'
import { mapInOrder } from '../sinks/map-in-order.ts'
import type { S3Options } from '../sinks/s3-options.ts'
import { type ListedKey, S3Reader } from '../sinks/s3-reader.ts'
import { S3Store } from '../sinks/s3-store.ts'

/** Where checkpoints are stored, and how long nobody can delete them. */
export interface S3AnchorOptions extends Omit<S3Options, 'limits' | 'compression'> {
  /** Milliseconds between two checkpoints at least: each is an object, and is paid for. Default 60,000. */
  every?: number
}

/** How many notes are read at a time: a year has half a million. */
const atOnce = 32

/** No note is longer. */
const longestNote = 65_536

/**
 * Stores each checkpoint as an object under Object Lock, in S3 or a store that speaks its language. Give it a credential of its own,
 * of another account than that of the database, which may put and not delete. Needs `@aws-sdk/client-s3`.
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   seal: {
 *     key: { environment: 'AUDIT_SEAL_KEY' },
 *     anchors: [s3Anchor({ bucket: 'acme-anchor', prefix: 'prod/', retention: { mode: 'COMPLIANCE', days: 2555 } })],
 *   },
 * })
 * ```
 */
export function s3Anchor(options: S3AnchorOptions): Anchor {
  const { name = 's3', prefix = '', every = 60_000 } = options
  const client = new S3Client(options.client ?? {})
  const store = new S3Store(client, options)
  const below = `${prefix}checkpoints/`
  let isChecked = false
  return {
    ...{ name, every },
    publish: async (note, { size }, signal) => {
      if (!isChecked) await store.check(signal)
      isChecked = true
      const body = Buffer.from(note)
      const key = `${below}${String(size).padStart(16, '0')}-${sha256(body).slice(0, 12)}`
      await store.put({ key, body, type: 'text/plain' }, signal)
    },
    // every version of every key: what was stored first is there still, whatever was put over it or marked as deleted
    read: async function* (signal) {
      const reader = new S3Reader(client, options, signal)
      const read = ({ key, version }: KeyVersion) => reader.get(key, version, longestNote)
      for await (const object of mapInOrder(versionsOf(reader.list(below)), atOnce, read)) {
        if (object) yield object.body.toString('utf8')
      }
    },
  }
}

interface KeyVersion {
  readonly key: string
  readonly version: string | null
}

async function* versionsOf(listed: AsyncIterable<ListedKey>): AsyncGenerator<KeyVersion> {
  for await (const { key, versions } of listed) {
    for (const version of versions) yield { key, version }
  }
}
