import { createEventRecorder, type EventRecorder } from './events/record.ts'
import { type AuditHealth, healthBy } from './log/health.ts'
import type { Log } from './log/log.ts'
import { checkPartitions } from './log/log-partitions.ts'
import { questionsTo } from './log/readable.ts'
import { checkSealTriggers } from './log/seal-triggers.ts'
import { configuredArchive } from './parquet/archived-entries.ts'
import { createSubscriptions, type Subscriptions } from './reader/subscribe.ts'
import { createErasure, type Erasure } from './retention/erase.ts'
import { createProofs, type Proofs } from './seal/proof.ts'
import { type AuditSearch, createAuditSearch } from './search/search.ts'
import { createTimeTravel, type TimeTravel } from './time-travel/time-travel.ts'

/**
 * What an audited client has besides its own methods: it records events, answers questions and goes back in time.
 * `Audit` without a type argument fits any client; its model names are strings.
 */
export type Audit<Client = unknown> = unknown extends Client ? AnyAudit : AuditOf<Client>

interface AuditOf<Client>
  extends EventRecorder,
    AuditSearch<Client>,
    Subscriptions,
    Proofs,
    Erasure<Client>,
    TimeTravel<Client>,
    Verification {}

/** A separate interface: TypeScript would compare two `AuditOf` by their clients, not by their methods. */
interface AnyAudit
  extends EventRecorder,
    AuditSearch<unknown>,
    Subscriptions,
    Proofs,
    Erasure<unknown>,
    TimeTravel<unknown>,
    Verification {}

interface Verification {
  /**
   * Makes sure that writes can be recorded: statements pass through the audit, the server is PostgreSQL 14 or newer,
   * the log has all its migrations, and triggers record tables as the options say. The first write to a table checks the
   * same, except for triggers that no longer fit their table; call this at start-up to find out earlier.
   *
   * @throws AuditError `AUDIT_NOT_INTERCEPTED`, `AUDIT_UNSUPPORTED_DATABASE`, `AUDIT_TABLE_MISSING`, `AUDIT_LOG_OUTDATED`,
   * `AUDIT_LOG_UNPROTECTED`, `AUDIT_PARTITION_MISSING`, `AUDIT_PARTITION_DEFAULT`, `AUDIT_PARTITIONS_ENDING`, `AUDIT_OPTIONS_DIFFER` or
   * `AUDIT_TRIGGERS_OUTDATED`
   *
   * @example
   * ```ts
   * const prisma = withAudit(new PrismaClient({ adapter }))
   * await prisma.$audit.verify()
   * ```
   */
  verify(): Promise<void>

  /**
   * The same as an answer, for a health check. Never throws.
   *
   * @example
   * ```ts
   * app.get('/health', async (_, response) => {
   *   const { state, problem } = await prisma.$audit.health()
   *   response.status(state === 'broken' ? 503 : 200).json({ audit: state, problem: problem?.code })
   * })
   * ```
   */
  health(): Promise<AuditHealth>
}

export function createAudit<Client>(log: Log, verify: () => Promise<void>): AuditOf<Client> {
  const connection = questionsTo(log)
  const archive = configuredArchive(log.options, connection)
  const asked = { ...log, connection, archive }
  const verifyAll = async () => {
    await verify()
    await checkSealTriggers(asked.connection, log.options.table)
    await checkPartitions(asked.connection, log.options.table)
  }
  return {
    ...createEventRecorder(log),
    ...createAuditSearch<Client>(asked),
    ...createSubscriptions(log),
    ...createProofs({ ...log, archive }),
    ...createErasure<Client>({ ...log, archive }),
    ...createTimeTravel<Client>({ ...log, archive }),
    verify: verifyAll,
    health: () => healthBy(verifyAll, log.options.table),
  }
}
