import { quoteTable } from '../../postgres/identifiers.ts'
import { rangeCondition } from '../../reader/committed-range.ts'
import { startOf } from '../../reader/cursor.ts'
import type { KnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { type StoredCheckpoint, sealedPlace } from '../stored-checkpoint.ts'

/** Entries that are committed and in no checkpoint. Nothing tells whether they were altered. */
export interface Unsealed {
  /** Counted up to 1,000,000, or as many as were asked for. */
  readonly entries: number
  /** Since the oldest of them was written, by the clock of the database; 0 where there is none. */
  readonly seconds: number
}

const usualMost = 1_000_000

export async function readUnsealed(
  { table, connection }: ReaderLog,
  position: KnownPosition,
  head: StoredCheckpoint | undefined,
  most = usualMost,
): Promise<Unsealed> {
  const place = sealedPlace(head)
  // somebody may have taken the last eras away, which is a finding elsewhere
  const present = Math.min(place.era, position.eras.at(-1)?.number ?? 1)
  const values: string[] = []
  const parts = position.eras
    .filter(({ number }) => number >= present)
    .map(({ number }) => {
      const after = number === present ? { ...place, era: present } : startOf(number)
      const condition = rangeCondition(position, { after, isWhole: true }, values)
      return `(SELECT l."timestamp" FROM ${quoteTable(table)} AS l WHERE ${condition} LIMIT ${most})`
    })
  const [row] = await connection.query<{ entries: number; seconds: string }>(
    `SELECT count(*)::int4 AS entries,
  greatest(0, coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - min(w."timestamp")), 0))::text AS seconds
FROM (SELECT * FROM (${parts.join(' UNION ALL ')}) AS u LIMIT ${most}) AS w`,
    ...values,
  )
  return { entries: row?.entries ?? 0, seconds: Number(row?.seconds ?? 0) }
}
