import { comparePlaces, mergePlaced } from '../log/archived-log.ts'
import type { Conditions } from './conditions.ts'
import { positionIn, positionText } from './cursor.ts'
import type { LogSource } from './entries-query.ts'
import {
  type FoundEntries,
  findEntries,
  lastPosition,
  type Placed,
  type SearchLimits,
} from './find-entries.ts'

/** The newest entries that meet the conditions, of the table and of the archive, in order. */
export async function findInBoth<Row>(
  source: LogSource,
  conditions: Conditions,
  limits: SearchLimits,
): Promise<FoundEntries<Row>> {
  const start = performance.now()
  const found = await findEntries<Row>(source, conditions, limits)
  if (!source.archive || conditions.actions?.length === 0) return found
  const { log, toRow } = source.archive
  const { before, count, time } = limits
  const isFull = found.rows.length >= count
  const { entries, stoppedAt = found.stoppedAt } = await log.find(
    {
      ...{ conditions, order: 'newest', after: before, count },
      until: found.stoppedAt ?? (isFull ? lastPosition(found.rows) : undefined),
    },
    time === undefined ? undefined : Math.max(0, time - (performance.now() - start)),
  )
  const archived = entries.map((entry) => ({
    ...toRow(entry),
    position: positionText(entry.place),
  })) as unknown as Placed<Row>[]
  const merged = mergePlaced(found.rows, archived, { placeOf: positionIn, order: 'newest', count })
  // behind the place where the archive stopped, it may have entries between those of the table
  const rows = stoppedAt ? merged.filter((row) => comparePlaces(positionIn(row), stoppedAt) >= 0) : merged
  // a page that is full ends where it ends, however far was searched
  return rows.length === count || !stoppedAt ? { rows } : { rows, stoppedAt }
}
