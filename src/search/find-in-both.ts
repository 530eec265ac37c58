import { mergePlaced } from '../log/archived-log.ts'
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
  const found = await findEntries<Row>(source, conditions, limits)
  if (!source.archive || conditions.actions?.length === 0) return found
  const { before, count } = limits
  const isFull = found.rows.length >= count
  const archived = await source.archive.find({
    ...{ conditions, order: 'newest', after: before, count },
    until: found.stoppedAt ?? (isFull ? lastPosition(found.rows) : undefined),
  })
  if (archived.length === 0) return found
  const rows = archived.map(({ row, place }) => ({
    ...row,
    position: positionText(place),
  })) as unknown as Placed<Row>[]
  const merged = mergePlaced(found.rows, rows, { placeOf: positionIn, order: 'newest', count })
  // a page that is full ends where it ends, however far the table was searched
  return merged.length === count ? { rows: merged } : { ...found, rows: merged }
}
