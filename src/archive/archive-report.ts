import { type ArchiveFault, archiveFaults } from '../sink.ts'

/** How an archive can differ from the log. */
export const archiveDifferences = {
  missing: 'in the log and not in the archive',
  changed: 'in both, and not the same',
  extra: 'in the archive and not in the log',
  outOfOrder: 'in the archive behind what comes later in the log',
  doubled: 'in the archive more than once',
  unreadable: 'lines in the archive that are no entry',
} as const

export type ArchiveDifference = keyof typeof archiveDifferences

/** An entry that differs. */
export interface DifferentEntry {
  readonly kind: ArchiveDifference
  /** Null for a line that is no entry. */
  readonly id: string | null
  readonly seq: string | null
  readonly timestamp: string | null
  readonly action: string | null
  /** The object or file and its line, from 1; null where the archive does not have it. */
  readonly place: string | null
  /** What differs, with `changed`. Empty where only the form of the line does. */
  readonly columns: readonly string[]
}

/** What is wrong with the archive itself: an object, a file. */
export interface FaultyPlace {
  readonly kind: ArchiveFault
  readonly place: string
  readonly message: string
}

/** How many there are of each kind, and the first 20 of each. */
export interface Findings<Kind extends string, Found> {
  readonly count: number
  readonly kinds: Readonly<Record<Kind, number>>
  readonly first: readonly Found[]
}

/** What the comparison of one sink's archive with the log has found. */
export interface ArchiveReport {
  readonly sink: string
  /** Where the archive is. */
  readonly place: string
  /** Nothing differs and nothing is wrong. */
  readonly ok: boolean
  readonly entries: {
    /** In the archive and the log, byte for byte. */
    readonly equal: number
    /** Committed, and not yet to be in the archive. */
    readonly notShipped: number
    /** Erased from the log since, as an entry `auditLog.erase` tells: the archive still has their values. */
    readonly erased: number
    /** In the archive alone, stored before the log was restored to an earlier time. */
    readonly superseded: number
  }
  readonly differences: Findings<ArchiveDifference, DifferentEntry>
  readonly faults: Findings<ArchiveFault, FaultyPlace>
  /** What is not wrong and has to be known. */
  readonly notes: readonly string[]
}

const listed = 20

/** Counts everything, and keeps the first of each kind. */
class Counter<Kind extends string, Found extends { readonly kind: Kind }> {
  readonly #kinds: Record<Kind, number>
  readonly #first: Found[] = []

  constructor(kinds: Record<Kind, string>) {
    this.#kinds = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0])) as Record<Kind, number>
  }

  add(found: Found): void {
    if (++this.#kinds[found.kind] <= listed) this.#first.push(found)
  }

  findings(): Findings<Kind, Found> {
    const counts = Object.values<number>(this.#kinds)
    return { count: counts.reduce((a, b) => a + b), kinds: this.#kinds, first: this.#first }
  }
}

/** Collects what becomes a report. */
export class ReportBuilder {
  readonly entries = { equal: 0, notShipped: 0, erased: 0, superseded: 0 }
  readonly differences = new Counter<ArchiveDifference, DifferentEntry>(archiveDifferences)
  readonly faults = new Counter<ArchiveFault, FaultyPlace>(archiveFaults)
  readonly #notes: string[] = []

  /** The first 100. */
  note(message: string): void {
    if (this.#notes.length < 100) this.#notes.push(message)
  }

  report(sink: string, place: string): ArchiveReport {
    const [differences, faults] = [this.differences.findings(), this.faults.findings()]
    const ok = differences.count === 0 && faults.count === 0
    return { sink, place, ok, entries: this.entries, differences, faults, notes: this.#notes }
  }
}
