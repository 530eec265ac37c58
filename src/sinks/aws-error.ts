import { AuditError } from '../errors.ts'

/** The status of the answer that an error of the AWS SDK came with; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

/** Names of errors that say "slow down", with whatever status. */
const throttling = [
  'SlowDown',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
]

/** Names of errors that may pass, although their status says otherwise. */
const passing = ['RequestTimeout', 'OperationAbortedException']

/**
 * An error of the AWS SDK, as a sink throws it.
 *
 * @param failure what did not happen: "did not store …"
 */
export function awsError(cause: unknown, failure: string): AuditError {
  if (cause instanceof AuditError) return cause
  const { name, message, code } = cause as Error & { code?: string }
  const said = message || code || name
  const status = statusOf(cause)
  const reason = `it ${failure} (${[status, name, said].filter((part) => part !== undefined && part !== 'Error').join(' ')}).`
  if (throttling.includes(name) || status === 429)
    return new AuditError('AUDIT_SINK_THROTTLED', reason, { cause })
  const isRefused = status !== undefined && status >= 400 && status < 500 && !passing.includes(name)
  // without an answer it is the network, unless the SDK has no credentials to ask with
  const hasNoCredentials = name === 'CredentialsProviderError'
  return new AuditError(isRefused || hasNoCredentials ? 'AUDIT_SINK_REFUSED' : 'AUDIT_SINK_AWAY', reason, {
    cause,
  })
}
