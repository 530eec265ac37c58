import { type Catalog, findTable, type Table } from '../../postgres/catalog.ts'
import { quoteLiteral, quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { PlainWrite } from '../parse/statement.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { Tables } from './referential-actions.ts'
import type { TrackedTable } from './tracked-table.ts'

/** The log's functions by which statements and triggers agree on who acts and who records. */
export interface ContextFunctions {
  /** For the statement that calls it. */
  readonly context: string
  /** For the statement that follows. */
  readonly nextContext: string
}

/** The functions of the log's migration; undefined when it is not applied. */
export function findContextFunctions(catalog: Catalog, log: TableName): ContextFunctions | undefined {
  const table = findTable(catalog, log)
  const found = catalog.logFunctions.some(
    ({ schema, name }) => schema === table?.schema && name === `${table.name}_context`,
  )
  if (!table || !found) return undefined
  const { schema, name } = table
  return {
    context: quoteTable({ schema, name: `${name}_context` }),
    nextContext: quoteTable({ schema, name: `${name}_next_context` }),
  }
}

/**
 * The call that a statement on a table carries, as an SQL expression: it compares what the client believes about the
 * table's triggers with what they noted when the statement began, and tells them who acts.
 *
 * @param entry has the context
 * @param cause what caused referential actions, if no trigger says so
 */
export function contextCall(
  functions: ContextFunctions,
  tables: Tables,
  entry: EntryParameters,
  cause: string | undefined,
): string {
  return `(SELECT ${call(functions, tables, entry, cause)})`
}

function call(
  { context }: ContextFunctions,
  tables: Tables,
  entry?: EntryParameters,
  cause?: string,
): string {
  const [table] = tables
  const values = [
    entry ? entry.reference('contextText') : 'NULL',
    quoteLiteral(table.watch.key),
    fingerprintOf(tables),
    ...(cause === undefined ? [] : [cause]),
  ]
  return `${context}(${values.join(', ')})`
}

/**
 * What the client believes that the table's triggers note. Where somebody disabled these, so that they note nothing, nobody
 * tells it when those of a table below go. So it looks whether they are still there, by a function that sees the catalog as it
 * is, and not as it was when the transaction began.
 */
function fingerprintOf([{ watch }, ...reached]: Tables): string {
  if (watch.fingerprint !== '') return quoteLiteral(watch.fingerprint)
  const isGone = reached.flatMap(({ watch: { rowTrigger } }) =>
    rowTrigger === null ? [] : [`pg_catalog.pg_get_triggerdef(${rowTrigger}::pg_catalog.oid) IS NULL`],
  )
  if (isGone.length === 0) return `''`
  return `CASE WHEN ${isGone.join(' OR ')} THEN 'gone' ELSE '' END`
}

/**
 * For a statement that no trigger has to know of: the same call, made only where a trigger noted that the table has come to
 * be watched, for a call takes PostgreSQL some time in every statement. As nobody has named the table yet, its setting is
 * NULL, or empty after another transaction.
 */
export function unwatchedGuard(functions: ContextFunctions, table: Table): string {
  const noted = `pg_catalog.current_setting(${quoteLiteral(`prisma_extension_audit.watched_${table.watch.key}`)}, true)`
  return `CASE WHEN pg_catalog.textne(${noted}, '') THEN ${call(functions, [table])} END`
}

/**
 * Says which tables a statement records itself where its referential actions change them, as an SQL expression: triggers of
 * theirs that the client knows nothing of refuse the change. It is evaluated once, before any action.
 */
export function claimOf(tables: readonly Table[]): string {
  const keys = quoteLiteral(` ${tables.map(({ watch }) => watch.key).join(' ')} `)
  const value = `pg_catalog.concat(EXTRACT(epoch FROM pg_catalog.statement_timestamp()), ${keys})`
  return `(SELECT pg_catalog.set_config('prisma_extension_audit.records', ${value}, true))`
}

/** What referential actions of a statement have as their cause, if no trigger says so. */
export function causeOf(statement: PlainWrite, tracked: TrackedTable): string | undefined {
  if (tracked.table.watch.isRecording || statement.kind === 'insert') return undefined
  return tracked.action(statement.kind === 'delete' ? 'delete' : 'update')
}
