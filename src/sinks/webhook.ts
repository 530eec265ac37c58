import { createHmac } from 'node:crypto'
import { AuditError } from '../errors.ts'
import type { Sink, SinkBatch, SinkLimits } from '../sink.ts'
import { sha256 } from './digest.ts'

/** Where batches are sent, and how they are signed. */
export interface WebhookOptions {
  url: string | URL
  /** The key of the signature, 16 characters or more. */
  secret: string
  /** Default `'webhook'`. */
  name?: string
  /** Sent along, such as `authorization`. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds that an answer may take. Default 30,000. */
  timeout?: number
  /** How much one batch holds. */
  limits?: SinkLimits
}

/**
 * Sends the log to a URL: a POST for each batch, with NDJSON, a line an entry. The receiver answers 2xx once it has stored
 * the batch for good. It may get a batch twice, with the same `idempotency-key`.
 *
 * - `idempotency-key`: the batch's number and a digest of the body
 * - `audit-signature`: `t=<Unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<idempotency-key>.<body>` by the secret. A receiver
 *   compares it, and refuses a `t` that is old
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   sinks: [webhook({ url: 'https://siem.example.com/audit', secret: process.env.AUDIT_WEBHOOK_SECRET ?? '' })],
 * })
 * ```
 */
export function webhook(options: WebhookOptions): Sink {
  const { name = 'webhook', limits = {}, secret } = options
  if (secret.length < 16) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `The secret of the webhook ${JSON.stringify(name)} has ${secret.length} characters, and whoever guesses it can forge entries. Give it 16 or more, such as "openssl rand -hex 32" prints.`,
    )
  }
  return { name, limits, write: (batch) => post(batch, options) }
}

async function post(batch: SinkBatch, options: WebhookOptions): Promise<undefined> {
  const { url, timeout = 30_000 } = options
  const body = batch.lines
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...options.headers, ...headersOf(batch, body, options.secret) },
    body,
    redirect: 'error', // a body that is sent on would be sent to somebody else
    signal: AbortSignal.any([batch.signal, AbortSignal.timeout(timeout)]),
  }).catch((cause: unknown) => {
    throw new AuditError('AUDIT_SINK_AWAY', `no answer from ${placeOf(url)} (${networkReason(cause)}).`, {
      cause,
    })
  })
  const { status, ok } = answer
  const said = ok ? '' : await beginningOf(answer)
  await answer.body?.cancel().catch(() => {})
  if (ok) return
  const refusal = `${placeOf(url)} answered ${status}${said}`
  if (status === 429 || status === 503) {
    throw new AuditError('AUDIT_SINK_THROTTLED', refusal, { retryAfter: retryAfterOf(answer) })
  }
  const mayPass = status >= 500 || status === 408 || status === 425
  throw new AuditError(mayPass ? 'AUDIT_SINK_AWAY' : 'AUDIT_SINK_REFUSED', refusal)
}

function headersOf(
  { number, log, era }: SinkBatch,
  body: Uint8Array,
  secret: string,
): Record<string, string> {
  // after a restore of the database a number may come with other entries: they are another batch
  const key = `${number}-${sha256(body).slice(0, 32)}`
  const time = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', secret).update(`${time}.${key}.`).update(body).digest('hex')
  return {
    'content-type': 'application/x-ndjson',
    'idempotency-key': key,
    'audit-signature': `t=${time},v1=${signature}`,
    'audit-log': encodeURIComponent(log),
    'audit-era': `${era.number}`,
    'audit-batch': `${number}`,
  }
}

/** Without a password or a token that it may have. */
function placeOf(url: string | URL): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

function networkReason(cause: unknown): string {
  const inner = (cause as { cause?: unknown }).cause
  const error = inner instanceof Error && inner.message !== '' ? inner : cause
  return error instanceof Error ? error.message : String(error)
}

/** What a receiver says for people, as far as it is short. */
async function beginningOf(answer: Response): Promise<string> {
  const reader = answer.body?.getReader()
  const { value } = (await reader?.read().catch(() => undefined)) ?? {}
  await reader?.cancel().catch(() => {})
  const text = value ? new TextDecoder().decode(value.subarray(0, 200)).trim() : ''
  return text === '' ? '' : `: ${text}`
}

/** Milliseconds; at most an hour. */
function retryAfterOf({ headers }: Response): number | undefined {
  const given = headers.get('retry-after')
  if (given === null) return undefined
  const milliseconds = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.now()
  return Number.isNaN(milliseconds) ? undefined : Math.min(Math.max(0, milliseconds), 3_600_000)
}
