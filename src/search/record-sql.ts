import type { QueryParameters } from '../log/query-parameters.ts'
import type { Conditions } from './conditions.ts'

/** How an entry names a record: as what it is about, as one of several that were read together, or either. */
export type Naming = 'own' | 'read' | 'either'

/** The records of a read of several, `{"order": ["1", "2"]}`, as the index of the log's migration has them. */
const readRecords = `pg_catalog.jsonb_set('{}', ARRAY[resource_type::text], details -> 'ids')`

/** The conditions on the resource's type and id. */
export function recordSql(
  { resourceType, resourceId }: Conditions,
  parameters: QueryParameters,
  naming: Naming,
): string[] {
  const type = resourceType === undefined ? [] : [`resource_type = ${parameters.add(resourceType, 'text')}`]
  if (resourceId === undefined) return type
  const own = () => `resource_id = ${parameters.add(resourceId, 'text')}`
  if (resourceType === undefined || naming === 'own') return [...type, own()]
  // the first two conditions are those of the index
  const read = () =>
    `(resource_id IS NULL AND action LIKE '%.read' AND ${readRecords} @> ${parameters.add(JSON.stringify({ [resourceType]: [resourceId] }), 'jsonb')})`
  return [...type, naming === 'read' ? read() : `(${own()} OR ${read()})`]
}

/** Whether conditions on a record can be met by a read of several. */
export function canBeRead({ resourceType, resourceId, actions }: Conditions): boolean {
  return resourceType !== undefined && resourceId !== undefined && (actions?.some(endsInRead) ?? true)
}

/** What follows the last `*` of a pattern, or all of an action, must agree with `.read`. */
function endsInRead(action: string): boolean {
  const end = action.slice(action.lastIndexOf('*') + 1)
  return action.includes('*') ? end.endsWith(readVerb) || readVerb.endsWith(end) : end.endsWith(readVerb)
}

const readVerb = '.read'
