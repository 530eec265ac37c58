import type { NewestQuestion } from '../log/newest.ts'
import type { Stretch } from './condition-sql.ts'
import type { Conditions } from './conditions.ts'
import { timestampText } from './cursor.ts'
import { isAllOf, isOneAction } from './leading.ts'
import { canBeRead } from './record-sql.ts'

/** Conditions that the function of a partitioned log knows, beside the time. */
const known = ['resourceType', 'resourceId', 'actorId', 'organizationId', 'outcome', 'actions'] as const

/**
 * A search as the function of a partitioned log answers it.
 *
 * @returns undefined where it can't
 */
export function newestQuestion(
  conditions: Conditions,
  { before }: Stretch,
  count: number,
): NewestQuestion | undefined {
  const leading = leadingIn(conditions)
  if (!leading || !isAllOf(conditions, known)) return undefined
  const { actorId, organizationId, outcome, actions, from, to } = conditions
  return {
    ...leading,
    ...{ outcome, actor: actorId, organization: organizationId, from, to, count },
    actions: leading.by === 'action' || actions?.includes('*') ? undefined : actions,
    before: before && { at: timestampText(before), seq: before.seq },
  }
}

function leadingIn(conditions: Conditions): Pick<NewestQuestion, 'by' | 'key' | 'withReads'> | undefined {
  const { resourceType, resourceId, actorId, organizationId, actions } = conditions
  if (resourceType !== undefined && resourceId !== undefined) {
    return { by: 'record', key: [resourceType, resourceId], withReads: canBeRead(conditions) }
  }
  if (resourceType !== undefined || resourceId !== undefined) return undefined
  if (actorId !== undefined) return { by: 'actor', key: [actorId] }
  if (isOneAction(conditions)) return { by: 'action', key: actions ?? [] }
  return organizationId === undefined ? undefined : { by: 'organization', key: [organizationId] }
}
