import { AuditError } from '../errors.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { unansweredQuestion } from './readable.ts'

/** How the audit of a client is. */
export interface AuditHealth {
  /**
   * `degraded`: changes are recorded, but entries or seals could be altered, triggers are outdated, partitions end soon, or there is a
   * default partition. `broken`: writes fail, or the database does not answer.
   */
  state: 'ok' | 'degraded' | 'broken'
  /** What is wrong, and the fix: the first problem found. */
  problem?: AuditError
}

const degraded: readonly string[] = [
  'AUDIT_LOG_UNPROTECTED',
  'AUDIT_TRIGGERS_OUTDATED',
  'AUDIT_PARTITIONS_ENDING',
  'AUDIT_PARTITION_DEFAULT',
]

/** The result of a check that throws, as an answer. */
export async function healthBy(verify: () => Promise<void>, table: TableName): Promise<AuditHealth> {
  try {
    await verify()
    return { state: 'ok' }
  } catch (error) {
    const problem = error instanceof AuditError ? error : unansweredQuestion(error, table)
    return { state: degraded.includes(problem.code) ? 'degraded' : 'broken', problem }
  }
}
