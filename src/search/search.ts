import type { AuditEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import type { ModelName, RecordId } from '../models/model-types.ts'
import { parseFilter, parseSince, parseSpan, type SearchFilter } from './filter.ts'
import { type AuditPage, type PageOptions, readAuditPage } from './page.ts'
import { streamEntries } from './stream.ts'

/**
 * The part of `$audit` that answers questions. Pages are newest first; inside an interactive transaction, `tx.$audit`
 * also sees what the transaction has written.
 */
export interface AuditSearch<Client> {
  /**
   * What happened to one record, reads included: those of several records that gave this one have their ids in
   * `details.ids`.
   *
   * @param id the primary key: its value, or the object that `findUnique` takes
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const { entries, nextCursor } = await prisma.$audit.history('Order', 42, { limit: 20 })
   * const item = await prisma.$audit.history('OrderItem', { orderId: 42, productId: 7 })
   * ```
   */
  history<Model extends ModelName<Client>>(
    model: Model,
    id: RecordId<Client, Model>,
    page?: PageOptions,
  ): Promise<AuditPage>

  /**
   * Who read one record: every action `*.read`, whatever else the read gave. See the option `reads`.
   *
   * @param id as {@link AuditSearch.history} takes it
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const { entries } = await prisma.$audit.accesses('Patient', 42)
   * for (const { actor, timestamp } of entries) console.log(actor.id, timestamp)
   * ```
   */
  accesses<Model extends ModelName<Client>>(
    model: Model,
    id: RecordId<Client, Model>,
    page?: PageOptions,
  ): Promise<AuditPage>

  /**
   * What one actor did.
   *
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const { entries } = await prisma.$audit.activity('ada')
   * ```
   */
  activity(actorId: string, page?: PageOptions): Promise<AuditPage>

  /**
   * Entries that meet all conditions given. Conditions on a record, an actor, an organization, an action, a transaction
   * or a time span use an index. Any others alone check one entry after another, from the newest on, until the page is
   * full; `requestId` alone reads the whole log.
   *
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const page = await prisma.$audit.search({ action: 'user.*', changed: 'email', from: '2026-11-01' })
   * const next = await prisma.$audit.search(sameFilter, { cursor: page.nextCursor ?? undefined })
   * ```
   */
  search(filter: SearchFilter<ModelName<Client>> | SearchFilter, page?: PageOptions): Promise<AuditPage>

  /**
   * Logins that failed: `user.login` with the outcome failure, as `logLogin` records them.
   *
   * @param span `since` inclusive, `until` exclusive
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const hourAgo = new Date(Date.now() - 3_600_000)
   * const { entries } = await prisma.$audit.failedLogins({ since: hourAgo })
   * ```
   */
  failedLogins(
    span: { since: Date | string; until?: Date | string | undefined },
    page?: PageOptions,
  ): Promise<AuditPage>

  /**
   * Who exported data: every action `*.export`.
   *
   * @param span `from` inclusive, `to` exclusive; without them, all time
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const { entries } = await prisma.$audit.exports({ from: '2026-01-01', to: '2027-01-01' })
   * ```
   */
  exports(
    span?: { from?: Date | string | undefined; to?: Date | string | undefined },
    page?: PageOptions,
  ): Promise<AuditPage>

  /**
   * What was committed together with an entry.
   *
   * @param id an entry's `transactionId`
   * @throws AuditError `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`
   *
   * @example
   * ```ts
   * const { entries } = await prisma.$audit.transaction(entry.transactionId)
   * ```
   */
  transaction(id: bigint | number | string, page?: PageOptions): Promise<AuditPage>

  /**
   * All entries that meet a filter, newest first, in constant memory, for exports and reports. Entries committed while
   * it runs are newer than what it reads, and not included.
   *
   * @throws AuditError `AUDIT_INVALID_FILTER` at the call
   *
   * @example
   * ```ts
   * for await (const entry of prisma.$audit.stream({ from: '2026-01-01' })) {
   *   file.write(`${entry.timestamp.toISOString()} ${entry.actor.id} ${entry.action}\n`)
   * }
   * ```
   */
  stream(filter: SearchFilter<ModelName<Client>> | SearchFilter): AsyncIterable<AuditEntry>
}

export function createAuditSearch<Client>(log: ReadableLog): AuditSearch<Client> {
  const recordFilter = async (model: unknown, id: unknown) => {
    const { name } = await log.models.get(model, log.connection)
    return parseFilter({ resource: { type: name, id: id ?? null } })
  }
  return {
    history: async (model, id, page = {}) =>
      readAuditPage(log, 'history', await recordFilter(model, id), page),
    accesses: async (model, id, page = {}) =>
      readAuditPage(log, 'accesses', { ...(await recordFilter(model, id)), action: ['*.read'] }, page),
    activity: async (actorId, page = {}) =>
      readAuditPage(log, 'activity', parseFilter({ actor: { id: actorId ?? null } }), page),
    search: async (filter, page = {}) => readAuditPage(log, 'search', parseFilter(filter), page),
    failedLogins: async (span, page = {}) =>
      readAuditPage(
        log,
        'failedLogins',
        { ...parseSince(span), action: ['user.login'], outcome: 'failure' },
        page,
      ),
    exports: async (span = {}, page = {}) =>
      readAuditPage(log, 'exports', { ...parseSpan(span), action: ['*.export'] }, page),
    transaction: async (id, page = {}) =>
      readAuditPage(log, 'transaction', parseFilter({ transactionId: id ?? null }), page),
    stream: (filter) => streamEntries(log, parseFilter(filter)),
  }
}
