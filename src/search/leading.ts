import { isPattern } from '../log/action-pattern.ts'
import type { Conditions } from './conditions.ts'

/**
 * The conditions by which an index leads to the entries. The log has few indexes, and nearly all of them end in the
 * time: if the conditions fix the columns before it, the index returns the entries in order. For conditions on actions,
 * it does so for each action separately. A transaction's entries are not in order, but few.
 *
 * @returns an empty list when no index leads to them
 */
export function leadingConditions(conditions: Conditions): readonly (keyof Conditions)[] {
  const { resourceType, resourceId, transactionId, actorId, organizationId } = conditions
  if (transactionId !== undefined) return ['transactionId']
  if (resourceType !== undefined && resourceId !== undefined) return ['resourceType', 'resourceId']
  if (actorId !== undefined) return ['actorId']
  if (isOneAction(conditions)) return ['actions']
  if (organizationId !== undefined) return ['organizationId']
  return isAnyAction(conditions) ? [] : ['actions']
}

export function isOneAction({ actions = [] }: Conditions): boolean {
  const [action, ...others] = actions
  return action !== undefined && others.length === 0 && !isPattern(action)
}

function isAnyAction({ actions }: Conditions): boolean {
  return actions === undefined || actions.includes('*')
}

/** Whether there are no conditions besides these and the time span. */
export function isAllOf(conditions: Conditions, names: readonly (keyof Conditions)[]): boolean {
  const { from: _, to: __, actions, ...rest } = conditions
  const given = { ...rest, actions: isAnyAction(conditions) ? undefined : actions }
  return Object.entries(given).every(
    ([name, value]) => value === undefined || names.some((one) => one === name),
  )
}
