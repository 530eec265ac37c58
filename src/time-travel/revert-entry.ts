import { validate as isUuid } from 'uuid'
import { AuditError } from '../errors.ts'
import { archivedRow } from '../log/archived-log.ts'
import { type AuditEntry, type EntryRow, entryColumns, toEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { spanSql, spansOfId } from '../log/log-spans.ts'
import { questionsTo } from '../log/readable.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { erasedValue } from '../values/erased.ts'
import { isoInstant } from '../values/iso-timestamp.ts'
import { redactedValue } from '../values/redacted.ts'
import type { LoggedRow } from '../values/revive.ts'
import {
  type Key,
  keyAfter,
  keyOfId,
  keyOfRow,
  type LogPosition,
  positionOfPlace,
} from './recorded-changes.ts'

const verbs = ['create', 'update', 'delete', 'connect', 'disconnect'] as const

/** An entry that can be undone, judging by the entry itself. */
export interface RevertibleChange {
  readonly entry: AuditEntry
  /** Where it stands: its Date has milliseconds only. */
  readonly position: LogPosition
  readonly verb: (typeof verbs)[number]
  readonly model: StoredModel
  /** The record's key after the change: an update may have changed it. */
  readonly key: Key
  /** Empty if the entry has none. */
  readonly before: LoggedRow
  readonly after: LoggedRow
  /** The fields that an update changed, as the entry shows them. */
  readonly changed: readonly string[]
  /** For connect and disconnect: the field that leads to the other record. */
  readonly link: RevertibleLink | undefined
}

export interface RevertibleLink {
  readonly relation: string
  readonly target: StoredModel
  readonly targetKey: Key
}

/**
 * Reads an entry and what it says about a record.
 *
 * @throws AuditError `AUDIT_REVERT_REFUSED` when it is not a change that can be undone
 */
export async function readChange(log: Log, entryId: unknown): Promise<RevertibleChange> {
  const { entry, position } = await findEntry(log, entryId)
  const { action, resource, outcome, before, after } = entry
  const verb = verbs.find((one) => action === `${resource.type}.${one}`)
  if (!verb) throw refuse(entry, 'it is not a change of a record')
  if (outcome !== 'success') throw refuse(entry, 'that change failed, so there is nothing to undo')
  refuseErased(entry)
  if (entry.archivedIn !== undefined && (await isErasedSince(log, entry))) throw refuse(entry, gone)
  const model = await modelOf(log, entry, resource.type)
  const key =
    resource.id === null ? undefined : keyAfterChange(verb, model, { id: resource.id, before, after })
  if (!key || key.includes(redactedValue)) {
    throw refuse(entry, 'it does not hold the whole primary key, so the record cannot be found')
  }
  const change: RevertibleChange = {
    ...{ entry, position, verb, model, key },
    before: before ?? {},
    after: after ?? {},
    changed: entry.changes.map(({ field }) => field),
    link: verb === 'connect' || verb === 'disconnect' ? await linkIn(log, entry, model) : undefined,
  }
  if ((verb === 'update' || verb === 'delete') && !before) throw refuse(entry, 'it holds no state before')
  if (verb === 'update' || verb === 'delete') checkRestorable(change)
  return change
}

/** Why an entry can't be undone. */
export function refuse(entry: { readonly id: string; readonly action?: string }, reason: string): AuditError {
  const what = entry.action === undefined ? '' : ` (${entry.action})`
  return new AuditError(
    'AUDIT_REVERT_REFUSED',
    `The entry ${entry.id}${what} can't be undone: ${reason}. Nothing was written.`,
  )
}

/** Without the values, it is not known what to restore, nor whether the record has changed since. */
function refuseErased(entry: AuditEntry): void {
  const { resource, before, after, details } = entry
  if (!details?.erasure) return
  const target = (details.target as { id?: unknown } | null | undefined)?.id
  const values = [resource.id, target, ...Object.values(before ?? {}), ...Object.values(after ?? {})]
  if (values.includes(erasedValue)) throw refuse(entry, gone)
}

const gone = 'values of it were erased from the log, for good'

/** The archive has an entry as it was when it was archived. */
async function isErasedSince(log: Log, { id, actor, resource }: AuditEntry): Promise<boolean> {
  const subjects = [{ actor: actor.id }, { resource: resource.type, id: resource.id }]
  const erasures = await questionsTo(log).query(
    `SELECT 1 FROM ${quoteTable(log.options.table)} WHERE action = 'auditLog.erase' AND (pg_catalog.jsonb_exists(details->'erased', $1::text)
       OR details->'subject' IN ($2::text::jsonb, $3::text::jsonb)) LIMIT 1`,
    ...[id, ...subjects.map((subject) => JSON.stringify(subject))],
  )
  if (erasures.length > 0) return true
  const conditions = { actions: ['auditLog.erase'], resourceType: 'auditLog', text: id }
  const archived = await log.archive?.find({ conditions, order: 'newest', count: 1 })
  return archived !== undefined && archived.entries.length > 0
}

async function findEntry(log: Log, entryId: unknown): Promise<{ entry: AuditEntry; position: LogPosition }> {
  const id = String(entryId)
  if (!isUuid(id)) throw refuse({ id }, 'the id of an entry is a UUID')
  const { table } = log.options
  const connection = questionsTo(log)
  for (const span of await spansOfId(table, connection, id)) {
    const [row] = await connection.query<EntryRow & { at: string }>(
      `SELECT ${entryColumns}, ${isoInstant('"timestamp"')} AS at FROM ${spanSql(table, span)} AS l WHERE id = $1::uuid`,
      id,
    )
    if (row) return { entry: toEntry(row), position: { at: row.at, seq: row.seq } }
  }
  const [archived] = (await log.archive?.byIds([id])) ?? []
  if (archived) {
    return { entry: toEntry(archivedRow(archived)), position: positionOfPlace(archived.place) }
  }
  throw refuse({ id }, 'the log has no such entry')
}

async function modelOf(log: Log, entry: AuditEntry, resource: string): Promise<StoredModel> {
  const model = await log.models.get(resource, questionsTo(log)).catch((error: unknown) => {
    if (error instanceof AuditError && error.code === 'AUDIT_INVALID_FILTER') return undefined
    throw error
  })
  if (!model) throw refuse(entry, `the client has no model for ${resource}, or its table does not exist`)
  if (!log.options.isTracked(model.name)) {
    throw refuse(entry, `the option models leaves ${model.name} out, so undoing it would not be recorded`)
  }
  return model
}

function keyAfterChange(
  verb: RevertibleChange['verb'],
  model: StoredModel,
  { id, before, after }: { id: string; before: LoggedRow | null; after: LoggedRow | null },
): Key | undefined {
  if (model.key.length === 0) return undefined
  if (verb === 'update') return keyAfter(model, { id, after })
  return keyOfRow(model, verb === 'create' ? after : before) ?? keyOfId(model, id)
}

async function linkIn(log: Log, entry: AuditEntry, model: StoredModel): Promise<RevertibleLink> {
  const { relation, target } = (entry.details ?? {}) as {
    relation?: unknown
    target?: { type?: unknown; id?: unknown }
  }
  if (typeof relation !== 'string' || !model.relations.has(relation)) {
    throw refuse(entry, `${model.name} no longer has a relation ${JSON.stringify(relation)}`)
  }
  const targetModel = await modelOf(log, entry, String(target?.type))
  const targetKey = typeof target?.id === 'string' ? keyOfId(targetModel, target.id) : undefined
  if (!targetKey || targetKey.includes(redactedValue)) {
    throw refuse(entry, 'it does not identify the record at the other end')
  }
  return { relation, target: targetModel, targetKey }
}

/** Checks that every value to restore is known, and that its field still exists. */
function checkRestorable({ entry, verb, model, before, changed }: RevertibleChange): void {
  const names = verb === 'update' ? changed : Object.keys(before)
  const isField = (name: string) => model.scalars.some((field) => field.name === name)
  const lost = names.filter(
    (name) =>
      !isField(name) &&
      !model.generatedColumns.includes(name) &&
      (verb === 'update' || before[name] !== null),
  )
  if (lost.length > 0) throw refuse(entry, `${model.name} no longer has the field ${lost.join(', ')}`)
  const redacted = names.filter((name) => before[name] === redactedValue)
  if (redacted.length > 0) {
    throw refuse(entry, `the log does not hold what was in ${redacted.join(', ')}, because it is redacted`)
  }
  const unknown = names.filter((name) => before[name] === undefined)
  if (unknown.length > 0) throw refuse(entry, `it does not hold what was in ${unknown.join(', ')}`)
  const identity = model.scalars.filter(
    (field) => field.computed === 'identity' && names.includes(field.name),
  )
  if (identity.length > 0) {
    const [{ name } = { name: '' }] = identity
    throw refuse(entry, `the database always generates ${name} itself, and takes no other value for it`)
  }
}
