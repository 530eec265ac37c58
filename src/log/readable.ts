import { AuditError } from '../errors.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import type { ReadableLog } from './log.ts'
import { missingStates } from './write-error.ts'

/** The connection of a log, for questions to it: where one gets no answer, the error is an AuditError. */
export function questionsTo({ connection, options }: Omit<ReadableLog, 'models'>): SqlClient {
  return {
    query: async (sql, ...values) => {
      try {
        return await connection.query(sql, ...values)
      } catch (error) {
        throw error instanceof AuditError ? error : unansweredQuestion(error, options.table)
      }
    },
  }
}

export function unansweredQuestion(cause: unknown, table: TableName): AuditError {
  const state = sqlStateOf(cause)
  const name = quoteTable(table)
  if (missingStates.has(state ?? '')) {
    return new AuditError(
      'AUDIT_TABLE_MISSING',
      `The audit log's table ${name} is not in the database, or lacks a column or a migration, so it can't be asked. Run "npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log's table with the option table.`,
      { cause },
    )
  }
  const refusal =
    state === undefined
      ? 'the database did not answer. Make sure that it can be reached'
      : `the database refused with SQLSTATE ${state}. ${state === '42501' ? 'GRANT the role SELECT on the table' : 'See cause'}`
  return new AuditError(
    'AUDIT_UNREADABLE',
    `The audit log ${name} could not be read: ${refusal}, and ask again.`,
    {
      cause,
    },
  )
}
