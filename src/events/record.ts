import { currentContext } from '../attribution.ts'
import { type Actor, mergeContexts } from '../context/context.ts'
import { AuditError } from '../errors.ts'
import { newId } from '../id.ts'
import type { AuditEntry } from '../log/entry.ts'
import { type NewEntry, writeEntries } from '../log/insert.ts'
import type { Log } from '../log/log.ts'
import { refuseWithoutPartition } from '../log/log-partitions.ts'
import { refusedEvent, swallowedEvent } from '../log/write-error.ts'
import { changeDetails, type DataChange, eventDetails, reasonIn } from './details.ts'
import { type AuditEvent, type Identifier, parseEvent } from './event.ts'

/** The part of `$audit` that records events other than data changes. */
export interface EventRecorder {
  /**
   * Records an event and returns its stored entry. On `tx.$audit` of an interactive transaction, the entry commits with
   * the transaction.
   *
   * With `{ queue: true }` the event is written later, in a batch, and survives a rollback; the promise resolves when
   * the queue has taken it, and waits while the queue is full. An event that then can't be written goes to the option
   * `onError`.
   *
   * Resource types and actions may name a model as in the schema (`OrderItem.refund`); the log has `orderItem`.
   *
   * @throws AuditError `AUDIT_INVALID_EVENT`, `AUDIT_INVALID_CONTEXT` or `AUDIT_ACTOR_REQUIRED` before anything is
   * written; `AUDIT_TABLE_MISSING` or `AUDIT_NOT_WRITTEN` when the database refuses the entry
   *
   * @example
   * ```ts
   * const entry = await prisma.$audit.record({
   *   action: 'report.export',
   *   resource: { type: 'report', id: 'q3' },
   *   details: { format: 'pdf' },
   * })
   * await prisma.$audit.record({ action: 'search.run', details: { terms } }, { queue: true })
   * ```
   */
  record(event: AuditEvent, options: { queue: true }): Promise<void>
  record(event: AuditEvent, options?: { queue?: false }): Promise<AuditEntry>

  /**
   * Records `user.login` with the user as actor. The reason of a failure is `details.reason`, which the entry has as its
   * `reason` and not in its details, or else "login failed".
   *
   * @throws AuditError as {@link EventRecorder.record}
   *
   * @example
   * ```ts
   * await prisma.$audit.logLogin(user.id, false, { reason: 'wrong password', method: 'password' })
   * ```
   */
  logLogin(userId: Identifier, success: boolean, details?: Record<string, unknown>): Promise<AuditEntry>

  /**
   * Records `<type>.read` by a user.
   *
   * @throws AuditError as {@link EventRecorder.record}
   *
   * @example
   * ```ts
   * await prisma.$audit.logDataAccess(doctor.id, 'Patient', patient.id)
   * ```
   */
  logDataAccess(actorId: Identifier, resourceType: string, resourceId: Identifier): Promise<AuditEntry>

  /**
   * Records `<type>.<verb>` by a user, with the record before and after and the fields that differ. For changes that
   * don't go through the client: in another system, or by a trigger. A field that only one of them has counts as
   * changed.
   *
   * @throws AuditError as {@link EventRecorder.record}
   *
   * @example
   * ```ts
   * await prisma.$audit.logDataChange(user.id, 'invoice', 42, 'approve', {
   *   before: { state: 'open' },
   *   after: { state: 'approved' },
   * })
   * ```
   */
  logDataChange(
    actorId: Identifier,
    resourceType: string,
    resourceId: Identifier,
    verb: string,
    change: DataChange,
  ): Promise<AuditEntry>

  /**
   * Records `<type>.export` by the actor of the context.
   *
   * @throws AuditError as {@link EventRecorder.record}
   *
   * @example
   * ```ts
   * await prisma.$audit.logExport('Patient', { format: 'csv', rows: 1200 })
   * ```
   */
  logExport(resourceType: string, details?: Record<string, unknown>): Promise<AuditEntry>

  /**
   * Waits until every entry that was queued before is written, or was given to `onError`. `$disconnect()` does the same.
   *
   * @throws AuditError `AUDIT_NOT_WRITTEN` when entries could not be written and no `onError` took them; `cause` is an
   * AggregateError with one AuditError for each
   *
   * @example
   * ```ts
   * process.on('SIGTERM', async () => {
   *   await prisma.$audit.flush()
   *   process.exit()
   * })
   * ```
   */
  flush(): Promise<void>
}

export function createEventRecorder(log: Log): EventRecorder {
  async function record(event: AuditEvent, options: { queue: true }): Promise<void>
  async function record(event: AuditEvent, options?: { queue?: false }): Promise<AuditEntry>
  // biome-ignore lint/suspicious/noConfusingVoidType: what the two forms return
  async function record(event: AuditEvent, options?: { queue?: boolean }): Promise<AuditEntry | void> {
    const entry = entryOf(log, event)
    if (options?.queue) await log.queue.add(entry)
    else return writeEvent(log, entry)
  }
  // in JavaScript the names may not be text: then there is no action, and the event is refused for that
  const actionOf = (type: string, verb: string) =>
    typeof type === 'string' && typeof verb === 'string'
      ? `${log.models.find(type)?.resource ?? type}.${verb}`
      : ''
  return {
    record,
    logLogin: async (userId, success, details) =>
      record({
        action: 'user.login',
        actor: user(userId),
        resource: { type: 'user', id: userId },
        ...(success ? { details } : { outcome: 'failure', ...failedLogin(details) }),
      }),
    logDataAccess: async (actorId, type, id) =>
      record({ action: actionOf(type, 'read'), actor: user(actorId), resource: { type, id } }),
    logDataChange: async (actorId, type, id, verb, change) =>
      record({
        action: actionOf(type, verb),
        actor: user(actorId),
        resource: { type, id },
        details: changeDetails(log, type, verb, change),
      }),
    logExport: async (type, details) =>
      record({ action: actionOf(type, 'export'), resource: { type }, details }),
    flush: () => log.flush(),
  }
}

/** The reason of a failed login, and the details that say more than it. */
function failedLogin(details: Record<string, unknown> | undefined): Pick<AuditEvent, 'reason' | 'details'> {
  const reason = reasonIn(details)
  if (reason === undefined) return { reason: 'login failed', details }
  const { reason: _, ...others } = details as Record<string, unknown>
  return { reason, details: Object.keys(others).length > 0 ? others : undefined }
}

/** Anything other than an id is left unchanged, to be refused with the event. */
function user(id: Identifier): Actor {
  return { id: typeof id === 'bigint' || Number.isFinite(id) ? String(id) : (id as string), type: 'user' }
}

/** The event's own values, and the context's for those it lacks. */
function entryOf(log: Log, event: AuditEvent): NewEntry {
  const { action, resource, outcome, details, ...said } = parseEvent(event)
  const { context: around, hasActor } = currentContext(log.options)
  if (log.options.requireActor && !hasActor && !said.actor) {
    throw new AuditError(
      'AUDIT_ACTOR_REQUIRED',
      'An event has no actor, and the option requireActor is set. Nothing was written. Name the actor in the event, or record it inside withAuditContext({ actor: { id, type } }, …).',
    )
  }
  const context = { ...mergeContexts(around, said), actor: said.actor ?? around.actor }
  const [actionResource = '', verb] = action.split('.')
  const type = resource?.type ?? actionResource
  const model = log.models.find(type)
  return {
    id: newId(),
    action: `${log.models.find(actionResource)?.resource ?? actionResource}.${verb}`,
    resourceType: model?.resource ?? type,
    resourceId: resource?.id ?? null,
    outcome,
    reason: context.reason ?? null,
    details: eventDetails(log, model?.name, details, context.metadata),
    context,
  }
}

async function writeEvent(log: Log, entry: NewEntry): Promise<AuditEntry> {
  const { table } = log.options
  const [stored] = await writeEntries(table, log.connection, [entry]).catch(async (error: unknown) => {
    await refuseWithoutPartition(log, error)
    throw refusedEvent(error, entry, table)
  })
  if (!stored) throw swallowedEvent(entry, table)
  return stored
}
