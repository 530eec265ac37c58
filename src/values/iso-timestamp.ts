/** A `timestamp` in SQL as ISO 8601, taken to be in UTC, with milliseconds or microseconds. */
export function isoTimestamp(timestamp: string, fraction: 'MS' | 'US'): string {
  return `pg_catalog.to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.${fraction}"Z"')`
}

/** Microseconds since 1970 as ISO 8601 in UTC, with all six digits: a JavaScript date would lose three. */
export function isoMicroseconds(microseconds: bigint): string {
  const rest = ((microseconds % 1_000n) + 1_000n) % 1_000n
  const iso = new Date(Number((microseconds - rest) / 1_000n)).toISOString()
  return `${iso.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}

/** {@link isoMicroseconds}, read: `2026-01-02T03:04:05.123456Z`. */
export function microsecondsOf(iso: string): bigint {
  const digits = /\.\d{3}(\d{1,3})/.exec(iso)?.[1] ?? ''
  return BigInt(Date.parse(iso)) * 1_000n + BigInt(digits.padEnd(3, '0'))
}

/** A `timestamptz` in SQL as ISO 8601 in UTC with all its digits, whatever the session's settings. */
export function isoInstant(timestamptz: string): string {
  return isoTimestamp(`${timestamptz} AT TIME ZONE 'UTC'`, 'US')
}
