import type { Column, ForeignKey, ReferentialAction, Table } from '../../postgres/catalog.ts'
import { columnOf, own, quoteLiteral, quoteTable } from '../../postgres/identifiers.ts'

/** One way in which a change of a parent row reaches a child row. */
export interface Edge {
  readonly key: ForeignKey
  readonly on: 'delete' | 'update'
  readonly action: Exclude<ReferentialAction, 'none'>
}

/** The table that a statement writes to, and those that its referential actions can reach. */
export type Tables = readonly [Table, ...Table[]]

/** Every table and foreign key that a statement's referential actions can reach, to any depth. */
export interface Reach {
  readonly tables: Tables
  readonly edges: readonly Edge[]
  /** Reached rows can reach further rows, so more than the statement's own rows have to be locked. */
  readonly isDeep: boolean
}

/**
 * Follows the foreign keys that point to a table and have actions: ON DELETE from deleted rows, ON UPDATE from rows
 * with changed referenced columns.
 *
 * @param assigned for an update, the columns that it assigns
 * @returns undefined when nothing can be reached
 */
export function reachOf(
  start: Table,
  verb: 'delete' | 'update',
  assigned: readonly string[],
): Reach | undefined {
  const edges = new Map<string, Edge>()
  const queue: { table: Table; columns: readonly string[] | undefined }[] = [
    { table: start, columns: verb === 'delete' ? undefined : assigned },
  ]
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const edge of edgesFrom(next.table, next.columns)) {
      const { child, name } = edge.key
      const id = `${child.oid} ${name} ${edge.on}`
      if (edges.has(id)) continue
      edges.set(id, edge)
      queue.push({
        table: child,
        columns: isRemoval(edge) ? undefined : setColumns(edge).map(({ name }) => name),
      })
    }
  }
  return edges.size === 0 ? undefined : reachBy(start, [...edges.values()])
}

function reachBy(start: Table, edges: readonly Edge[]): Reach {
  const others = edges.map(({ key }) => key.child).filter((child) => child !== start)
  const isDeep = edges.some(({ key }) => key.parent !== start || key.child === start)
  return { tables: [start, ...new Set(others)], edges, isDeep }
}

/** What is reached by only some of the edges; undefined for none. */
export function narrowedTo(reach: Reach, edges: readonly Edge[]): Reach | undefined {
  return edges.length > 0 ? reachBy(reach.tables[0], edges) : undefined
}

/** The edges that lead on from what is reached by some of them. */
export function edgesOnFrom(reach: Reach, edges: readonly Edge[]): Edge[] {
  const tables = [reach.tables[0], ...edges.map(({ key }) => key.child)]
  return reach.edges.filter((edge) => !edges.includes(edge) && tables.includes(edge.key.parent))
}

function edgesFrom(table: Table, changed: readonly string[] | undefined): Edge[] {
  return table.referencedBy.flatMap((key): Edge[] => {
    if (changed === undefined)
      return key.onDelete === 'none' ? [] : [{ key, on: 'delete', action: key.onDelete }]
    if (key.onUpdate === 'none' || !key.pairs.some((pair) => changed.includes(pair.parent.name))) return []
    return [{ key, on: 'update', action: key.onUpdate }]
  })
}

/** Whether the key of a table that refers to itself changes, so that referential actions change the rows once more. */
export function isChangedAgain(table: Table, reach: Reach | undefined): boolean {
  const follows = reach?.edges.some((edge) => edge.on === 'update' && edge.key.child === table) ?? false
  return follows && table.primaryKey.length > 0
}

/** Whether an edge deletes the child row, rather than setting its columns. */
export function isRemoval(edge: Edge): boolean {
  return edge.on === 'delete' && edge.action === 'cascade'
}

function setColumns(edge: Edge): readonly Column[] {
  return edge.on === 'delete' ? edge.key.setOnDelete : edge.key.pairs.map((pair) => pair.child)
}

/**
 * The CTE that finds the rows: `node` (index of the table), `relation` and `row` (tableoid and ctid: a row's address,
 * whatever its keys) and `patch` (the columns that are set, as JSON; NULL for a deleted row). It begins with the CTE
 * `start`, which has the same columns except `node`. All parts of a statement see the snapshot from its start, so the
 * children are still there.
 */
export function reachedRows(reach: Reach): string {
  const steps = reach.edges.map((edge) => stepQuery(reach, edge))
  return [
    `${own('reached')}(node, relation, "row", patch) AS (`,
    `  SELECT 0, s.relation, s."row", s.patch FROM ${own('start')} AS s`,
    `  UNION`,
    `  SELECT step.* FROM ${own('reached')} AS r CROSS JOIN LATERAL (`,
    `    ${steps.join('\n    UNION ALL ')}`,
    `  ) AS step)`,
  ].join('\n')
}

function stepQuery(reach: Reach, edge: Edge): string {
  const { parent, child, pairs } = edge.key
  const match = pairs.map((pair) => `${columnOf('c', pair.child)} = ${columnOf('p', pair.parent)}`)
  return [
    `SELECT ${reach.tables.indexOf(child)}, c.tableoid, c.ctid, ${patchOf(edge)}`,
    `FROM ${scanOf(parent)} AS p JOIN ${scanOf(child)} AS c ON ${match.join(' AND ')}`,
    `WHERE r.node = ${reach.tables.indexOf(parent)} AND p.tableoid = r.relation AND p.ctid = r."row" AND ${meets(edge, 'r.patch')}`,
  ].join(' ')
}

/** The condition that what happens to a parent row sets an edge's action off. */
export function meets({ on, key }: Edge, patch: string): string {
  const referenced = key.pairs.map((pair) => quoteLiteral(pair.parent.name)).join(', ')
  return on === 'delete' ? `${patch} IS NULL` : `${patch} ?| ARRAY[${referenced}]`
}

function patchOf(edge: Edge): string {
  if (isRemoval(edge)) return 'NULL::jsonb'
  if (edge.action === 'cascade') {
    const pairs = edge.key.pairs.map(
      (pair) => `(${quoteLiteral(pair.child.name)}, ${quoteLiteral(pair.parent.name)})`,
    )
    return [
      `(SELECT pg_catalog.jsonb_object_agg(k.child, r.patch -> k.parent)`,
      `FROM (VALUES ${pairs.join(', ')}) AS k(child, parent) WHERE r.patch ? k.parent)`,
    ].join(' ')
  }
  const values = setColumns(edge).flatMap((column) => [
    quoteLiteral(column.name),
    edge.action === 'set default' && column.default
      ? `(${column.default})::${column.declared}`
      : 'NULL::text',
  ])
  return `pg_catalog.jsonb_build_object(${values.join(', ')})`
}

/** Referential actions reach a table's partitions, but not tables that merely inherit from it. */
export function scanOf(table: Table): string {
  return `${table.inherited ? 'ONLY ' : ''}${quoteTable(table)}`
}

/**
 * The patch of an updated row: the changed columns that foreign keys refer to.
 *
 * @returns an SQL expression of type jsonb, NULL when no referenced column changed
 */
export function keyPatch(
  reach: Reach,
  changes: (column: Column) => { readonly value: string; readonly test: string },
): string {
  const [start] = reach.tables
  const keyColumns = reach.edges
    .filter((edge) => edge.key.parent === start && edge.on === 'update')
    .flatMap((edge) => edge.key.pairs.map((pair) => pair.parent))
  const rows = [...new Set(keyColumns)].map((column) => {
    const { value, test } = changes(column)
    return `(${quoteLiteral(column.name)}, pg_catalog.to_jsonb(${value}), ${test})`
  })
  const key = own('key')
  return [
    `(SELECT pg_catalog.jsonb_object_agg(${key}.name, ${key}.value)`,
    `FROM (VALUES ${rows.join(', ')}) AS ${key}(name, value, changed) WHERE ${key}.changed)`,
  ].join(' ')
}

/** The lock that the referential actions take on the rows of a table. */
export function affectedLock(reach: Reach, table: Table): 'FOR UPDATE' | 'FOR NO KEY UPDATE' {
  const keys = table.uniqueKeys.flatMap((key) => key.columns)
  const takesKey = (edge: Edge) => isRemoval(edge) || setColumns(edge).some((column) => keys.includes(column))
  return reach.edges.some((edge) => edge.key.child === table && takesKey(edge))
    ? 'FOR UPDATE'
    : 'FOR NO KEY UPDATE'
}

/** The names in {@link affectedRows} of a row as it was and as it becomes. */
export const childRow = { before: own('child'), after: own('patched') }

/**
 * The CTE that reads the reached rows of one table, each only once if several paths lead to it, without the rows that
 * the statement itself changes. `a.gone` says whether a row is deleted.
 *
 * @param changed the CTE of the rows that the statement itself changes
 * @param columns what to select, in terms of {@link childRow} and `a.gone`
 */
export function affectedRows(reach: Reach, node: number, changed: string, columns: string): string {
  const { before, after } = childRow
  return [
    `${own(`affected_${node}`)} AS (`,
    `  SELECT ${columns}`,
    `  FROM (`,
    `    SELECT r.relation, r."row", pg_catalog.bool_or(r.patch IS NULL) AS gone,`,
    `      pg_catalog.jsonb_object_agg(f.key, f.value) FILTER (WHERE f.key IS NOT NULL) AS patch`,
    `    FROM ${own('reached')} AS r LEFT JOIN LATERAL pg_catalog.jsonb_each(r.patch) AS f ON true`,
    `    WHERE r.node = ${node} AND NOT EXISTS (SELECT FROM ${changed} AS o`,
    `      WHERE o.${own('relation')} = r.relation AND o.${own('row')} = r."row")`,
    `    GROUP BY r.relation, r."row"`,
    `  ) AS a`,
    `  JOIN ${scanOf(reach.tables[node] as Table)} AS ${before}`,
    `    ON ${before}.tableoid = a.relation AND ${before}.ctid = a."row"`,
    `  CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(${before}, coalesce(a.patch, '{}')) AS ${after})`,
  ].join('\n')
}
