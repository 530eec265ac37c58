import type { MonthArchive } from './archive-contract.ts'

/** How long entries stay in the table, and where they go then. `maintain` does it. */
export interface RetentionOptions {
  /** How long entries stay that no rule is about: `'7 years'`, `'18 months'`, `'90 days'`, or `'forever'`. */
  default: string
  /**
   * Exceptions. An entry that a hold matches stays; else that of its rules counts which keeps it longest. Months leave as a whole:
   * each entry stays until all of its month is old enough.
   */
  rules?: readonly RetentionRule[]
  /** Where entries are kept that leave. Nothing leaves before all of its month was read back from there. */
  archive: MonthArchive
}

/** Which entries, by resource, by organization or by both, and how long they stay. */
export type RetentionRule = {
  /** As an entry has it: `session` for a model `Session`. */
  resource?: string | undefined
  organization?: string | undefined
} & (
  | { keep: string; hold?: undefined }
  /** A legal hold: they stay in the table, whatever else is said. */
  | { hold: true; keep?: undefined }
)

/** With every default. */
export type ResolvedRetention = Required<RetentionOptions>
