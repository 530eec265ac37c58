import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import { type LockedStart, lockedStart } from './lock.ts'
import { type Edge, edgesOnFrom, meets, type Reach, reachedRows, scanOf } from './referential-actions.ts'

/**
 * Asks which edges lead from locked rows, and from the rows that they are known to reach, to further rows.
 *
 * It looks for every row, not for one: where PostgreSQL expects to find one soon, it may read a whole table that has none.
 *
 * @param reach what the rows are known to reach, and is locked
 * @param whole all that they might reach
 * @returns a query of the edges' places in `whole`, with commas between them; undefined when there are no such edges
 */
export function askReached(start: LockedStart, reach: Reach | undefined, whole: Reach): string | undefined {
  const edges = edgesOnFrom(whole, reach?.edges ?? [])
  if (edges.length === 0) return undefined
  const parents = [...new Set(edges.map(({ key }) => key.parent))]
  const queries = parents.map((parent) => {
    const steps = edges
      .filter(({ key }) => key.parent === parent)
      .map((edge) => nextRows(edge, whole.edges.indexOf(edge)))
    const rows = reachedOf(parent, edges, reach)
    return `SELECT step.edge FROM (${rows}) AS p CROSS JOIN LATERAL (\n${steps.join('\nUNION ALL ')}\n) AS step`
  })
  return [
    `WITH ${reach ? 'RECURSIVE ' : ''}${[lockedStart(start), ...(reach ? [reachedRows(reach)] : [])].join(',\n')}`,
    `SELECT pg_catalog.array_to_string(ARRAY(SELECT DISTINCT s.edge FROM (\n${queries.join('\nUNION ALL ')}`,
    `) AS s), ',')`,
  ].join('\n')
}

/** The reached rows of one table: the columns that edges refer to, and what happens to them. */
function reachedOf(parent: Table, edges: readonly Edge[], reach: Reach | undefined): string {
  const pairs = edges.filter(({ key }) => key.parent === parent).flatMap(({ key }) => key.pairs)
  const columns = [...new Set(pairs.map((pair) => pair.parent))].map((column) => columnOf('p', column))
  return [
    `SELECT ${columns.join(', ')}, r.patch AS ${own('patch')} FROM ${own(reach ? 'reached' : 'start')} AS r`,
    `JOIN ${scanOf(parent)} AS p ON p.tableoid = r.relation AND p.ctid = r."row"`,
    ...(reach ? [`WHERE r.node = ${reach.tables.indexOf(parent)}`] : []),
  ].join(' ')
}

function nextRows(edge: Edge, place: number): string {
  const { child, pairs } = edge.key
  const match = pairs.map((pair) => `${columnOf('c', pair.child)} = ${columnOf('p', pair.parent)}`)
  const conditions = [...match, meets(edge, `p.${own('patch')}`)]
  return `SELECT ${place} AS edge FROM ${scanOf(child)} AS c WHERE ${conditions.join(' AND ')}`
}
