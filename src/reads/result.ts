import type { Selection } from './selection.ts'

/** The records found at each place of a result, as their keys' values in key order. */
export type Found = Map<Selection, unknown[][]>

/**
 * Walks a result: collects the recorded reads in `found`, and returns the result without the fields that only the audit
 * asked for. Objects that have them are copied, since Prisma returns one object to all who ask for the same record at
 * once; the others stay the same objects.
 */
export function readResult(result: unknown, selection: Selection, found: Found): unknown {
  if (Array.isArray(result)) {
    const items = result.map((item) => readResult(item, selection, found))
    return items.every((item, index) => item === result[index]) ? result : items
  }
  if (typeof result !== 'object' || result === null) return result
  const record = result as Record<string, unknown>
  if (selection.model) {
    const records = found.get(selection) ?? []
    records.push(selection.model.key.map(({ name }) => record[name]))
    found.set(selection, records)
  }
  const replaced = new Map<string, unknown>()
  for (const [name, below] of selection.relations) {
    const value = readResult(record[name], below, found)
    if (value !== record[name]) replaced.set(name, value)
  }
  const { hidden } = selection
  if (replaced.size === 0 && hidden.length === 0) return result
  const kept = Object.entries(record).filter(([name]) => !hidden.includes(name))
  return Object.fromEntries(
    kept.map(([name, value]) => [name, replaced.has(name) ? replaced.get(name) : value]),
  )
}

/** The place where a call's result begins: in `user.findUnique(…).posts()`, a relation of the found record. */
export function selectionAt(selection: Selection, path: readonly string[]): Selection | undefined {
  return path.reduce<Selection | undefined>((place, relation) => place?.relations.get(relation), selection)
}
