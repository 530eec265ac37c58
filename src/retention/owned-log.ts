import { AuditError } from '../errors.ts'
import { internalSchema } from '../log/internal-schema.ts'
import { questionsTo } from '../log/readable.ts'
import { quoteIdentifier, quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { serverMessageOf, sqlStateOf } from '../postgres/sql-state.ts'

/** A log as its owner sees it, who may change its table. Each statement is a transaction of its own. */
export interface OwnedLog {
  readonly table: TableName
  readonly connection: SqlClient
}

/** Where a statement is refused, the error is an AuditError. */
export function ownedLog({ table, connection }: OwnedLog): OwnedLog {
  const asked = questionsTo({ options: { table }, connection })
  return {
    table,
    connection: {
      query: (sql, ...values) =>
        asked.query<never>(sql, ...values).catch((error: unknown) => {
          throw refusal(error, table)
        }),
    },
  }
}

/** A function or a table of the log's migrations that nobody but its owner uses. */
export function internalName({ table }: OwnedLog, name: string): string {
  return `${quoteIdentifier(internalSchema(table))}.${quoteIdentifier(name)}`
}

/** What the functions of partitions raise: the log can't be partitioned as it is. */
const unfit = 'ZA006'

function refusal(error: unknown, table: TableName): unknown {
  const state = sqlStateOf(error)
  if (state === '42501') {
    return new AuditError(
      'AUDIT_NOT_MAINTAINED',
      `The role may not change the table of the audit log ${quoteTable(table)}: only its owner may. Nothing was changed by this statement. Connect as the role that runs the migrations.`,
      { cause: error },
    )
  }
  if (state !== unfit && state !== '55P03') return error
  return new AuditError(
    'AUDIT_NOT_MAINTAINED',
    `The audit log ${quoteTable(table)} was left as it is. PostgreSQL said: ${serverMessageOf(error) ?? state}. See docs/partitions.md.`,
    { cause: error },
  )
}
