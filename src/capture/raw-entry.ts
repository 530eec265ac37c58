import { scanSync } from 'libpg-query'
import { AuditError } from '../errors.ts'
import {
  type AdapterLike,
  type Connection,
  inTransaction,
  isPool,
  type SqlQuery,
} from '../postgres/connection.ts'
import { quoteLiteral, type TableName } from '../postgres/identifiers.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { type UncapturableReason, uncapturableReasons } from './parse/uncapturable.ts'
import { type Attribution, detailsOf, EntryParameters, entryShape, insertEntries } from './rewrite/entry.ts'

/** SQLSTATEs of statements that refuse to run inside a transaction block, or that end one. */
const refusesTransaction = new Set(['25001', '2D000'])

/**
 * Runs a statement that can't be captured row by row, with one entry `raw.execute` in the same transaction: the
 * statement's text without its values, and the reason.
 */
export async function runUncapturable<T>(
  reason: UncapturableReason,
  query: SqlQuery,
  connection: Connection | AdapterLike,
  log: TableName,
  attribution: Attribution,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  const entry = rawEntry(reason, query.sql, log, attribution)
  try {
    return await inTransaction(connection, async (transaction) => {
      await transaction.queryRaw(entry)
      return run(transaction)
    })
  } catch (error) {
    if (!isPool(connection) || !refusesTransaction.has(sqlStateOf(error) ?? '')) throw error
    // VACUUM, CREATE INDEX CONCURRENTLY, a procedure that commits: the entry goes first, so that none can be missing
    await connection.queryRaw(entry)
    return run(connection)
  }
}

export function refuseUncapturable(reason: UncapturableReason): AuditError {
  return new AuditError(
    'AUDIT_UNCAPTURABLE',
    `The statement can't be captured row by row (${reason}: ${uncapturableReasons[reason]}), and the option uncapturable is 'throw'. Nothing was run. Write it as plain INSERT, UPDATE or DELETE statements, or set uncapturable to 'record'.`,
  )
}

function rawEntry(
  reason: UncapturableReason,
  sql: string,
  log: TableName,
  attribution: Attribution,
): SqlQuery {
  const parameters = new EntryParameters(entryShape(attribution), 1)
  const details = detailsOf({ statement: '$1::text', reason: `${quoteLiteral(reason)}::text` }, parameters)
  const text = insertEntries(log, [`SELECT 'raw.execute', 'raw', NULL::text, ${details}`], parameters)
  const { args, argTypes } = parameters.bind(attribution)
  return {
    sql: text,
    args: [withoutValues(sql), ...args],
    argTypes: [{ scalarType: 'string', arity: 'scalar' }, ...argTypes],
  }
}

/** A statement's text with `?` for every constant and without comments: values can be secrets. */
export function withoutValues(sql: string): string {
  const bytes = Buffer.from(sql)
  let text = ''
  let end = 0
  try {
    for (const token of scanSync(sql).tokens) {
      text += bytes.subarray(end, token.start)
      text += isConstant(token) ? '?' : token.tokenName.endsWith('_COMMENT') ? ' ' : token.text
      end = token.end
    }
    return (text + bytes.subarray(end)).trim()
  } catch {
    return '(a statement that can not be read)'
  }
}

function isConstant(token: { tokenName: string; text: string }): boolean {
  return /^[SBXIF]CONST$/.test(token.tokenName) || /^(?:[A-Za-z]&?)?'|^\d|^\$[^$\d]*\$/.test(token.text)
}
