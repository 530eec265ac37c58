import { AuditError } from '../errors.ts'
import { parseTableName, type TableName } from '../postgres/identifiers.ts'

/** The arguments can't be used: the caller typed something wrong, nothing else is. */
export class UsageError extends AuditError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('AUDIT_CLI', message, options)
  }
}

/** Reads `--table`; without it, the table of the shipped migration. */
export function tableOption(text = 'audit_logs'): TableName {
  try {
    return parseTableName(text)
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
