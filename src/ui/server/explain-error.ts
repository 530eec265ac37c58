import { AuditError } from '../../errors.ts'
import { sqlStateOf } from '../../postgres/sql-state.ts'
import { InvalidRequest } from '../data/invalid-request.ts'
import { errorAnswer } from './answers.ts'

/** What each PostgreSQL code means to a reader of the web page. The server's messages may hold secrets. */
const explanations: Record<string, string> = {
  '42P01':
    'The table of the audit log is not in this database. Apply its migration, or name the table: --table, or the option `table`.',
  '42501': 'The role of the connection may not read the audit log. Grant it SELECT on the table.',
  '42703': 'The table of the audit log lacks a column. "prisma-extension-audit status" says which.',
  '57014': 'The database took too long. Narrow the time range or the filters.',
  '28P01': 'The database refused the password of the connection string.',
  '28000': 'The database refused the connection.',
  '3D000': 'The database of the connection string does not exist.',
  '53300': 'The database has no connection to spare. Try again.',
}

/** The answer to a failed request: clear for the reader, without any text from the database or the connection. */
export function explainError(error: unknown): Response {
  if (error instanceof InvalidRequest) return errorAnswer(400, 'INVALID_REQUEST', error.message)
  if (error instanceof AuditError) return errorAnswer(500, error.code, explainAudit(error))
  const state = sqlStateOf(error)
  return errorAnswer(
    state === '57014' ? 503 : 500,
    state ? `SQLSTATE_${state}` : 'UNAVAILABLE',
    explainSqlState(state) ??
      'The database could not be reached. The log of the server that shows this page has the reason.',
  )
}

/** Messages about the archive say where it is, which is not for every visitor. */
function explainAudit({ code, message }: AuditError): string {
  if (!/^AUDIT_(ARCHIVE|SINK)_/.test(code)) return message
  return 'The archive of older entries could not be read. The log of the server that shows this page has the reason.'
}

/** What a PostgreSQL code means to the reader; undefined without one. */
export function explainSqlState(state: string | undefined): string | undefined {
  return state && (explanations[state] ?? `The database answered with an error, SQLSTATE ${state}.`)
}
