import { whileReverting } from '../context/reverting.ts'
import type { AuditEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { type LoggedRow, reviveKey } from '../values/revive.ts'
import { currentRow } from './current-row.ts'
import { checkUnchanged, existsAgain, linkConflict } from './revert-conflict.ts'
import { type RevertibleChange, readChange, refuse } from './revert-entry.ts'
import { isLinked } from './revert-link.ts'
import { dataOf, whereOf } from './revert-values.ts'
import { markStart, writtenSince } from './revert-written.ts'

export interface RevertOptions {
  /** Undo the change even if the record has changed since. Default false. */
  force?: boolean
}

/** The methods used of a model's property of the client. */
interface Delegate {
  createMany(args: { data: object[] }): Promise<{ count: number }>
  updateMany(args: { where: object; data: object }): Promise<{ count: number }>
  deleteMany(args: { where: object }): Promise<{ count: number }>
  update(args: { where: object; data: object; select: object }): Promise<unknown>
}

/** What undoing a change needs. */
interface UndoContext {
  readonly log: Log
  readonly change: RevertibleChange
  /** The record as it is now, locked. */
  readonly row: LoggedRow | undefined
  readonly delegate: Delegate
  readonly force: boolean
}

/**
 * Undoes the change of one entry. Everything is checked before anything is written.
 *
 * @param log the log of an interactive transaction
 * @returns the entries that it wrote
 */
export async function revert(
  log: Log,
  entryId: string,
  { force = false }: RevertOptions,
): Promise<AuditEntry[]> {
  const change = await readChange(log, entryId)
  const { entry, model, key, verb } = change
  const delegate = (log.client() as Record<string, Delegate>)[model.resource]
  if (!delegate) throw refuse(entry, `the client has no ${model.resource}`)
  const row = await currentRow(log, model, key, true)
  const start = await markStart(log)
  await whileReverting(entry.id, () => undo[verb]({ log, change, row, delegate, force }))
  return writtenSince(log, start, change)
}

const undo: Readonly<Record<RevertibleChange['verb'], (context: UndoContext) => Promise<void>>> = {
  async create({ log, change, row, delegate, force }) {
    if (!force) await checkUnchanged(log, change, row, Object.keys(change.after))
    if (row) await expectOne(change, delegate.deleteMany({ where: whereOf(change.model, row) }))
  },

  async update({ log, change, row, delegate, force }) {
    if (!force) await checkUnchanged(log, change, row, change.changed)
    if (!row) throw isGone(change)
    const data = dataOf(log, change, change.changed, row)
    if (Object.keys(data).length === 0) return
    await expectOne(change, delegate.updateMany({ where: whereOf(change.model, row), data }))
  },

  async delete({ log, change, row, delegate, force }) {
    const names = Object.keys(change.before)
    if (!row) {
      await delegate.createMany({ data: [dataOf(log, change, names, row)] })
      return
    }
    if (!force) throw existsAgain(change, row)
    const isKey = (name: string) => change.model.key.some((field) => field.name === name)
    const data = dataOf(
      log,
      change,
      names.filter((name) => !isKey(name)),
      row,
    )
    await expectOne(change, delegate.updateMany({ where: whereOf(change.model, row), data }))
  },

  connect: (context) => relink('disconnect', context),
  disconnect: (context) => relink('connect', context),
}

async function relink(
  verb: 'connect' | 'disconnect',
  { log, change, row, delegate, force }: UndoContext,
): Promise<void> {
  const { link, model } = change
  if (!row || !link) throw isGone(change)
  const isDone = (await isLinked(log, change, link)) === (verb === 'connect')
  if (isDone && !force) throw linkConflict(change)
  if (isDone) return
  const where = whereOf(model, row)
  const target = Object.fromEntries(
    link.target.key.map((field, index) => [field.name, reviveKey(field, link.targetKey[index] ?? '')]),
  )
  await delegate.update({
    where,
    data: { [link.relation]: { [verb]: target } },
    select: Object.fromEntries(Object.keys(where).map((name) => [name, true])),
  })
}

function isGone({ entry }: RevertibleChange): Error {
  return refuse(entry, 'the record is no longer there; undo its deletion first')
}

/** A row security policy may hide the row from the client. */
async function expectOne(change: RevertibleChange, work: Promise<{ count: number }>): Promise<void> {
  const { count } = await work
  if (count !== 1) throw refuse(change.entry, 'the client does not find the record, though its row is there')
}
