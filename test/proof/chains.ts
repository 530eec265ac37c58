import { expect } from 'vitest'
import type { Entry } from '../support/database.ts'

/**
 * Asserts that the entries of each record tell one story: a create comes first or after a delete, every before equals
 * the after that precedes it, and nothing follows a delete but a create. Keys must not change.
 *
 * @param entries all entries since the tables were empty, in order
 * @returns the records that are there at the end, as their last entries show them, by resource and id
 */
export function expectUnbrokenChains(entries: readonly Entry[]): Map<string, Record<string, unknown>> {
  const records = new Map<string, Record<string, unknown>>()
  const broken: unknown[] = []
  for (const { action, seq, resource_type, resource_id, details } of entries) {
    const verb = action.slice(action.lastIndexOf('.') + 1)
    if (!['create', 'update', 'delete'].includes(verb) || resource_id === null) continue
    const record = `${resource_type} ${resource_id}`
    const known = records.get(record)
    if (JSON.stringify(known) !== JSON.stringify(details.before)) {
      broken.push({ seq, action, record, known, before: details.before })
    }
    if (verb === 'delete') records.delete(record)
    else records.set(record, details.after)
  }
  expect(broken).toEqual([])
  return records
}
