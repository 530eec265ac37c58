import type { Catalog, Table } from '../../postgres/catalog.ts'
import { own, quoteIdentifier, type TableName } from '../../postgres/identifiers.ts'
import type { UpdateStatement, WriteStatement } from '../parse/statement.ts'
import { affectedEntries } from './affected-entries.ts'
import { logInsert, where } from './entry-insert.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { Lock } from './lock.ts'
import type { Note } from './raw-entry.ts'
import type { Recorder } from './recorder.ts'
import { type Reach, reachedRows } from './referential-actions.ts'
import { type RowEntries, selectList } from './row-entries.ts'
import type { RowNames } from './row-names.ts'
import { type StartRows, startCte } from './start-rows.ts'
import type { TrackedTable } from './tracked-table.ts'

/** What the caller wants back: the statement's own result, or the number of its rows. */
export type Want = 'rows' | 'count'

/** Everything that a rewrite depends on, besides the statement. */
export interface RewriteInput {
  readonly tracked: TrackedTable
  readonly catalog: Catalog
  /** What referential actions can reach from here. */
  readonly reach: Reach | undefined
  /** All that they might reach, where `reach` is only what they were found to reach. */
  readonly wholeReach?: Reach | undefined
  readonly track: (table: Table) => TrackedTable
  readonly entry: EntryParameters
  /** The same for a separate statement that follows. */
  readonly later: EntryParameters
  readonly log: TableName
  /** The functions that record single rows, if the database has them. */
  readonly recorder: Recorder | undefined
  readonly want: Want
  /** In a statement that locks: the parameter with the addresses of the rows that the one before it locked. */
  readonly lockedRows: string
  /** The query of one more entry, which says that other rows may have changed, and why. */
  readonly note: Note
  /** Whether referential actions may reach rows that the role does not see; see `access.ts`. */
  readonly isIncomplete?: boolean
  /** Whether a DELETE goes without a lock. */
  readonly isLockless?: boolean
  /** Compares what the client believes about the table's triggers with the truth, see `contextCall`. */
  readonly guard: string
  /** Where referential actions may follow: says which tables the statement records itself, see `claimOf`. */
  readonly claim: string | undefined
}

/** The audited statement, and what runs before and after it. */
export interface Rewritten {
  readonly sql: string
  readonly lock?: Lock | undefined
  /** Runs after the statement: writes the entries of rows that had to be read again. */
  readonly readLater?: string | undefined
  /** How many columns at the end of the result are ours. */
  readonly surplus: number
  /** The last of them counts upserted rows that were not locked before: the statement has to run again. */
  readonly countsMissed: boolean
}

/** For the sake of what a statement locks its rows first, if referential actions may follow. */
export function lockedReach({ reach, wholeReach }: RewriteInput): Reach | undefined {
  return wholeReach ?? reach
}

/**
 * How a statement of a few rows, which takes longer to parse and plan than to run, records them: by a call in its
 * RETURNING list. Undefined when it has other entries than those of its own rows.
 */
export function recorderOf({ recorder, want, reach, tracked }: RewriteInput): Recorder | undefined {
  return want === 'count' || reach || tracked.link || !tracked.isTracked ? undefined : recorder
}

/** The statement itself, with one more expression to return: the call that writes the row's entry. */
export function callingStatement(
  statement: WriteStatement,
  { tracked, guard }: RewriteInput,
  rows: RowNames,
  call: string,
): Rewritten {
  const returned = [guard, call, tracked.shapeGuard]
  const sql = returning(statement, statement.body, rows, returned)
  return { sql, surplus: returned.length, countsMissed: false }
}

/** What each kind of write provides for {@link insertingStatement}. */
export interface WriteParts {
  /** The statement up to RETURNING, as it runs. */
  readonly body: string
  readonly rows: RowNames
  /** What else to return of each row, name → expression. */
  readonly returned?: Record<string, string>
  readonly entries: RowEntries
  /** Where referential actions may follow. */
  readonly start?: StartRows | undefined
  readonly lock?: Lock | undefined
  /** A CTE that reads the rows about to change. */
  readonly locked?: string | undefined
  /** The statement's own WITH clause, if the CTE needs its queries, too. */
  readonly with?: UpdateStatement['with']
  /** A CTE that has the columns for entries and start, if the statement itself can't return them. */
  readonly changed?: { readonly name: string; readonly cte: string }
  readonly countsMissed?: boolean
  /** A CTE of rows that the statement did not change, although it was about to. */
  readonly stayed?: string | undefined
}

/** The statement in the CTE `op`, followed by an INSERT of the entries of all its rows. */
export function insertingStatement(
  statement: WriteStatement,
  input: RewriteInput,
  {
    body,
    rows,
    returned,
    entries,
    start,
    lock,
    locked,
    with: shared,
    changed,
    countsMissed = false,
    stayed,
  }: WriteParts,
): Rewritten {
  const { tracked, reach, track, entry, later, note } = input
  const outputs = outputNames(statement, input)
  const source = changed?.name ?? own('op')
  const ours = { ...(changed ? {} : { ...entries.columns, ...start?.columns }), ...returned }
  const guards = { triggers: input.guard, shape: tracked.shapeGuard }
  const all = { ...ours, ...guards, ...(input.claim !== undefined && { claim: input.claim }) }
  // where nobody knows their columns they keep their names, which may occur twice
  const [columns, items] = outputs
    ? [
        `(${[...outputs.map((_, index) => own(`r${index}`)), ...Object.keys(all).map(own)].join(', ')})`,
        Object.values(all),
      ]
    : ['', [selectList(all)]]
  const affected =
    reach &&
    start &&
    affectedEntries(reach, { track, cause: start.cause, changed: source, entry, later, note })
  const missing =
    affected && input.isIncomplete
      ? [where(`EXISTS (SELECT FROM ${own('start')})`, note('row-security', entry))]
      : []
  const queries = [...entries.queries, ...(affected?.queries ?? []), ...missing]
  const ctes = [
    ...(shared ? [shared.queries] : []),
    ...(locked === undefined ? [] : [locked]),
    `${own('op')}${columns} AS (\n${returning(statement, body, rows, items)}\n)`,
    ...(reach && start ? [startCte(start, source), reachedRows(reach)] : []),
    ...(changed ? [changed.cte] : []),
    ...(stayed === undefined ? [] : [stayed]),
    ...(affected?.ctes ?? []),
    // triggers record the statement's own rows, and no others follow
    ...(queries.length > 0 ? [`${own('log')} AS (\n${logInsert(input.log, queries, entry)}\n)`] : []),
  ]
  const readLater = [...(entries.later ?? []), ...(affected?.later ?? [])]
  const missed = countsMissed
    ? [`(SELECT pg_catalog.count(*)::int4 FROM ${source} WHERE ${own('missed')})`]
    : []
  return {
    sql: `WITH ${reach || shared?.isRecursive ? 'RECURSIVE ' : ''}${ctes.join(',\n')}\n${result(statement, input, outputs, missed)}`,
    lock,
    readLater: readLater.length > 0 ? logInsert(input.log, readLater, later) : undefined,
    surplus: missed.length + (outputs || input.want === 'count' ? 0 : Object.keys(all).length),
    countsMissed,
  }
}

/** A statement with its own RETURNING list and then ours. */
function returning(
  { returning, reference }: WriteStatement,
  body: string,
  rows: RowNames,
  ours: readonly string[],
): string {
  const joined = returning?.joined
  const theirs = (returning?.outputs ?? []).flatMap((output) =>
    // a bare star would include the columns of rows that we join
    'star' in output && output.star === undefined && joined
      ? [reference, ...joined].map((name) => `${name}.*`)
      : [output.text],
  )
  return `${body}\nRETURNING ${rows.with}${[...theirs, ...ours].join(', ')}`
}

/** The names of the columns that the statement itself returns; undefined if that takes knowing other tables. */
function outputNames(statement: WriteStatement, { tracked: { table } }: RewriteInput): string[] | undefined {
  if (returnsOtherRows(statement)) return undefined
  return (statement.returning?.outputs ?? []).flatMap((output) =>
    'name' in output ? [output.name] : table.columns.map((column) => column.name),
  )
}

/** Whether a star in RETURNING means columns of other tables. */
export function returnsOtherRows(statement: WriteStatement): boolean {
  const { outputs = [], oldAlias, newAlias } = statement.returning ?? {}
  const joins = 'from' in statement && statement.from !== undefined
  const ownRow = [statement.reference.slice(1, -1), oldAlias, newAlias]
  return outputs.some(
    (output) => 'star' in output && (output.star === undefined ? joins : !ownRow.includes(output.star)),
  )
}

/** The last part: exactly the columns or the count that was asked for, then ours. */
function result(
  { returning }: WriteStatement,
  { want }: RewriteInput,
  outputs: readonly string[] | undefined,
  ours: readonly string[],
): string {
  if (want === 'count') return `SELECT ${['pg_catalog.count(*)::int4', ...ours].join(', ')} FROM ${own('op')}`
  if (returning === undefined) return ours.length > 0 ? `SELECT ${ours.join(', ')}` : 'SELECT WHERE false'
  if (!outputs) return `SELECT * FROM ${own('op')}`
  const columns = outputs.map((name, index) => `${own(`r${index}`)} AS ${quoteIdentifier(name)}`)
  return `SELECT ${[...columns, ...ours].join(', ')} FROM ${own('op')}`
}
