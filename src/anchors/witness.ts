import { verify } from 'node:crypto'
import type { Anchor } from '../anchor.ts'
import { AuditError } from '../errors.ts'
import { cosigningAlgorithm, parseVerifierKey, type VerifierKey } from '../seal/keys.ts'
import { parseNote } from '../seal/note.ts'
import { fetchWhole } from './fetch-whole.ts'

/** Who witnesses. */
export interface WitnessOptions {
  /** The witness's prefix: `add-checkpoint` is asked below it. */
  url: string | URL
  /** Its public key, `name+id+base64`, of the kind that cosigns: what it answers has to be signed by it. */
  publicKey: string
  /** Milliseconds that an answer may take. Default 30,000. */
  timeout?: number
  /** Milliseconds between two checkpoints at least. Default 0. */
  every?: number
  /** Default: the name of its key. */
  name?: string
}

/** What is kept of the last checkpoint that was cosigned. */
interface WitnessState {
  readonly size: number
  /** The checkpoint with the witness's signature below that of the log. */
  readonly note: string
  /** When it was cosigned, in seconds since 1970, by the witness's clock. */
  readonly time: number
}

/**
 * Has a witness cosign each checkpoint: C2SP tlog-witness. The witness only cosigns what is consistent with all that it has cosigned before, so
 * a log that was forked, cut off or put back gets no signature any more: sealing goes on, and `AUDIT_SEALS_BROKEN` is reported.
 * The cosigned note is kept in the database, in `consumers.state`. It has no copy of the log for `verify` to read.
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   seal: {
 *     key: { environment: 'AUDIT_SEAL_KEY' },
 *     anchors: [witness({ url: 'https://witness.example.org/', publicKey: 'witness.example.org+38cab5d0+BJ…' })],
 *   },
 * })
 * ```
 */
export function witness(options: WitnessOptions): Anchor {
  const { url, timeout = 30_000, every = 0 } = options
  const key = parseVerifierKey(options.publicKey, cosigningAlgorithm)
  const address = new URL('add-checkpoint', `${String(url).replace(/\/?$/, '/')}`)
  return {
    ...{ name: options.name ?? key.name, every },
    publish: async (note, { size, state, consistencyFrom }, signal) => {
      let old = (state as WitnessState | null)?.size ?? 0
      for (let attempt = 0; ; attempt++) {
        const proof = (await consistencyFrom(old)).map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
        const { ok, status, type, text } = await fetchWhole(address, {
          ...{ method: 'POST', body: `old ${old}\n${proof.join('')}\n${note}`, signal, timeout },
        })
        if (ok) return cosigned(key, note, size, text)
        const known = status === 409 && type.startsWith('text/x.tlog.size') ? Number(text.trim()) : undefined
        if (known !== undefined && known > size)
          throw logRefused(`it has cosigned ${known} entries, and the log has ${size}`)
        if (known === undefined || known === old || attempt > 2) throw notCosigned(status, text)
        old = known
      }
    },
  }
}

function cosigned(key: VerifierKey, note: string, size: number, lines: string): WitnessState {
  const whole = `${note}${lines}`
  const signed = parseNote(whole)
  const own = signed?.signatures.find(({ name, id }) => name === key.name && id === key.id)
  if (!signed || own?.signature.length !== 72) throw new Error('its answer has no signature of its key')
  const time = own.signature.readBigUInt64BE(0)
  const message = Buffer.from(`cosignature/v1\ntime ${time}\n${signed.text}`)
  if (!verify(null, message, key.publicKey, own.signature.subarray(8)))
    throw new Error('its signature is wrong')
  return { size, note: whole, time: Number(time) }
}

function notCosigned(status: number, text: string): Error {
  if (status === 409 || status === 422) {
    return logRefused(`it says that the checkpoint is not consistent with what it has cosigned (${status})`)
  }
  const said = text.trim().slice(0, 200)
  return new Error(`it answered ${status}${said === '' ? '' : `: ${said}`}`)
}

function logRefused(reason: string): AuditError {
  return new AuditError(
    'AUDIT_SEALS_BROKEN',
    `The witness does not cosign: ${reason}. The log was put back to an earlier state, was rewritten, or another log signs under its name. See docs/seals.md, "When sealing stops".`,
  )
}
