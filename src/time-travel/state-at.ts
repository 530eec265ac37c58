import type { Log } from '../log/log.ts'
import type { StoredModel } from '../models/stored-models.ts'
import type { LoggedRow } from '../values/revive.ts'
import { allArrivalsAt, allChangesOf } from './all-changes.ts'
import { currentRow } from './current-row.ts'
import {
  isSameKey,
  isWhole,
  type Key,
  keyAfter,
  type LogPosition,
  type RecordedChange,
} from './recorded-changes.ts'

/** What is known about a record: field → value in the log's JSON. */
type Known = Map<string, unknown>

/**
 * The record with a key as it was at a position of the log. A field has the value that the last change before left in
 * it, or else the one that the first change after found, or else the current one.
 *
 * @returns null when there was none
 */
export async function recordAt(
  log: Log,
  model: StoredModel,
  key: Key,
  position: LogPosition,
): Promise<ReadonlyMap<string, unknown> | null> {
  const known: Known = new Map()
  const past = await foldPast(log, model, key, position, known)
  if (past.state === 'whole') return known
  if (past.state === 'absent') {
    const found = await findUnseen(log, model, key, position, past.since, known)
    if (found === 'absent') return null
    if (found === 'whole') return known
  }
  return foldFuture(log, model, key, position, known)
}

/** Goes back in the record's own entries until one holds the whole record. */
async function foldPast(
  log: Log,
  model: StoredModel,
  key: Key,
  position: LogPosition,
  known: Known,
): Promise<{ state: 'whole' | 'part' } | { state: 'absent'; since: LogPosition | undefined }> {
  let state: 'part' | 'absent' = 'absent'
  for await (const change of allChangesOf(log, model, key, 'before', position)) {
    if (change.verb === 'delete' || leaves(model, key, change)) {
      return state === 'part' ? { state } : { state, since: change }
    }
    learn(known, change.after)
    if (isWhole(change)) return { state: 'whole' }
    state = 'part'
  }
  return state === 'part' ? { state } : { state, since: undefined }
}

/**
 * Whether a record without earlier entries existed: it had another key, with entries of its own, or it is older than
 * the log.
 */
async function findUnseen(
  log: Log,
  model: StoredModel,
  key: Key,
  position: LogPosition,
  absentSince: LogPosition | undefined,
  known: Known,
): Promise<'whole' | 'part' | 'absent'> {
  // the row is read first, so a change in between is among the entries
  const row = await currentRow(log, model, key)
  const { value: next } = await allChangesOf(log, model, key, 'after', position).next()
  if (next ? next.verb === 'create' : row === undefined) return 'absent'
  const arrivals = await allArrivalsAt(log, model, key, { after: absentSince, before: next ?? undefined })
  const arrival = arrivals.findLast((change) => isBefore(change, position))
  if (!arrival) return arrivals.length > 0 || absentSince ? 'absent' : 'part'
  learn(known, arrival.after)
  return isWhole(arrival) ? 'whole' : 'part'
}

/**
 * Goes forward, following changes of the key, until an entry holds the whole record as it found it, or to the current
 * row.
 */
async function foldFuture(
  log: Log,
  model: StoredModel,
  key: Key,
  position: LogPosition,
  known: Known,
): Promise<Known> {
  const row = await currentRow(log, model, key)
  for await (const change of allChangesOf(log, model, key, 'after', position)) {
    if (change.verb === 'create') return known // it was deleted in between, without an entry
    learn(known, change.before)
    if (isWhole(change) || model.scalars.every(({ name }) => known.has(name))) return known
    const next = keyAfter(model, change)
    if (next && !isSameKey(next, key)) return foldFuture(log, model, next, change, known)
  }
  learn(known, row ?? null)
  return known
}

function leaves(model: StoredModel, key: Key, change: RecordedChange): boolean {
  if (change.verb !== 'update') return false
  const after = keyAfter(model, change)
  return after !== undefined && !isSameKey(after, key)
}

function learn(known: Known, row: LoggedRow | null): void {
  for (const [field, value] of Object.entries(row ?? {})) if (!known.has(field)) known.set(field, value)
}

function isBefore(one: LogPosition, other: LogPosition): boolean {
  return one.at === other.at ? one.seq < other.seq : one.at < other.at
}
