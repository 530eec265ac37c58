import { compareCursors, type ReaderCursor } from '../../reader/cursor.ts'
import { idInLeaf } from '../leaf.ts'
import { type StoredCheckpoint, sealedPlace } from '../stored-checkpoint.ts'
import { startNow } from './ahead.ts'
import { isSealedAs } from './match-rows.ts'
import { ownPlaceOf, type RowsInPlace, readRowsBetween, readRowsById } from './rows-between.ts'
import type { SealedLog } from './sealed-log.ts'
import { endOfPart, readSealedPart, type SealedPart } from './sealed-part.ts'
import { leavesIn } from './stored-leaf.ts'

/** A part of what was sealed: the leaves from `start` up to `end`. */
export interface SealedStep {
  readonly part: SealedPart
  readonly start: number
  readonly end: number
  /** The rows that stand in its place, which are on their way. */
  readonly rows: AsyncGenerator<RowsInPlace, void, void>
}

/** What was sealed, part after part, with the rows in its place. */
export async function* sealedSteps(log: SealedLog): AsyncGenerator<SealedStep, void, void> {
  const { position, size, head, since } = log
  let start = since?.size ?? 0
  let after = sealedPlace(since)
  const last = head && start < size ? await lastPlace(log, head) : after
  while (start < size) {
    const end = endOfPart(start, size)
    const part = await readSealedPart(log, position.log, start, size)
    const until = part.nextPlace ? justBefore(part.nextPlace) : last
    yield { part, start, end, rows: startNow(readRowsBetween(log, position, after, until)) }
    if (compareCursors(until, after) > 0) after = until
    start = end
  }
}

/** Where the last sealed entry stands, or is said to stand, if that is later. Its era is what its checkpoint or its leaf says. */
async function lastPlace(log: SealedLog, { size, place }: StoredCheckpoint): Promise<ReaderCursor> {
  const part = await readSealedPart(log, log.position.log, Math.max(0, size - 256), size)
  const leaves = leavesIn(part.segments)
  const last = leaves.at(-1)
  const [row] = last ? await readRowsById(log, [idInLeaf(last.bytes)]) : []
  if (!last || !row || !isSealedAs(row, last)) return place
  const own = ownPlaceOf(row, log.position)
  const said = [place.era, leaves.findLast((leaf) => leaf.place)?.place?.era]
  return said.includes(own.era) && compareCursors(own, place) > 0 ? own : place
}

/** The last place before an entry. */
function justBefore({ era, transactionId, seq }: ReaderCursor): ReaderCursor {
  return { era, transactionId, seq: seq - 1n }
}
