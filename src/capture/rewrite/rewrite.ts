import type { Catalog, Table } from '../../postgres/catalog.ts'
import { own, quoteIdentifier, type TableName } from '../../postgres/identifiers.ts'
import type { WriteStatement } from '../parse/statement.ts'
import {
  type BeforeState,
  beforeStateOf,
  lockedRows,
  type RowNames,
  rowNames,
  updateLocked,
} from './before-state.ts'
import { type EntryParameters, insertEntries } from './entry.ts'
import { confine, lockReachedRows, lockRows } from './lock.ts'
import type { Recorder } from './recorder.ts'
import { type Reach, reachedRows } from './referential-actions.ts'
import { addressColumns, affectedEntries, ownEntries, recordCall, returnedColumns } from './row-entries.ts'
import type { TrackedTable } from './tracked-table.ts'

/** What the caller wants back: the statement's own result, or the number of its rows. */
export type Want = 'rows' | 'count'

/** Everything that a rewrite depends on. */
export interface RewriteInput {
  readonly statement: WriteStatement
  readonly tracked: TrackedTable
  readonly catalog: Catalog
  /** What referential actions can reach from here. */
  readonly reach: Reach | undefined
  readonly track: (table: Table) => TrackedTable
  readonly entry: EntryParameters
  /** The same for a statement of its own that follows. */
  readonly later: EntryParameters
  readonly log: TableName
  /** The functions that record single rows, where the database has them. */
  readonly recorder: Recorder | undefined
  readonly want: Want
}

export interface Rewritten {
  readonly sql: string
  /** Locks the rows first, by a statement of its own in the same transaction. */
  readonly lockRows: string | undefined
  /** Then locks the rows that referential actions reach; gives their number. */
  readonly lockReached: string | undefined
  /** Those rows may get further rows meanwhile: lock until their number stays. */
  readonly isDeep: boolean
  /** Then, after the statement: writes the entries of rows that had to be read again. */
  readonly readLater: string | undefined
  /** The last column counts upserted rows whose before-state nobody saw: the statement has to run again. */
  readonly countsMissed: boolean
  /** How many columns at the end of the result are ours. */
  readonly surplus: number
}

/**
 * Turns a write into one statement that makes the change and its entries. On PostgreSQL 18 an update of a few rows
 * becomes, in essence,
 *
 * ```sql
 * UPDATE … RETURNING WITH (OLD AS o, NEW AS n) <its own columns>, audit_logs_record(<id>, <before, after, changed>, $5)
 * ```
 *
 * and one of many rows
 *
 * ```sql
 * WITH op AS (UPDATE … RETURNING WITH (OLD AS o, NEW AS n) <its own columns>, <id>, <details>),
 *      log AS (INSERT INTO audit_logs … SELECT … FROM op WHERE details IS NOT NULL)
 * SELECT <its own columns> FROM op
 * ```
 */
export function rewrite(input: RewriteInput): Rewritten {
  return rewriteWithCall(input) ?? rewriteWithInsert(input)
}

/**
 * The statement itself, with one more expression to return: the call that writes the row's entry. For a statement of a
 * few rows, whose text takes longer to parse and plan than to run. Undefined where the entry is not that of the row
 * alone, or RETURNING does not have the row as it was.
 */
function rewriteWithCall(input: RewriteInput): Rewritten | undefined {
  const { statement, tracked, catalog, reach, recorder, entry, want } = input
  const state = beforeStateOf(statement, tracked.table, catalog)
  if (!recorder || want === 'count' || state !== 'returning' || reach || tracked.link) return undefined
  const rows = rowNames(statement, tracked.table, state, catalog)
  const call = recordCall(statement, tracked, rows, recorder, entry)
  if (!call) return undefined
  const returned = [call, tracked.shapeGuard]
  return {
    sql: operation(statement, tracked, state, rows, returned),
    lockRows: undefined,
    lockReached: undefined,
    isDeep: false,
    readLater: undefined,
    countsMissed: false,
    surplus: returned.length,
  }
}

/** The statement in a CTE, and beside it an INSERT of all the entries that its rows give. */
function rewriteWithInsert(input: RewriteInput): Rewritten {
  const { tracked, catalog, reach, entry } = input
  const state = beforeStateOf(input.statement, tracked.table, catalog)
  // the snapshot of a statement must come after the lock where it looks for children, or where no CTE can lock
  const locksFirst = reach !== undefined || state === 'locked earlier'
  const changingKeys = state === 'locked earlier' ? undefined : reach
  const locked = () => entry.reference('lockedRows')
  const statement = locksFirst
    ? confine(input.statement, tracked.table, changingKeys, locked)
    : input.statement
  const rows = rowNames(statement, tracked.table, state, catalog)
  const outputs = outputNames(statement, tracked.table)
  const countsMissed = statement.kind === 'insert' && state === 'locked earlier'
  // before PostgreSQL 18 an upserted row meets the row that it replaced only in a CTE of its own
  const changed = own(countsMissed ? 'upserted' : 'op')
  const returned = {
    ...returnedColumns(statement, tracked, rows, state, reach, entry),
    ...(countsMissed ? {} : addressColumns(reach, statement, rows)),
    guard: tracked.shapeGuard,
  }

  const columns = [...outputs.map((_, index) => own(`r${index}`)), ...Object.keys(returned).map(own)]
  const entries = [
    ownEntries(statement, tracked, state, reach, entry, input.later),
    ...(reach?.tables ?? []).map((table, node) =>
      affectedEntries(reach as Reach, node, input.track(table), {
        cause: causeOf(input),
        changed,
        entry,
        later: input.later,
      }),
    ),
  ]
  const sources = entries.flatMap((one) => one.sources)
  const ctes = [
    ...(state === 'returning'
      ? []
      : [
          `${own('locked')} AS MATERIALIZED (${lockedRows(statement, tracked.table, state, () => `${locked()}::pg_catalog.tid[]`)})`,
        ]),
    `${own('op')}(${columns.join(', ')}) AS (\n${operation(statement, tracked, state, rows, Object.values(returned))}\n)`,
    ...(reach ? [startRows(statement, changed), reachedRows(reach)] : []),
    ...entries.flatMap((one) => one.ctes),
    `${own('log')} AS (\n${insertEntries(input.log, sources, entry)}\n)`,
  ]
  const laterSources = entries.flatMap((one) => one.laterSources)
  return {
    sql: `WITH ${reach ? 'RECURSIVE ' : ''}${ctes.join(',\n')}\n${result(input, outputs, countsMissed)}`,
    lockRows: locksFirst ? lockRows(input.statement, tracked.table, changingKeys) : undefined,
    lockReached: reach && lockReachedRows(input.statement, reach),
    isDeep: reach?.isDeep ?? false,
    readLater: laterSources.length > 0 ? insertEntries(input.log, laterSources, input.later) : undefined,
    countsMissed,
    surplus: 0,
  }
}

/** The statement itself, with its own RETURNING list and then ours. */
function operation(
  statement: WriteStatement,
  tracked: TrackedTable,
  state: BeforeState,
  rows: RowNames,
  returned: readonly string[],
): string {
  const isJoined = state !== 'returning' && statement.kind === 'update'
  const list = statement.returning?.list
  // a bare star would take in the columns of the rows that are joined
  const own = list === undefined ? [] : [list.trim() === '*' ? `${statement.reference}.*` : list]
  const body = isJoined ? updateLocked(statement, tracked.table) : statement.body
  return `${body}\nRETURNING ${rows.with}${[...own, ...returned].join(', ')}`
}

function startRows({ kind }: WriteStatement, changed: string): string {
  const [relation, row, patch] = [own('relation'), own('row'), own('patch')]
  const where = kind === 'delete' ? '' : ` WHERE ${patch} IS NOT NULL`
  return `${own('start')}(relation, "row", patch) AS (SELECT ${relation}, ${row}, ${patch} FROM ${changed}${where})`
}

function causeOf({ statement, tracked }: RewriteInput): string {
  return tracked.action(statement.kind === 'delete' ? 'delete' : 'update')
}

/** The names of the columns that the statement itself returns. */
function outputNames(statement: WriteStatement, table: Table): string[] {
  return (statement.returning?.outputs ?? []).flatMap((output) =>
    'name' in output ? [output.name] : table.columns.map((column) => column.name),
  )
}

/** The last part: exactly the columns or the count that were asked for. */
function result(
  { want, statement }: RewriteInput,
  outputs: readonly string[],
  countsMissed: boolean,
): string {
  const missed = countsMissed
    ? [`(SELECT pg_catalog.count(*)::int4 FROM ${own('upserted')} WHERE ${own('missed')})`]
    : []
  if (want === 'count')
    return `SELECT ${['pg_catalog.count(*)::int4', ...missed].join(', ')} FROM ${own('op')}`
  if (statement.returning === undefined)
    return `SELECT ${missed.join(', ')}${countsMissed ? '' : 'WHERE false'}`
  const columns = outputs.map((name, index) => `${own(`r${index}`)} AS ${quoteIdentifier(name)}`)
  return `SELECT ${[...columns, ...missed].join(', ')} FROM ${own('op')}`
}
