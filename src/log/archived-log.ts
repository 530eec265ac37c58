import type { ArchiveQuestion, EntryPlace } from '../archive-contract.ts'
import type { ExactRow } from '../sink.ts'
import type { EntryRow } from './entry.ts'

/** The entries of a log that have left its table. */
export interface ArchivedLog {
  /**
   * What the archive has of a question, in its order. To be asked after the table: what leaves meanwhile is then in one of the two,
   * or in both.
   */
  find(question: ArchiveQuestion): Promise<readonly ArchivedEntry[]>
  /** The entries that have left with these numbers, with every column word for word. */
  exactRows(seqs: readonly bigint[]): Promise<readonly ExactRow[]>
}

/** An entry of an archive, as a row of the table would have it. */
export interface ArchivedEntry {
  readonly row: EntryRow & { readonly archived_in: string }
  readonly place: EntryPlace
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
