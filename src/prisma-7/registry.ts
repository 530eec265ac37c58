import { AuditError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { onePerProcess } from '../one-per-process.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'

/** What this room needs to know about the audit that a client's `$audit` belongs to. */
export interface RegisteredAudit {
  /** Where the entries go, outside of transactions. */
  readonly log: Log
  /**
   * Makes the `$audit` of an interactive transaction, whose entries commit with it.
   *
   * @param join returns a client's half in that transaction
   */
  openTransaction(connection: SqlClient, join: (client: object) => object): object
  /** Called when an interactive transaction with writes failed at its end, which no query hook sees. */
  commitFailed(error: unknown): Promise<void>
}

/** By `$audit`: what `$extends` makes of a client inherits it. */
const audits = onePerProcess('audits', () => new WeakMap<object, RegisteredAudit>())

interface MaybeAudited {
  readonly $audit?: object
}

/** Notes that `$audit` belongs to an audited client, or to a transaction of one. */
export function registerAudit($audit: object, audit: RegisteredAudit): void {
  audits.set($audit, audit)
}

/** The audit of a client; undefined when it is not audited. */
export function auditOf(client: MaybeAudited): RegisteredAudit | undefined {
  return client.$audit && audits.get(client.$audit)
}

/** The table that an audited client, or what `$extends` made of it, writes its entries to. */
export function tableOfLog(client: object): TableName | undefined {
  return auditOf(client)?.log.options.table
}

/** @throws AuditError `AUDIT_ALREADY_WRAPPED` */
export function refuseAudited(client: MaybeAudited | undefined): void {
  if (!client || !auditOf(client)) return
  throw new AuditError(
    'AUDIT_ALREADY_WRAPPED',
    'The client is audited already, and a second audit would write every entry twice. Call withAudit once, on the client as PrismaClient or $extends gave it.',
  )
}
