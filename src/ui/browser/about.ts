import type { WireEntry } from '../wire.ts'
import { verbOf } from './action.ts'
import { type Details, isObject, showShort } from './values.ts'

/** A few words about an entry: a name, and what it had before or has now. */
export interface Part {
  readonly field?: string
  readonly from?: string
  readonly to?: string
}

/** Ids and other details that a row shows at most. */
const [mostIds, mostDetails] = [3, 4]

/** What a read, an event, a login or a statement was about. */
export function aboutEvent(entry: WireEntry, details: Details): Part[] {
  const { verb } = verbOf(entry.action)
  if (verb === 'read' && (Array.isArray(details.ids) || typeof details.count === 'number')) {
    return aboutRead(entry, details)
  }
  const { before, after, changed, operation, cause, source, metadata, reason, statement, ...own } = details
  const isLogin = verb === 'login' || verb === 'logout'
  const parts = [
    ...(typeof statement === 'string' ? [{ to: showShort(statement, 120) }] : []),
    ...(isLogin && entry.ip ? [{ field: 'from', to: entry.ip }] : []),
    ...Object.entries(own)
      .filter(([, value]) => value !== null && value !== '')
      .map(([field, value]) => ({ field, to: showShort(value) })),
  ]
  if (parts.length === 0 && isObject(metadata)) return [{ to: showShort(metadata, 120) }]
  return parts.slice(0, mostDetails)
}

function aboutRead(entry: WireEntry, { ids, count, fields, filter, via }: Details): Part[] {
  const known = Array.isArray(ids) ? ids : []
  const isNamed = entry.resource.id !== null // by the row itself
  const amount = typeof count === 'number' ? count : known.length
  const more = amount - mostIds
  const names = known.slice(0, mostIds).join(', ')
  const records = amount === 0 ? 'no record' : amount === 1 ? 'one record' : `${amount} records`
  return [
    ...(isNamed
      ? []
      : [
          {
            field: names === '' ? '' : records,
            to: names === '' ? records : more > 0 ? `${names} and ${more} more` : names,
          },
        ]),
    ...(Array.isArray(fields) && fields.length > 0
      ? [{ field: 'fields', to: showShort(fields.join(', '), 60) }]
      : []),
    ...(filter === undefined ? [] : [{ field: 'where', to: showShort(filter, 60) }]),
    ...(typeof via === 'string' ? [{ field: 'via', to: via }] : []),
  ]
}
