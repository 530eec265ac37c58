import { compareCursors, type ReaderCursor } from '../../reader/cursor.ts'
import { idInLeaf } from '../leaf.ts'
import { type StoredCheckpoint, sealedPlace } from '../stored-checkpoint.ts'
import { isSealedAs, leavesIn } from './match-rows.ts'
import { ownPlaceOf, type RowsInPlace, readRowsBetween, readRowsById } from './rows-between.ts'
import type { SealedLog } from './sealed-log.ts'
import { endOfPart, readSealedPart, type SealedPart } from './sealed-part.ts'

/** A part of what was sealed, or rows that stand in its place. */
export type SealedStep =
  | { readonly part: SealedPart; readonly start: number; readonly end: number }
  | { readonly rows: RowsInPlace }

/** What was sealed, and behind each part of it the rows in its place. */
export async function* sealedSteps(log: SealedLog): AsyncGenerator<SealedStep, void, void> {
  const { position, size, head, since } = log
  let start = since?.size ?? 0
  let after = sealedPlace(since)
  const last = head && start < size ? await lastPlace(log, head) : after
  while (start < size) {
    const end = endOfPart(start, size)
    const part = await readSealedPart(log, position.log, start, size)
    yield { part, start, end }
    const until = part.nextPlace ? justBefore(part.nextPlace) : last
    for await (const rows of readRowsBetween(log, position, after, until)) yield { rows }
    if (compareCursors(until, after) > 0) after = until
    start = end
  }
}

/** Where the last sealed entry stands, or is said to stand, if that is later. */
async function lastPlace(log: SealedLog, { size, place }: StoredCheckpoint): Promise<ReaderCursor> {
  const part = await readSealedPart(log, log.position.log, Math.max(0, size - 256), size)
  const last = leavesIn(part.segments).at(-1)
  const [row] = last ? await readRowsById(log, [idInLeaf(last.bytes)]) : []
  if (!last || !row || !isSealedAs(row, last)) return place
  const own = ownPlaceOf(row, log.position)
  return own.era === place.era && compareCursors(own, place) > 0 ? own : place
}

/** The last place before an entry. */
function justBefore({ era, transactionId, seq }: ReaderCursor): ReaderCursor {
  return { era, transactionId, seq: seq - 1n }
}
