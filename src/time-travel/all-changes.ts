import type { EntryPlace } from '../archive-contract.ts'
import { type ArchivedEntry, comparePlaces, mergePlaced } from '../log/archived-log.ts'
import type { Log } from '../log/log.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { idOfTexts } from '../values/resource-id.ts'
import type { LoggedRow } from '../values/revive.ts'
import {
  arrivalsAt,
  type Bounds,
  changeActions,
  changesOf,
  type Direction,
  isOf,
  isSameKey,
  type Key,
  keyAfter,
  keyOfId,
  type LogPosition,
  placeOfPosition,
  positionOfPlace,
  type RecordedChange,
} from './recorded-changes.ts'

const pageSize = 200

/** {@link changesOf}, with what has left the table. */
export async function* allChangesOf(
  log: Log,
  model: StoredModel,
  key: Key,
  direction: Direction,
  position: LogPosition,
): AsyncGenerator<RecordedChange> {
  const inTable = changesOf(log, model, key, direction, position)
  if (!log.archive) {
    yield* inTable
    return
  }
  let last = placeOfPosition(position)
  // what lies between two changes of the table is asked for once the second is known: it may have left meanwhile
  for await (const change of inTable) {
    const until = placeOfPosition(change)
    for await (const archived of archivedChanges(log, model, key, direction, last, until)) {
      if (comparePlaces(placeOfPosition(archived), until) !== 0) yield archived
    }
    yield change
    last = until
  }
  yield* archivedChanges(log, model, key, direction, last)
}

async function* archivedChanges(
  { archive }: Log,
  model: StoredModel,
  key: Key,
  direction: Direction,
  after: EntryPlace,
  until?: EntryPlace,
): AsyncGenerator<RecordedChange> {
  const conditions = {
    actions: changeActions(model),
    ...{ resourceType: model.resource, resourceId: idOfTexts(key), outcome: 'success' },
  }
  const order = direction === 'before' ? 'newest' : 'oldest'
  for (let from = after; ; ) {
    const asked = { conditions, order, after: from, until, count: pageSize } as const
    const page = (await archive?.find(asked))?.entries ?? []
    for (const change of page.map(changeIn)) if (isOf(model, key, change)) yield change
    const last = page.at(-1)
    if (!last || page.length < pageSize) return
    from = last.place
  }
}

/** {@link arrivalsAt}, with what has left the table. */
export async function allArrivalsAt(
  log: Log,
  model: StoredModel,
  key: Key,
  bounds: Bounds,
): Promise<RecordedChange[]> {
  const inTable = await arrivalsAt(log, model, key, bounds)
  if (!log.archive) return inTable
  const { after, before } = bounds
  const { entries: found } = await log.archive.find({
    conditions: {
      actions: [`${model.resource}.update`],
      ...{ outcome: 'success', changed: model.key.map(({ name }) => name) },
    },
    ...{ order: 'oldest', after: after && placeOfPosition(after), until: before && placeOfPosition(before) },
  })
  const archived = found
    .map(changeIn)
    .filter(
      (change) =>
        isSameKey(keyAfter(model, change), key) &&
        !isSameKey(keyOfId(model, change.id), key) &&
        !(before && comparePlaces(placeOfPosition(change), placeOfPosition(before)) === 0),
    )
  return mergePlaced(inTable, archived, { placeOf: placeOfPosition, order: 'oldest', count: Infinity })
}

function changeIn({ row, place }: ArchivedEntry): RecordedChange {
  const details = (JSON.parse(row.details ?? '{}') ?? {}) as Record<string, unknown>
  return {
    ...{ ...positionOfPlace(place), id: row.resource_id ?? '' },
    verb: row.action.split('.')[1] as RecordedChange['verb'],
    before: (details.before as LoggedRow | undefined) ?? null,
    after: (details.after as LoggedRow | undefined) ?? null,
    changed: (details.changed as string[] | undefined) ?? null,
  }
}
