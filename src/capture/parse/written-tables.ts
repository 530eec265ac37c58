import type { TableName } from '../../postgres/identifiers.ts'
import { type Syntax, type SyntaxNode, visit } from './syntax.ts'

/** A table in the syntax tree. */
interface RangeVar {
  readonly schemaname?: string
  readonly relname?: string
}

const writes = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/**
 * The tables that a statement writes to, if its text says so: MERGE, TRUNCATE, COPY, writing CTEs.
 *
 * @returns undefined if it does not: calls of functions, procedures, several statements, definitions
 */
export function writtenTables({ statements }: Syntax): TableName[] | undefined {
  const [first, ...others] = statements
  if (!first || others.length > 0) return undefined
  const { type, node } = first
  if (type === 'TruncateStmt')
    return (node.relations as { RangeVar: RangeVar }[]).map(({ RangeVar }) => tableNameOf(RangeVar))
  if (type === 'CopyStmt' && node.is_from) return [tableNameOf(node.relation as RangeVar)]
  if (type !== 'SelectStmt' && type !== 'ExplainStmt' && !writes.has(type)) return undefined
  const tables: TableName[] = []
  const add = (written: SyntaxNode) => tables.push(tableNameOf(written.relation as RangeVar))
  if (writes.has(type)) add(node)
  visit(node, (inner, written) => {
    if (writes.has(inner)) add(written)
  })
  return tables.length > 0 ? tables : undefined
}

/** The table that an INSERT, UPDATE or DELETE writes to, if its name has no schema. */
export function unqualifiedTable(syntax: Syntax | undefined): string | undefined {
  const [first, ...others] = syntax?.statements ?? []
  if (!first || others.length > 0 || !writes.has(first.type)) return undefined
  const { schemaname, relname } = first.node.relation as RangeVar
  return schemaname === undefined ? relname : undefined
}

function tableNameOf({ schemaname, relname = '' }: RangeVar): TableName {
  return schemaname ? { schema: schemaname, name: relname } : { name: relname }
}
