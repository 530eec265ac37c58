import type { EntryPlace } from '../archive-contract.ts'
import type { Log } from '../log/log.ts'
import { newestSteps, spanSql, spansOf } from '../log/log-spans.ts'
import { newestCall } from '../log/newest.ts'
import { QueryParameters } from '../log/query-parameters.ts'
import { questionsTo } from '../log/readable.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { quoteLiteral, quoteTable } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { isoInstant, isoMicroseconds, microsecondsOf } from '../values/iso-timestamp.ts'
import { idOfTexts, isCutId } from '../values/resource-id.ts'
import type { LoggedRow } from '../values/revive.ts'

/** A place in the log's order. */
export interface LogPosition {
  /** ISO 8601 with microseconds. */
  readonly at: string
  readonly seq: bigint
}

const changeVerbs = ['create', 'update', 'delete'] as const

/** The actions by which a record changes. */
export function changeActions({ resource }: StoredModel): string[] {
  return changeVerbs.map((verb) => `${resource}.${verb}`)
}

/** An entry that says how a record changed. */
export interface RecordedChange extends LogPosition {
  readonly verb: (typeof changeVerbs)[number]
  readonly id: string
  readonly before: LoggedRow | null
  readonly after: LoggedRow | null
  /** Which fields an update changed. */
  readonly changed: readonly string[] | null
}

/** A place in the log, as an archive has it. */
export function placeOfPosition({ at, seq }: LogPosition): EntryPlace {
  return { microseconds: microsecondsOf(at), seq: BigInt(seq) }
}

export function positionOfPlace({ microseconds, seq }: EntryPlace): LogPosition {
  return { at: isoMicroseconds(microseconds), seq }
}

/** The texts of a record's primary key, in key order. */
export type Key = readonly string[]

const changeColumns = [
  `${isoInstant('"timestamp"')} AS at`,
  "seq, pg_catalog.split_part(action, '.', 2) AS verb, resource_id AS id",
  "details->'before' AS before, details->'after' AS after, details->'changed' AS changed",
].join(', ')

/** How many entries to read at a time: the first is usually enough, since it holds the whole record. */
const pageSizes = { first: 1, next: 200 }

/** Which changes of a record: those before a place, or those from it on. */
export type Direction = 'before' | 'after'

/** The changes recorded under a record's key: before a position, newest first; or from it on, oldest first. */
export async function* changesOf(
  log: Log,
  model: StoredModel,
  key: Key,
  direction: Direction,
  position: LogPosition,
): AsyncGenerator<RecordedChange> {
  const connection = questionsTo(log)
  const record = { model, id: idOfTexts(key) }
  const pages =
    direction === 'before'
      ? pagesBefore(log, connection, record, position)
      : pagesOf(log, connection, record, direction, position)
  for await (const page of pages) {
    for (const change of page) if (isOf(model, key, change)) yield change
  }
}

interface NamedRecord {
  readonly model: StoredModel
  /** As entries have it. */
  readonly id: string
}

/** By the function of a partitioned log, where that is to be had. */
async function* pagesBefore(
  log: Log,
  connection: SqlClient,
  record: NamedRecord,
  position: LogPosition,
): AsyncGenerator<RecordedChange[]> {
  const { table } = log.options
  const steps = await newestSteps(table, connection, { to: Date.parse(position.at) })
  if (!steps) return yield* pagesOf(log, connection, record, 'before', position)
  let before = position
  for (let count = pageSizes.first; ; count = pageSizes.next) {
    const parameters = new QueryParameters()
    const question = {
      ...({ by: 'record', key: [record.model.resource, record.id] } as const),
      ...{ actions: changeActions(record.model), outcome: 'success', before, count },
    }
    const found = newestCall(table, steps, question, parameters)
    const page = await connection.query<RecordedChange>(
      `SELECT ${changeColumns} FROM ${found} AS l ORDER BY "timestamp" DESC, seq DESC`,
      ...parameters.values,
    )
    yield page
    const last = page.at(-1)
    if (!last || page.length < count) return
    before = last
  }
}

async function* pagesOf(
  log: Log,
  connection: SqlClient,
  record: NamedRecord,
  direction: Direction,
  position: LogPosition,
): AsyncGenerator<RecordedChange[]> {
  const [comparison, order] = direction === 'before' ? ['<', 'DESC'] : ['>', 'ASC']
  const actions = changeActions(record.model).map(quoteLiteral)
  const { table } = log.options
  const at = Date.parse(position.at)
  const spans =
    direction === 'before'
      ? await spansOf(table, connection, { to: at })
      : await spansOf(table, connection, { from: at }, 'oldest')
  let size = pageSizes.first
  let from = position
  for (const span of spans) {
    while (true) {
      const page = await connection.query<RecordedChange>(
        `SELECT ${changeColumns} FROM ${spanSql(table, span)} AS l
       WHERE resource_type = $1 AND resource_id = $2
         AND "timestamp" ${comparison}= $3::timestamptz AND ("timestamp", seq) ${comparison} ($3::timestamptz, $4::int8)
         AND action IN (${actions.join(', ')}) AND outcome = 'success'
       ORDER BY "timestamp" ${order}, seq ${order} LIMIT ${size}`,
        ...[record.model.resource, record.id, from.at, from.seq],
      )
      yield page
      const isLast = page.length < size
      from = page.at(-1) ?? from
      size = pageSizes.next
      if (isLast) break
    }
  }
}

/** The places between which something is looked for, neither included. */
export interface Bounds {
  readonly after: LogPosition | undefined
  readonly before: LogPosition | undefined
}

/** Updates that gave a record this key, oldest first. Reads every update of the model between the two positions. */
export async function arrivalsAt(
  log: Log,
  model: StoredModel,
  key: Key,
  { after, before }: Bounds,
): Promise<RecordedChange[]> {
  const names = model.key.map(({ name }) => quoteLiteral(name))
  const isMoved = names.map((name) => `details->'before'->${name} IS DISTINCT FROM details->'after'->${name}`)
  const isHere = names.map(
    // an entry that holds only what changed lacks the parts that did not
    (name, index) => `coalesce(details->'after'->>${name}, $${index + 6}) = $${index + 6}`,
  )
  const found = await questionsTo(log).query<RecordedChange>(
    `SELECT ${changeColumns} FROM ${quoteTable(log.options.table)}
     WHERE action = $1 AND outcome = 'success'
       -- the first two are for the partitions and the index
       AND "timestamp" >= $2::timestamptz AND "timestamp" <= $4::timestamptz
       AND ("timestamp", seq) > ($2::timestamptz, $3::int8) AND ("timestamp", seq) < ($4::timestamptz, $5::int8)
       AND (${isMoved.join(' OR ')}) AND ${isHere.join(' AND ')}
     ORDER BY "timestamp", seq`,
    `${model.resource}.update`,
    ...[after?.at ?? '-infinity', after?.seq ?? 0n, before?.at ?? 'infinity', before?.seq ?? 0n],
    ...key,
  )
  return found.filter((change) => isSameKey(keyAfter(model, change), key))
}

/** The key that a record has after a change; undefined when the entry does not say. */
export function keyAfter(model: StoredModel, change: Pick<RecordedChange, 'id' | 'after'>): Key | undefined {
  const before = keyOfId(model, change.id)
  const texts = model.key.map(({ name }, index) => {
    const value = change.after?.[name]
    return value === undefined ? before?.[index] : textOf(value)
  })
  return texts.every((text) => text !== undefined) ? texts : undefined
}

/** The texts that a `resource_id` is made of; undefined for one that was cut. */
export function keyOfId(model: StoredModel, id: string): Key | undefined {
  if (isCutId(id)) return undefined
  if (model.key.length === 1) return [id]
  try {
    const texts: unknown = JSON.parse(id)
    return Array.isArray(texts) && texts.length === model.key.length ? texts.map(String) : undefined
  } catch {
    return undefined // the model had a different key then
  }
}

/** The texts of the key in a whole row; undefined when a part is missing. */
export function keyOfRow(model: StoredModel, row: LoggedRow | null): Key | undefined {
  const values = model.key.map(({ name }) => row?.[name])
  return values.every((value) => value !== undefined && value !== null) ? values.map(textOf) : undefined
}

export function isSameKey(one: Key | undefined, other: Key): boolean {
  return one?.every((text, index) => text === other[index]) ?? false
}

/** Whether an entry holds the whole record, not only what changed. */
export function isWhole({ verb, after, changed }: RecordedChange): boolean {
  return verb !== 'update' || (changed !== null && Object.keys(after ?? {}).length > changed.length)
}

/** `resource_id` holds 255 characters, so two long keys may share one; then the rows decide. */
export function isOf(model: StoredModel, key: Key, { id, before, after }: RecordedChange): boolean {
  const own = isCutId(id) ? keyOfRow(model, before ?? after) : undefined
  return own === undefined || isSameKey(own, key)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
