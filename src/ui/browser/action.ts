import { shownChanges } from '../../values/updated-at.ts'
import type { WireEntry } from '../wire.ts'
import { type Details, isObject, showShort } from './values.ts'

const knownVerbs = [
  'create',
  'update',
  'delete',
  'connect',
  'disconnect',
  'read',
  'login',
  'logout',
  'export',
]

/** The verb of `country.update`, and the class of its colour. */
export function verbOf(action: string): { verb: string; kind: string } {
  const verb = action.slice(action.lastIndexOf('.') + 1)
  return { verb, kind: knownVerbs.includes(verb) ? verb : 'other' }
}

/** What happened, in a few words: the fields with old and new values, or the record at the other end. */
export interface Summary {
  readonly parts: readonly { field?: string; from?: string; to?: string }[]
  /** The number of further fields. */
  readonly more: number
  /** In words, if there are no fields. */
  readonly text?: string
}

/** Fields that usually name a record. */
const naming = ['name', 'title', 'label', 'email', 'slug', 'code', 'status']

export function summarize(entry: WireEntry, details: Details): Summary {
  const { before, after, changed, relation, target, statement } = details
  const none = { parts: [], more: 0 }
  if (target)
    return {
      parts: [{ ...(relation && { field: relation }), to: `${target.type} ${target.id ?? ''}` }],
      more: 0,
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
  if (typeof statement === 'string') return { ...none, text: showShort(statement, 120) }
  if (isObject(details.metadata)) return { ...none, text: showShort(details.metadata, 120) }
  return { ...none, ...(entry.reason ? { text: entry.reason } : {}) }
}
