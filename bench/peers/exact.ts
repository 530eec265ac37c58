import type { Log, RecordedChange, Row, Verb } from './contender.ts'
import { sameValue } from './same-value.ts'
import { stableJson } from './stable-json.ts'
import type { TextRow, TrueChange } from './truth.ts'

/** What a log must hold of one row, with all that is let pass. */
interface Expected {
  readonly table: string
  readonly verbs: readonly Verb[]
  readonly before: TextRow | undefined
  readonly after: TextRow | undefined
  readonly key: readonly string[]
  /** An entry for it is neither wanted nor wrong. */
  readonly isOptional: boolean
}

/** Whether the entries are the true changes, one to one; by a design that merges, one for each row of a transaction. */
export function isExact(
  truth: readonly TrueChange[],
  entries: readonly RecordedChange[],
  log: Pick<Log, 'recordsBefore' | 'mergesInTransaction'>,
): boolean {
  const single = truth.map((change) => ({ ...change, verbs: [change.verb], isOptional: isNoChange(change) }))
  return (
    matches(single, entries, log.recordsBefore) ||
    matches(single.flatMap(asTwo), entries, log.recordsBefore) ||
    (log.mergesInTransaction && matches(merge(truth), entries, log.recordsBefore))
  )
}

function matches(expected: Expected[], entries: readonly RecordedChange[], recordsBefore: boolean): boolean {
  // wanted ones are taken first
  const open = expected.toSorted((one, other) => Number(one.isOptional) - Number(other.isOptional))
  for (const entry of entries) {
    const index = open.findIndex((one) => isOf(entry, one, recordsBefore))
    if (index < 0) return false
    open.splice(index, 1)
  }
  return open.every(({ isOptional }) => isOptional)
}

function isOf(entry: RecordedChange, expected: Expected, recordsBefore: boolean): boolean {
  const { table, verbs, before, after, key } = expected
  if (entry.table !== table || !verbs.includes(entry.verb)) return false
  if (![before, after].some((row) => row && sameId(entry.id, row, key))) return false
  const columns = columnsOf(expected, entry.verb)
  if (recordsBefore && before && entry.verb !== 'create' && !sameRow(before, entry.before, columns))
    return false
  return !after || entry.verb === 'delete' || sameRow(after, entry.after, columns)
}

/** The columns that an entry must have: of an update the changed ones, else all. */
function columnsOf({ before, after }: Expected, verb: Verb): string[] {
  const all = Object.keys(after ?? before ?? {})
  return verb === 'update' && before && after ? all.filter((name) => before[name] !== after[name]) : all
}

/** What an entry says beyond the columns needed must be true, too. Keys that are no columns are let pass. */
function sameRow(truth: TextRow, recorded: Row | undefined, needed: readonly string[]): boolean {
  if (!recorded) return false
  return (
    needed.every((name) => name in recorded || truth[name] === null) &&
    Object.entries(recorded).every(([name, value]) => {
      const true_ = truth[name]
      return true_ === undefined || sameValue(true_, value)
    })
  )
}

function sameId(id: string, row: TextRow, key: readonly string[]): boolean {
  const values = key.map((name) => String(row[name]))
  return (
    id === (values.length === 1 ? values[0] : JSON.stringify(values)) || id === stableJson(values.map(Number))
  )
}

/** A row that is nothing but its key is another row when it changes: a link that goes and one that comes. */
function asTwo(change: Expected): Expected[] {
  const { before, after, key } = change
  if (!before || !after || key.length < Object.keys(after).length) return [change]
  return [
    { ...change, verbs: ['delete'], after: undefined },
    { ...change, verbs: ['create'], before: undefined },
  ]
}

/** An update that sets what was there: whether a log has an entry for it is its own affair. */
export function isNoChange({ before, after }: TrueChange): boolean {
  return before !== undefined && after !== undefined && stableJson(before) === stableJson(after)
}

function merge(truth: readonly TrueChange[]): Expected[] {
  const groups: { changes: TrueChange[]; last: TextRow | undefined }[] = []
  const keyOf = ({ table, transaction, key }: TrueChange, row: TextRow | undefined) =>
    row && stableJson([table, transaction, key.map((name) => row[name])])
  for (const change of truth) {
    const group = groups.find(({ changes, last }) => {
      const [first] = changes
      const own = keyOf(change, change.before ?? change.after)
      return first && (keyOf(first, last) === own || keyOf(first, first.before) === own)
    })
    if (group) {
      group.changes.push(change)
      group.last = change.after
    } else groups.push({ changes: [change], last: change.after })
  }
  return groups.map(({ changes, last }) => {
    const [first] = changes as [TrueChange]
    const merged = { ...first, before: first.before, after: last }
    const isGone = first.before === undefined && last === undefined
    const verbs = last
      ? first.before
        ? (['update', 'create'] as const)
        : (['create', 'update'] as const)
      : (['delete'] as const)
    return {
      ...merged,
      verbs: changes.length === 1 ? [first.verb] : verbs,
      isOptional: isGone || changes.every(isNoChange),
      // a row that was made and removed again has a state in its entry, which nobody saw
      ...(isGone && { before: changes.at(-1)?.before }),
    }
  })
}
