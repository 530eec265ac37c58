import { AuditError } from '../errors.ts'
import { newId } from '../id.ts'
import type { Call } from '../log/call.ts'
import { deliver } from '../log/deliver.ts'
import type { NewEntry } from '../log/insert.ts'
import type { Log } from '../log/log.ts'
import { resourceOf } from '../models/data-model.ts'
import type { StoredModel } from '../models/stored-models.ts'
import { resourceId } from '../values/resource-id.ts'
import { type Found, readResult, selectionAt } from './result.ts'
import { type Selectable, type Selection, select } from './selection.ts'

/** An entry lists this many ids at most; a larger result has several entries. */
const idsOfAnEntry = 1_000

const readOperations = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
])
const returningOperations = new Set([
  ...['create', 'update', 'upsert', 'delete'],
  ...['createManyAndReturn', 'updateManyAndReturn'],
])

/** A read that is to be recorded. */
export interface RecordedRead {
  /** The call's arguments, which also select the keys that the entries need. */
  readonly args: unknown
  /** Records what was read; returns the result as an unaudited call would. */
  finish(result: unknown): Promise<unknown>
  /** Records that an `…OrThrow` found nothing; any other failed read has nothing to record. */
  fail(error: unknown): Promise<void>
}

/**
 * Looks for recorded reads in a call: of the called model, and of those that it selects or includes at any depth, also
 * in what a write returns. Counts, aggregates and groups return no records, so they are not reads.
 *
 * @returns undefined when the call reads nothing whose reads are recorded
 * @throws AuditError `AUDIT_ACTOR_REQUIRED`, before anything is read
 */
export async function prepareRead(log: Log, call: Call): Promise<RecordedRead | undefined> {
  const { model, operation, path } = call
  const isRead = readOperations.has(operation)
  if (model === undefined || !(isRead || returningOperations.has(operation))) return undefined
  const { options, dataModel } = log
  const { args, selection: whole } = await select(
    {
      dataModel,
      shape: call.shape,
      recorded: async (name) => (options.isRead(name) ? knownModel(log, name, call) : undefined),
    },
    model,
    (call.args ?? {}) as Selectable,
    [resourceOf(model)],
    isRead,
  )
  const selection = whole && selectionAt(whole, path)
  if (!selection) return undefined
  if (options.requireActor && !call.hasActor) throw actorRequired()
  const record = (found: Found) => deliverReads(log, call, found)
  return {
    args,
    async finish(result) {
      const found: Found = new Map()
      const given = readResult(result, selection, found)
      // null is no record; undefined is a call that never ran, since an earlier one of its batch failed
      if (selection.model && result !== undefined && !found.has(selection)) found.set(selection, [])
      await record(found)
      return given
    },
    async fail(error) {
      const isNotFound =
        operation.endsWith('OrThrow') && (error as { code?: unknown } | null)?.code === 'P2025'
      if (isNotFound && selection.model) await record(new Map([[selection, []]]))
    },
  }
}

/** On the call's own connection: a transaction may hold the last one of the pool. */
function knownModel(log: Log, name: string, { connection }: Call): Promise<StoredModel | undefined> {
  return log.models.get(name, connection).catch((error: unknown) => {
    if (error instanceof AuditError) return undefined // there is no such table, and the read will fail anyway
    throw error
  })
}

async function deliverReads(log: Log, call: Call, found: Found): Promise<void> {
  if (found.size === 0) return
  const when = call.transaction === 'itx' ? 'later' : 'now'
  await deliver(log, when, async () =>
    [...found].flatMap(([selection, records]) => readEntries(log, call, selection, records)),
  )
}

function readEntries(
  { options }: Log,
  { context, operation }: Call,
  { model, via, fields, filter }: Selection,
  records: readonly unknown[][],
): NewEntry[] {
  if (!model) return []
  const named = records.filter((key) => key.length > 0 && !key.includes(undefined))
  const ids = [...new Set(named.map((key) => resourceId(model, key, options.isRedacted)))]
  const unnamed = records.length - named.length
  const chunks = ids.length === 0 ? [[]] : chunked(ids, idsOfAnEntry)
  return chunks.map((chunk, index) => {
    const count = chunk.length + (index === 0 ? unnamed : 0)
    return {
      id: newId(),
      action: `${model.resource}.read`,
      resourceType: model.resource,
      resourceId: count === 1 && chunks.length === 1 ? (chunk[0] ?? null) : null,
      outcome: 'success',
      reason: context.reason ?? null,
      details: {
        ...{ ids: chunk, count, fields },
        ...(filter !== undefined && { filter }),
        ...(via !== undefined && { via }),
        operation,
        ...(context.metadata && { metadata: context.metadata }),
      },
      context,
    }
  })
}

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

function actorRequired(): AuditError {
  return new AuditError(
    'AUDIT_ACTOR_REQUIRED',
    'A read to be recorded has no actor, and the option requireActor is set. Nothing was read. Run it inside withAuditContext({ actor: { id, type } }, …).',
  )
}
