/** A `timestamp` in SQL as ISO 8601, taken to be in UTC, with milliseconds or microseconds. */
export function isoTimestamp(timestamp: string, fraction: 'MS' | 'US'): string {
  return `pg_catalog.to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.${fraction}"Z"')`
}

/** A `timestamptz` in SQL as ISO 8601 in UTC with all its digits, whatever the session's settings. */
export function isoInstant(timestamptz: string): string {
  return isoTimestamp(`${timestamptz} AT TIME ZONE 'UTC'`, 'US')
}
