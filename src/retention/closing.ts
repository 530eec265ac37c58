import { setTimeout as sleep } from 'node:timers/promises'
import { internalTable } from '../log/internal-schema.ts'
import { readHorizon } from '../reader/horizon.ts'
import { consumerPlace, unreadInEra, unreadLater } from '../reader/unread.ts'
import type { PastMonth } from './months.ts'
import type { OwnedLog } from './owned-log.ts'

/** For how many milliseconds transactions are waited for that are open. */
const patience = 5_000

/**
 * Waits until all that began in a past month is over: a transaction that is open may still write an entry of that time.
 *
 * @returns why it is not; undefined where it is
 */
export async function whyNotOver(log: OwnedLog, signal?: AbortSignal): Promise<string | undefined> {
  const snapshot = 'pg_catalog.pg_current_snapshot()'
  const [{ next = '' } = {}] = await log.connection.query<{ next: string }>(
    // an id of its own: those that were given before, and only those, are lower
    'SELECT pg_catalog.pg_current_xact_id()::text AS next',
  )
  for (const deadline = performance.now() + patience; ; await sleep(100, undefined, { signal })) {
    const [row] = await log.connection.query<{ is: boolean }>(
      `SELECT pg_catalog.pg_snapshot_xmin(${snapshot}) >= $1::text::pg_catalog.xid8 AS is`,
      next,
    )
    if (row?.is) return undefined
    if (performance.now() > deadline) break
  }
  const { holder } = await readHorizon(log)
  const who = holder
    ? ` (${holder.application ?? holder.gid ?? `process ${holder.pid}`}, since ${holder.since ?? 'an unknown time'})`
    : ''
  return `a transaction is open that may have begun in it${who}`
}

/**
 * Who has not read all of a month: nothing leaves the table that a sink or a seal still has to read there.
 *
 * @param required who has to have read it, also where they have never begun
 */
export async function whoStillReads(
  log: OwnedLog,
  { log: name, partition }: PastMonth,
  required: readonly string[],
): Promise<string[]> {
  const rows = await log.connection.query<{ name: string }>(
    `WITH readers AS (
  SELECT ${consumerPlace(log.table)} FROM ${internalTable(log.table, 'consumers')} AS c WHERE c.log = $1::text
)
SELECT c.name FROM readers AS c
WHERE EXISTS (SELECT FROM ONLY ${partition} AS l WHERE ${unreadInEra})
  OR EXISTS (SELECT FROM ONLY ${partition} AS l WHERE ${unreadLater})
UNION ALL
SELECT m.name FROM pg_catalog.json_array_elements_text($2::text::json) AS m(name)
WHERE m.name NOT IN (SELECT r.name FROM readers AS r) AND EXISTS (SELECT FROM ONLY ${partition})
ORDER BY 1`,
    ...[name, JSON.stringify(required)],
  )
  return rows.map((row) => row.name)
}
