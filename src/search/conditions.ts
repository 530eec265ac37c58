import type { EntryConditions } from '../archive-contract.ts'
import type { ReadableLog } from '../log/log.ts'
import { parseEventId, parseRecordId } from '../values/resource-id.ts'
import type { ParsedFilter } from './filter.ts'

export type Conditions = EntryConditions

/** Replaces models by their resources, and ids by the log's texts. */
export async function resolveConditions(log: ReadableLog, filter: ParsedFilter): Promise<Conditions> {
  const { type, id } = filter.resource ?? {}
  const model = log.models.find(type)
  const resourceType = model?.resource ?? type
  return {
    // the log has no index on the type alone, but actions begin with it
    actions:
      filter.action ?? (resourceType === undefined || id !== undefined ? undefined : [`${resourceType}.*`]),
    actorId: filter.actor?.id,
    actorType: filter.actor?.type,
    actorEmail: filter.actor?.email,
    resourceType,
    resourceId: id === undefined ? undefined : await recordIdText(log, model?.name, id),
    outcome: filter.outcome,
    changed: filter.changed,
    requestId: filter.requestId,
    organizationId: filter.organizationId,
    transactionId: filter.transactionId,
    from: filter.from,
    to: filter.to,
  }
}

async function recordIdText(log: ReadableLog, model: string | undefined, id: unknown): Promise<string> {
  if (model !== undefined) return parseRecordId(await log.models.get(model, log.connection), id)
  return parseEventId(id)
}

/** Only the conditions with these names. */
export function pickConditions(conditions: Conditions, names: readonly (keyof Conditions)[]): Conditions {
  return Object.fromEntries(names.map((name) => [name, conditions[name]]))
}

/** Conditions that no entry meets. */
const nothing: Conditions = { actions: [] }

/** Conditions of which an entry can meet several: the others name the one value that a column has. */
const combinable: readonly string[] = ['actions', 'changed', 'text', 'from', 'to']

/** Conditions for the entries that meet both: whatever is asked for, none outside of `fixed` is among them. */
export function narrowed(fixed: Conditions, asked: Conditions): Conditions {
  const both: Record<string, unknown> = { ...asked }
  const within: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fixed)) {
    if (value === undefined) continue
    const other = both[name]
    if (other === undefined) both[name] = value
    else if (combinable.includes(name)) within[name] = value
    else if (other !== value) return nothing
  }
  return Object.keys(within).length > 0 ? { ...both, within } : both
}
