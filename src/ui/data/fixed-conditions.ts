import { AuditError } from '../../errors.ts'
import { resourceOf } from '../../models/data-model.ts'
import type { Conditions } from '../../search/conditions.ts'
import { parseFilter, type SearchFilter } from '../../search/filter.ts'
import { parseEventId } from '../../values/resource-id.ts'

/**
 * The conditions of a filter that a web page is fixed to.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` when the filter can't be used, or would let everything through
 */
export function fixedConditions(filter: SearchFilter): Conditions {
  refuseMissing('filter', filter)
  try {
    const { action, actor, resource, ...same } = parseFilter(filter)
    const type = resource && resourceOf(resource.type)
    const id = resource?.id === undefined ? undefined : parseEventId(resource.id)
    return {
      ...same,
      actions: action ?? (type === undefined || id !== undefined ? undefined : [`${type}.*`]),
      ...{ actorId: actor?.id, actorType: actor?.type, actorEmail: actor?.email },
      ...{ resourceType: type, resourceId: id },
    }
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `auditPage got a filter that can't be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

/** A value that is missing by mistake would show a visitor what is not his. */
function refuseMissing(name: string, value: unknown): void {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Date)
  const parts = isObject ? Object.entries(value) : []
  for (const [part, inner] of parts) refuseMissing(`${name}.${part}`, inner)
  if (value !== undefined && value !== null && !(isObject && parts.length === 0)) return
  throw new AuditError(
    'AUDIT_INVALID_OPTIONS',
    `auditPage got a filter in which ${name} is ${isObject ? 'empty' : String(value)}, so it would show more of the log than it says. Give a value, or leave the option out to show the whole log.`,
  )
}
