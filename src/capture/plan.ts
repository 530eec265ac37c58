import type { Renumbered } from './parse/parameters.ts'
import type { UncapturableReason } from './parse/uncapturable.ts'
import type { Rewritten, Want } from './rewrite/audited-statement.ts'
import type { EntryParameters, EntryShape } from './rewrite/entry-parameters.ts'
import type { RawEntry } from './rewrite/raw-entry.ts'

/** What there is to know of a statement beside its text. */
export interface StatementFacts {
  readonly want: Want
  readonly parameterCount: number
  readonly shape: EntryShape
  /** The table that it writes to, if its name alone does not say: its oid. */
  readonly written: number | undefined
}

/** What to do with a statement. */
export type Plan =
  | { readonly kind: 'pass'; readonly writes?: true }
  | UncapturablePlan
  | CarriedPlan
  | AuditedPlan

/** Run it as it is, and record its text. */
export interface UncapturablePlan {
  readonly kind: 'uncapturable'
  readonly reason: UncapturableReason
  /** The statement without its values. */
  readonly statement: string
  /** Undefined when triggers record all that the statement can write to. */
  readonly entry: RawEntry | undefined
  /** Of a text that controls its transaction: what stands between the places for entries. */
  readonly parts: readonly string[] | undefined
  /** Runs first in the same transaction, and tells triggers who acts; undefined when there are no triggers. */
  readonly ahead: ContextStatement | undefined
}

/** Run it with a call that tells who acts: triggers record it. */
export interface CarriedPlan {
  readonly kind: 'carried'
  readonly sql: string
  readonly parameters: EntryParameters
  /** How many columns at the end of the result are ours. */
  readonly surplus: number
  /** For an INSERT with other triggers that write before its rows. */
  readonly ahead: ContextStatement | undefined
}

/** A separate statement that tells who acts in the next one. */
export interface ContextStatement {
  readonly sql: string
  readonly parameters: EntryParameters
}

/** Run the audited statement in its place. */
export interface AuditedPlan extends Omit<Rewritten, 'lock' | 'readLater'> {
  readonly kind: 'audited'
  /** After the statement's own. */
  readonly parameters: EntryParameters
  /** Statements that run before, with some of the statement's own parameters; see {@link Rewritten}. */
  readonly lock?: {
    readonly rows: Renumbered
    readonly reached?: Renumbered
    readonly isDeep: boolean
    readonly ask?: Renumbered
  }
  /** With the answer to `lock.ask`, the plan that has those rows, too. */
  readonly further?: (answer: string) => AuditedPlan
  readonly readLater?: { readonly sql: string; readonly parameters: EntryParameters }
  /** A query: see `lacksPrivilege`. */
  readonly lacksPrivilege: string
  /** What to do instead if the query `ask` says that the statement's role is restricted. */
  readonly restricted?:
    | { readonly ask: string; readonly plan: Plan; readonly isIncomplete: boolean }
    | undefined
}

export function isUnknownTable(plan: Plan): boolean {
  return plan.kind === 'uncapturable' && plan.reason === 'unknown-table'
}
