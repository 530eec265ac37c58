import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import type { AuditEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { questionsTo, unansweredQuestion } from '../log/readable.ts'
import type { ModelName, ModelState } from '../models/model-types.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { redactedValue } from '../values/redacted.ts'
import { idOfTexts, keyIn, keyTexts } from '../values/resource-id.ts'
import { reviveRow } from '../values/revive.ts'
import { type Key, keyOfId, type LogPosition } from './recorded-changes.ts'
import { type RevertOptions, revert } from './revert.ts'
import { recordAt } from './state-at.ts'

/** The part of `$audit` that returns a record as it was, and undoes a change. */
export interface TimeTravel<Client> {
  /**
   * A record as it was, with the values that Prisma returns; null before its creation and after its deletion. A record
   * older than the log is as its first entry found it or, if it never changed, as it is now.
   *
   * A redacted field is `"[redacted]"`, an erased one `"[erased]"`; one that a later migration added is null (a list is empty); one that the option
   * `ignore` names has the value of the last entry.
   *
   * @param id the primary key; for a composite one, the object that Prisma takes
   * @param date a Date, which includes its whole millisecond, or ISO 8601 with `Z` or an offset
   * @throws AuditError `AUDIT_INVALID_FILTER` for a model that is not in the client or not in the log, an id that is
   * not the whole key, or an invalid date; `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE` without an answer of the log
   *
   * @example
   * ```ts
   * const user = await prisma.$audit.stateAt('User', 42, '2026-03-01T12:00:00Z')
   * const shelf = await prisma.$audit.stateAt('Shelf', { warehouseCode: 'A', number: 1 }, entry.timestamp)
   * ```
   */
  stateAt<Model extends ModelName<Client>>(
    model: Model,
    id: string | number | bigint | Date | Uint8Array | object,
    date: Date | string,
  ): Promise<ModelState<Client, Model> | null>

  /**
   * Undoes one change through the audited client, in one transaction: restores the fields that an update changed,
   * creates a deleted record again with its id, deletes a created one, links or unlinks. Its own entries have
   * `details.revertOf`. On the `$audit` of a transaction, it commits with the transaction.
   *
   * @param entryId `id` of the entry that recorded the change
   * @returns the entries that it wrote, those of the record itself first
   * @throws AuditError `AUDIT_REVERT_CONFLICT` when the record has changed since in those fields; `conflicts` lists
   * them, and `force: true` undoes the change anyway. `AUDIT_REVERT_REFUSED` when it can't be undone: no such entry,
   * redacted or erased values, fields that are gone. `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE` without an answer of the log.
   * Prisma's own errors, such as a foreign key that no longer holds
   *
   * @example
   * ```ts
   * const { entries } = await prisma.$audit.history('User', 42)
   * await prisma.$audit.revert(entries[0].id)
   * ```
   */
  revert(entryId: string, options?: RevertOptions): Promise<AuditEntry[]>
}

export function createTimeTravel<Client>(log: Log): TimeTravel<Client> {
  return {
    async stateAt(name, id, date) {
      const position = positionOf(date)
      const model = await log.models.get(name, questionsTo(log))
      const state = await recordAt(log, model, keyOf(log, model, id), position)
      return state && (reviveRow(model, state) as ModelState<Client, typeof name>)
    },
    async revert(entryId, options = {}) {
      if (log.isTransaction) return revert(log, entryId, options)
      const client = log.client() as TransactionalClient
      let hasBegun = false
      const reverting = client.$transaction((tx) => {
        hasBegun = true
        return tx.$audit.revert(entryId, options)
      })
      return reverting.catch((error: unknown) => {
        throw hasBegun || error instanceof AuditError ? error : unansweredQuestion(error, log.options.table)
      })
    },
  }
}

interface TransactionalClient {
  $transaction<T>(work: (tx: { readonly $audit: TimeTravel<unknown> }) => Promise<T>): Promise<T>
}

function keyOf({ options }: Log, model: StoredModel, id: unknown): Key {
  const fail = (state: string) => new AuditError('AUDIT_INVALID_FILTER', state)
  const names = model.key.map(({ name }) => name)
  if (names.length === 0) {
    throw fail(`The model ${model.name} has no primary key, so its records can't be told apart in the log.`)
  }
  if (!options.isTracked(model.name)) {
    throw fail(
      `The model ${model.name} is not in the log, because of the option models, so nothing is known about its past.`,
    )
  }
  if (names.some((name) => options.isRedacted(model.name, name))) {
    throw fail(
      `The primary key of ${model.name} is redacted (its records are all ${redactedValue}), so the log can't find one.`,
    )
  }
  const values = keyIn(model, id) ?? keyIn(model, { [names[0] ?? '']: id })
  // the text of an entry's resource.id
  const texts = values ? keyTexts(model, values) : typeof id === 'string' ? keyOfId(model, id) : undefined
  if (texts === undefined) {
    throw fail(
      `The id of a ${model.name} is its primary key: give ${names.join(' and ')}, each with a value.`,
    )
  }
  if (idOfTexts(texts).includes('\0')) {
    throw fail(`The id of a ${model.name} can't contain the character with code zero.`)
  }
  return texts
}

const instant = z.union([z.iso.date(), z.iso.datetime({ offset: true })])

/**
 * Where the entries up to a date end. A date without microseconds means its whole millisecond, so that an entry's own
 * timestamp, which JavaScript has in milliseconds, includes that entry.
 */
function positionOf(date: unknown): LogPosition {
  const text = date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : date
  const parsed = z.safeParse(instant, text)
  const milliseconds = parsed.success ? Date.parse(parsed.data) : Number.NaN
  if (!parsed.success || Number.isNaN(milliseconds)) {
    throw new AuditError(
      'AUDIT_INVALID_FILTER',
      'The date is not a valid Date, nor ISO 8601 with Z or an offset, such as 2026-03-01T12:00:00Z.',
    )
  }
  const digits = /\.\d{3}(\d{1,3})/.exec(parsed.data)?.[1]
  if (digits === undefined) return { at: `${isoWithoutZone(milliseconds + 1)}000Z`, seq: 0n }
  const microseconds = Number(digits.padEnd(3, '0')) + 1
  const at =
    microseconds === 1000
      ? `${isoWithoutZone(milliseconds + 1)}000Z`
      : `${isoWithoutZone(milliseconds)}${String(microseconds).padStart(3, '0')}Z`
  return { at, seq: 0n }
}

/** `2026-03-01T12:00:00.000`, without the zone. */
function isoWithoutZone(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, -1)
}
