import type { ArchiveQuestion, EntryConditions, EntryPlace, UnerasedQuestion } from '../archive-contract.ts'
import type { ExactRow } from '../sink.ts'
import type { EntryRow } from './entry.ts'
import { exactEntryRow } from './exact-entry.ts'

/** The entries of a log that have left its table. */
export interface ArchivedLog {
  /**
   * What the archive has of a question, in its order. To be asked after the table: what leaves meanwhile is then in one of the two,
   * or in both.
   *
   * @param time milliseconds after which it stops behind the month at hand; by default, it goes on to the end
   */
  find(question: ArchiveQuestion, time?: number): Promise<ArchiveAnswer>
  /** The entries with these ids. A UUIDv7 says in which months to look first. */
  byIds(ids: readonly string[], conditions?: EntryConditions): Promise<readonly ArchivedEntry[]>
  /** The entries with these numbers. */
  bySeqs(seqs: readonly bigint[]): Promise<readonly ArchivedEntry[]>
  /** How many entries there are, those that are in the table as well, but no entry that the archive has as an erasure has left it. */
  countUnerased(question: UnerasedQuestion): Promise<number>
}

export interface ArchiveAnswer {
  readonly entries: readonly ArchivedEntry[]
  /** Set when the time ran out: nothing behind this place was looked at. */
  readonly stoppedAt?: EntryPlace
}

/** An entry of an archive. */
export interface ArchivedEntry {
  /** With every column word for word. */
  readonly row: ExactRow
  readonly place: EntryPlace
  /** The URL of its file. */
  readonly archivedIn: string
}

/** An entry of an archive as a row of the table, for helpers. */
export function archivedRow({ row, archivedIn }: ArchivedEntry): EntryRow {
  return { ...exactEntryRow(row), archived_in: archivedIn }
}

/** Less than 0 where `a` is older. */
export function comparePlaces(a: EntryPlace, b: EntryPlace): number {
  if (a.microseconds !== b.microseconds) return a.microseconds < b.microseconds ? -1 : 1
  return a.seq === b.seq ? 0 : a.seq < b.seq ? -1 : 1
}

/**
 * Two lists of one order as one, up to so many: what both have comes once, as the first list has it.
 *
 * @param placeOf of an item
 */
export function mergePlaced<Item>(
  table: readonly Item[],
  archive: readonly Item[],
  {
    placeOf,
    order,
    count,
  }: { placeOf: (item: Item) => EntryPlace; order: ArchiveQuestion['order']; count: number },
): Item[] {
  const sign = order === 'newest' ? -1 : 1
  const merged: Item[] = []
  for (let [one, other] = [0, 0]; merged.length < count; ) {
    const [a, b] = [table[one], archive[other]]
    if (a === undefined && b === undefined) break
    const difference =
      a === undefined ? 1 : b === undefined ? -1 : sign * comparePlaces(placeOf(a), placeOf(b))
    if (difference <= 0) one++
    if (difference >= 0) other++
    merged.push((difference <= 0 ? a : b) as Item)
  }
  return merged
}
