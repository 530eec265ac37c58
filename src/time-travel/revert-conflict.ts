import { isDeepStrictEqual } from 'node:util'
import { AuditError, type RevertConflict } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { questionsTo } from '../log/readable.ts'
import { quoteLiteral, quoteTable } from '../postgres/identifiers.ts'
import { redactedValue } from '../values/redacted.ts'
import { idOfTexts } from '../values/resource-id.ts'
import type { LoggedRow } from '../values/revive.ts'
import { placeOfPosition } from './recorded-changes.ts'
import type { RevertibleChange } from './revert-entry.ts'

/**
 * Compares fields with what the entry left in them. Prisma's `@updatedAt` and fields of the option `ignore` change with
 * every update, so they are no conflict. Nor are columns that the database computes.
 *
 * @param row the record as it is now
 * @throws AuditError `AUDIT_REVERT_CONFLICT`
 */
export async function checkUnchanged(
  log: Log,
  change: RevertibleChange,
  row: LoggedRow | undefined,
  names: readonly string[],
): Promise<void> {
  const { model, after } = change
  if (!row) throw conflictOf(change, 'is no longer there', keyConflicts(change, after, {}))
  const conflicts: RevertConflict[] = []
  for (const field of model.scalars) {
    const { name } = field
    if (!names.includes(name) || after[name] === undefined || field.computed === 'generated') continue
    if (isVolatile(log, change, name)) continue
    const isUnchanged =
      after[name] === redactedValue
        ? row[name] !== null && !(await isChangedLater(log, change, name))
        : isDeepStrictEqual(after[name], row[name])
    if (isUnchanged) continue
    const found = log.options.isRedacted(model.name, name) && row[name] !== null ? redactedValue : row[name]
    conflicts.push({ field: name, expected: after[name], found })
  }
  if (conflicts.length > 0) throw conflictOf(change, 'has changed since', conflicts)
}

/** A deleted record exists again. */
export function existsAgain(change: RevertibleChange, row: LoggedRow): AuditError {
  return conflictOf(change, 'is there again', keyConflicts(change, {}, row))
}

/** A link is already as undoing the change would make it. */
export function linkConflict(change: RevertibleChange): AuditError {
  const { verb, link } = change
  const isLinked = verb === 'disconnect'
  const state = `is ${isLinked ? 'linked again' : 'no longer linked'} to ${link?.target.resource} ${idOfTexts(link?.targetKey ?? [])}`
  const target = link && idOfTexts(link.targetKey)
  return conflictOf(change, state, [
    { field: link?.relation ?? '', expected: isLinked ? null : target, found: isLinked ? target : null },
  ])
}

/** Whether a field changes by itself with every update. */
export function isVolatile({ options }: Log, { model }: RevertibleChange, name: string): boolean {
  return (
    options.isIgnored(model.name, name) ||
    model.scalars.some((field) => field.name === name && field.isUpdatedAt)
  )
}

function keyConflicts({ model }: RevertibleChange, expected: LoggedRow, found: LoggedRow): RevertConflict[] {
  return model.key.map(({ name: field }) => ({
    field,
    expected: expected[field] ?? null,
    found: found[field] ?? null,
  }))
}

function conflictOf(
  { entry, key, model }: RevertibleChange,
  state: string,
  conflicts: readonly RevertConflict[],
): AuditError {
  const list = conflicts.map(
    ({ field, expected, found }) => `${field}: expected ${brief(expected)}, found ${brief(found)}`,
  )
  return new AuditError(
    'AUDIT_REVERT_CONFLICT',
    `The entry ${entry.id} (${entry.action}) was not undone, because ${model.resource} ${idOfTexts(key)} ${state}. ${list.join('; ')}. Nothing was written. Look at the record's history; { force: true } undoes the change anyway.`,
    { conflicts },
  )
}

function brief(value: unknown): string {
  const text = Array.from(JSON.stringify(value))
  return text.length > 100 ? `${text.slice(0, 100).join('')}…` : text.join('')
}

/** The log does not hold redacted values, but it lists the field whenever it changes. */
async function isChangedLater(
  log: Log,
  { position, model, key }: RevertibleChange,
  field: string,
): Promise<boolean> {
  const [table, id] = [quoteTable(log.options.table), idOfTexts(key)]
  const later = await questionsTo(log).query(
    `SELECT 1 FROM ${table}
     WHERE resource_type = $1 AND resource_id = $2 AND action = ${quoteLiteral(`${model.resource}.update`)}
       AND "timestamp" >= $3::timestamptz -- for the partitions
       AND outcome = 'success' AND ("timestamp", seq) > ($3::timestamptz, $4::int8)
       AND pg_catalog.jsonb_exists(details->'changed', $5) LIMIT 1`,
    ...[model.resource, id, position.at, position.seq, field],
  )
  if (later.length > 0) return true
  const archived = await log.archive?.find({
    conditions: {
      actions: [`${model.resource}.update`],
      ...{ resourceType: model.resource, resourceId: id, outcome: 'success', changed: [field] },
    },
    ...{ order: 'oldest', after: placeOfPosition(position), count: 1 },
  })
  return archived !== undefined && archived.entries.length > 0
}
