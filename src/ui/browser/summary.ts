import { shownChanges } from '../../values/updated-at.ts'
import type { WireEntry } from '../wire.ts'
import { aboutEvent, type Part } from './about.ts'
import { type Details, isObject, showShort } from './values.ts'

/** What happened, in a few words: the fields with old and new values, the record at the other end, what an event is about. */
export interface Summary {
  readonly parts: readonly Part[]
  /** The number of further fields. */
  readonly more: number
}

/** Fields that usually name a record. */
const naming = ['name', 'title', 'label', 'email', 'slug', 'code', 'status']

export function summarize(entry: WireEntry, details: Details): Summary {
  const { before, after, changed, relation, target } = details
  if (isObject(target)) {
    return {
      parts: [{ ...(relation && { field: relation }), to: `${target.type} ${target.id ?? ''}` }],
      more: 0,
    }
  }
  if (Array.isArray(changed)) {
    const shown = shownChanges(changed)
    const parts = shown.slice(0, 2).map((field) => ({
      field,
      ...(before && { from: showShort(before[field]) }),
      ...(after && { to: showShort(after[field]) }),
    }))
    return { parts, more: shown.length - parts.length }
  }
  const row = after ?? before
  if (isObject(row)) {
    const fields = Object.keys(row).filter((field) => row[field] !== null)
    const named = naming.filter((field) => fields.includes(field)).slice(0, 2)
    const shown = named.length > 0 ? named : fields.slice(0, 2)
    const side = after ? 'to' : 'from'
    return { parts: shown.map((field) => ({ field, [side]: showShort(row[field]) })), more: 0 }
  }
  return { parts: aboutEvent(entry, details), more: 0 }
}
