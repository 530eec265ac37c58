import { AuditError } from '../errors.ts'
import { differingFields } from '../log/differing-fields.ts'
import type { Log } from '../log/log.ts'
import { isJsonObject, type Json, NotJson, toJson } from '../values/javascript-json.ts'

/** The record before and after a change: a create has no `before`, a delete no `after`. */
export interface DataChange {
  before?: object | null | undefined
  after?: object | null | undefined
}

/** The event's details and the context's metadata as JSON, with `"[redacted]"` for what the log must not hold. */
export function eventDetails(
  log: Log,
  model: string | undefined,
  details: object | null | undefined,
  metadata: object | undefined,
): Record<string, Json> | null {
  const isRedacted = (path: readonly string[]) => {
    const field = path.at(-1) ?? ''
    const isOfRecord = path.length === 1 || (path.length === 2 && /^(before|after)$/.test(path[0] ?? ''))
    return log.options.isRedacted(isOfRecord ? model : undefined, field)
  }
  const given = jsonOf(details, 'details', isRedacted)
  const around = jsonOf(metadata, 'metadata', isRedacted)
  if (!isAbsent(given) && !isJsonObject(given)) {
    throw new AuditError(
      'AUDIT_INVALID_EVENT',
      "The event can't be stored: details is not an object in JSON. Nothing was written. Give an object of named values.",
    )
  }
  if (isAbsent(given) && around === undefined) return null
  return { ...(around === undefined ? {} : { metadata: around }), ...given }
}

/** A change's `before`, `after` and the fields that differ, as in the entry of a data change. */
export function changeDetails(
  log: Log,
  type: string,
  verb: string,
  change: DataChange,
): Record<string, unknown> {
  const sides = jsonOf(change, 'change')
  const { before, after } = { before: recordIn(sides, 'before'), after: recordIn(sides, 'after') }
  const refusal =
    (verb === 'create' && before && 'a create has no before') ||
    (verb === 'delete' && after && 'a delete has no after') ||
    (!before && !after && 'a change has a record before, after or both')
  if (refusal) {
    throw new AuditError(
      'AUDIT_INVALID_EVENT',
      `The change can't be stored: ${refusal}. Nothing was written. Give { after } for a create, { before } for a delete, both for all other changes.`,
    )
  }
  if (!before || !after) return before ? { before } : { after }
  const model = log.models.find(type)?.name
  const changed = differingFields(before, after).filter((field) => !log.options.isIgnored(model, field))
  if (log.options.snapshot === 'full') return { before, after, changed }
  const only = (record: Record<string, Json>) =>
    Object.fromEntries(Object.entries(record).filter(([field]) => changed.includes(field)))
  return { before: only(before), after: only(after), changed }
}

function recordIn(sides: Json | undefined, side: 'before' | 'after'): Record<string, Json> | undefined {
  const record = isJsonObject(sides) ? sides[side] : undefined
  if (isAbsent(record)) return undefined
  if (isJsonObject(record)) return record
  throw new AuditError(
    'AUDIT_INVALID_EVENT',
    `The change can't be stored: ${side} is not a record. Nothing was written. Give an object of fields.`,
  )
}

/** `details.reason`, if it is a text that is not blank. */
export function reasonIn(details: unknown): string | undefined {
  const json = jsonOf(details, 'details')
  const reason = isJsonObject(json) ? json.reason : undefined
  return typeof reason === 'string' && reason !== '' ? reason : undefined
}

function isAbsent(json: Json | undefined): json is null | undefined {
  return json === undefined || json === null
}

/** @throws AuditError `AUDIT_INVALID_EVENT`, naming the path of what can't be stored */
function jsonOf(...[value, name, isRedacted]: Parameters<typeof toJson>): Json | undefined {
  try {
    return toJson(value, name, isRedacted)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw new AuditError(
      'AUDIT_INVALID_EVENT',
      `The event can't be stored: ${error.message}. Nothing was written. Leave it out, or give it as text.`,
      { cause: error.cause },
    )
  }
}
