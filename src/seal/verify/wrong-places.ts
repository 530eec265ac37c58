import { compareCursors, type ReaderCursor } from '../../reader/cursor.ts'
import type { KnownPosition } from '../../reader/eras.ts'
import { foundEntry } from './entry-findings.ts'
import type { OnFinding } from './finding.ts'
import { ownPlaceOf, type RowValues } from './rows-between.ts'
import type { StoredLeaf } from './stored-leaf.ts'

/** Says where leaves, or a checkpoint, are said to begin or to end elsewhere than the row stands that the leaf is of. */
export function checkPlaces(
  row: RowValues,
  { index, place, lastOf }: StoredLeaf,
  position: KnownPosition,
  onFinding: OnFinding,
): void {
  if (!place && !lastOf) return
  const own = ownPlaceOf(row, position)
  const about = { leaves: { first: index, last: index }, entry: foundEntry(row) }
  const { id } = about.entry
  const where = (said: ReaderCursor, whose: string) =>
    own.era === said.era
      ? `at another place than ${whose} entry ${id} stands at`
      : `in era ${said.era}, and by the table of eras ${whose} entry ${id} is of era ${own.era}`
  if (place && compareCursors(own, place) !== 0) {
    const message = `The leaves from ${index} on are said to begin ${where(place, 'their first')}`
    onFinding({ kind: 'leaf', ...about, message })
  }
  if (lastOf && compareCursors(own, lastOf.place) !== 0) {
    const message = `Checkpoint ${lastOf.number} is said to end ${where(lastOf.place, 'its last')}`
    onFinding({ kind: 'checkpoint', ...about, checkpoint: lastOf.number, message })
  }
}
