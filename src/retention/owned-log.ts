import { AuditError } from '../errors.ts'
import { questionsTo } from '../log/readable.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { serverMessageOf, sqlStateOf } from '../postgres/sql-state.ts'

/** A log as its owner sees it, who may change its table. Each statement is a transaction of its own. */
export interface OwnedLog {
  readonly table: TableName
  readonly connection: SqlClient
  /** Runs work while one transaction is open on another connection, which keeps locks; without it, nobody else is waited for. */
  readonly transaction?: (<T>(work: (connection: SqlClient) => Promise<T>) => Promise<T>) | undefined
}

/** Where a statement is refused, the error is an AuditError. */
export function ownedLog({ table, connection, transaction }: OwnedLog): OwnedLog {
  const asked = questionsTo({ options: { table }, connection })
  return {
    table,
    transaction,
    connection: {
      query: (sql, ...values) =>
        asked.query<never>(sql, ...values).catch((error: unknown) => {
          throw refusal(error, table)
        }),
    },
  }
}

/** What the functions of partitions raise: the log can't be partitioned as it is, and the archive is not what the log is. */
const [unfit, differs] = ['ZA006', 'ZA007']

/** Whether a partition was left because it is not what was archived of it. */
export function differsFromArchive(error: unknown): boolean {
  return error instanceof AuditError && sqlStateOf(error.cause) === differs
}

function refusal(error: unknown, table: TableName): unknown {
  const state = sqlStateOf(error)
  if (state === '42501') {
    return new AuditError(
      'AUDIT_NOT_MAINTAINED',
      `The role may not change the table of the audit log ${quoteTable(table)}: only its owner may. Nothing was changed by this statement. Connect as the role that runs the migrations.`,
      { cause: error },
    )
  }
  if (state !== unfit && state !== differs && state !== '55P03') return error
  return new AuditError(
    'AUDIT_NOT_MAINTAINED',
    `The audit log ${quoteTable(table)} was left as it is. PostgreSQL said: ${serverMessageOf(error) ?? state}. See docs/${state === differs ? 'retention' : 'partitions'}.md.`,
    { cause: error },
  )
}
