import { AuditError } from '../errors.ts'
import type { ArchivedLog } from '../log/archived-log.ts'
import type { ReadableLog } from '../log/log.ts'
import { unansweredQuestion } from '../log/readable.ts'
import { readRetiredUntil } from '../log/retired.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'

/** The log, as readers see it. Each statement is a transaction of its own. */
export interface ReaderLog {
  readonly table: TableName
  readonly connection: SqlClient
  /** What has left the table; readers that read on never need it. */
  readonly archive?: ArchivedLog | undefined
}

/** Where a statement gets no answer, the error is an AuditError. */
export function readerLog({
  options,
  connection,
  archive,
}: Pick<ReadableLog, 'options' | 'connection' | 'archive'>): ReaderLog {
  const { table } = options
  return {
    ...{ table, archive },
    connection: {
      query: async (sql, ...values) => {
        try {
          return await connection.query(sql, ...values)
        } catch (error) {
          throw error instanceof AuditError ? error : unread(error, table)
        }
      },
    },
  }
}

function unread(cause: unknown, table: TableName): AuditError {
  if (sqlStateOf(cause) !== '42501') return unansweredQuestion(cause, table)
  return new AuditError(
    'AUDIT_UNREADABLE',
    `The role may not read on in the audit log ${quoteTable(table)}. See cause for what it lacks, and docs/privileges.md, "A role that reads on", for what to GRANT.`,
    { cause },
  )
}

/** Whether months have left the table for an archive that is not at hand. */
export async function lacksArchive({ table, connection, archive }: ReaderLog): Promise<boolean> {
  return !archive && (await readRetiredUntil(connection, table)) !== null
}

/** A transaction id of the log in PostgreSQL's own type, word for word as the log's index has it. */
export const transactionSql = '("transaction_id"::pg_catalog.text::pg_catalog.xid8)'
