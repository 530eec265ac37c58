import type { Anchor } from '../anchor.ts'
import { notesIn } from '../seal/notes-in.ts'
import { fetchWhole } from './fetch-whole.ts'

/** Where checkpoints are sent. */
export interface HttpAnchorOptions {
  url: string | URL
  /** Sent along, such as `authorization`. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds that an answer may take, that with all notes, too. Default 30,000. */
  timeout?: number
  /** Milliseconds between two checkpoints at least. Default 0. */
  every?: number
  /** Default `'http'`. */
  name?: string
}

/**
 * Sends each checkpoint to a URL: a POST with the signed note as `text/plain`, and an `idempotency-key`. The receiver answers 2xx once it has
 * stored the note for good, and never changes or removes one. To a GET it answers with all notes, one after the other, each with an empty
 * line behind it: `verify` reads them there.
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   seal: { key: { environment: 'AUDIT_SEAL_KEY' }, anchors: [httpAnchor({ url: 'https://anchor.example.org/audit' })] },
 * })
 * ```
 */
export function httpAnchor(options: HttpAnchorOptions): Anchor {
  const { url, headers, timeout = 30_000, every = 0, name = 'http' } = options
  return {
    ...{ name, every },
    publish: async (note, { size, root }, signal) => {
      const answer = await fetchWhole(url, {
        ...{ method: 'POST', body: note, signal, timeout },
        headers: {
          ...headers,
          'content-type': 'text/plain; charset=utf-8',
          'idempotency-key': `${size}-${Buffer.from(root).toString('hex')}`,
        },
      })
      if (!answer.ok) throw new Error(`it answered ${answer.status}`)
    },
    read: async function* (signal) {
      const answer = await fetchWhole(url, { headers: { ...headers }, signal, timeout })
      if (!answer.ok) throw new Error(`it answered ${answer.status}`)
      yield* notesIn(answer.text.split('\n'))
    },
  }
}
