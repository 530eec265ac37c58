/** Longer details than this many bytes, as stored, are left out of lists. */
const longDetails = 8192

const columns = (details: string, shortened: string) => `
  'id', id,
  'timestamp', ${isoTimestamp('"timestamp"')},
  'action', action,
  'actor', json_build_object('id', actor_id, 'type', actor_type, 'email', actor_email),
  'resource', json_build_object('type', resource_type, 'id', resource_id),
  'outcome', outcome,
  'reason', reason,
  'details', ${details},
  'shortened', ${shortened},
  'requestId', request_id,
  'ip', pg_catalog.host(ip),
  'userAgent', user_agent,
  'organizationId', organization_id,
  'seq', seq::text,
  'transactionId', transaction_id::text`

/** A `WireEntry` with all of its details. */
export const wholeEntry = `json_build_object(${columns('details::text', 'false')})`

// pg_column_size reads no value that is stored out of line, so a list of long entries is as quick as one of short ones
const isLong = `coalesce(pg_catalog.pg_column_size(details) > ${longDetails}, false)`

/** A `WireEntry` for a list. */
export const listEntry = `json_build_object(${columns(
  `(CASE WHEN ${isLong} THEN jsonb_strip_nulls(jsonb_build_object('changed', details->'changed',
    'operation', details->'operation', 'cause', details->'cause', 'relation', details->'relation',
    'target', details->'target')) ELSE details END)::text`,
  isLong,
)})`

/** In UTC with microseconds, whatever the session's settings are. */
export function isoTimestamp(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
