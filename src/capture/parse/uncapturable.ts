import { type Catalog, findTable, findTables, type Table } from '../../postgres/catalog.ts'
import { conflictKey, stableKey } from './conflict.ts'
import { readStatement, type WriteStatement } from './statement.ts'
import { findIn, type Syntax, type SyntaxNode, stringsOf, visit } from './syntax.ts'

/** Why a statement can't be captured row by row. The names are part of the log: `details.reason`. */
export type UncapturableReason = keyof typeof uncapturableReasons

/** Every reason in words, for messages and docs/limits.md. */
export const uncapturableReasons = {
  'several-statements': 'several statements in one call cannot be rewritten as one',
  'unknown-syntax': "PostgreSQL's parser, version 18, does not know the syntax",
  merge: 'MERGE may insert, update and delete at once',
  'writing-cte': 'a WITH clause writes',
  'select-into': 'SELECT INTO creates a table',
  function: 'it calls a function that may write',
  procedure: 'CALL and DO run code that may write',
  copy: 'COPY FROM adds rows that are not in the statement',
  truncate: 'TRUNCATE does not say which rows it removes',
  'prepared-statement': 'EXECUTE runs a statement that is not in its text',
  'explain-analyze': 'EXPLAIN ANALYZE runs the statement and hides its rows',
  cursor: 'WHERE CURRENT OF depends on a cursor',
  definition: 'it changes definitions or settings, not rows',
  'unknown-table': 'the table is not in the catalog: temporary, or newer than the statement',
  'not-a-table': 'a view, a materialized or a foreign table has no rows of its own',
  rule: 'a rewrite rule on the table changes what the statement does',
  'returning-star':
    'RETURNING * of several tables does not say which columns it returns, and other rows follow by referential actions',
  trigger: 'a BEFORE trigger changed the key of a row, or kept it, so that what followed is not known',
  'row-security': 'row-level security lets the role change rows that it may not read',
  privilege: 'the role may not read, or lock, all that an entry needs',
  unrepeatable:
    'which rows it changes may differ when asked again (chance, SKIP LOCKED, a subquery), and it reads other tables besides',
  'upsert-without-values':
    'an upsert must say the key of each row in VALUES: before PostgreSQL 18, or where it sets a key that other rows follow',
} as const

/** What a statement means to the audit. */
export type Classified =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'write'
      readonly statement: WriteStatement
      readonly table: Table
      /** Why the statement can't record its rows itself, though triggers can. */
      readonly obstacle: UncapturableReason | undefined
    }
  | { readonly kind: 'uncapturable'; readonly reason: UncapturableReason }

/** Statements that change neither rows nor definitions. */
const harmless = new Set([
  ...[
    'TransactionStmt',
    'VariableShowStmt',
    'VariableSetStmt',
    'LockStmt',
    'ListenStmt',
    'UnlistenStmt',
    'NotifyStmt',
  ],
  ...[
    'FetchStmt',
    'ClosePortalStmt',
    'DeallocateStmt',
    'DiscardStmt',
    'ConstraintsSetStmt',
    'CheckPointStmt',
  ],
  ...['PrepareStmt', 'VacuumStmt', 'LoadStmt'],
])

/**
 * Decides about a statement: does it only read, can its writes be captured row by row, and if not, why?
 *
 * @param written the oid of the table that it writes to, if the name alone does not say
 */
export function classify(syntax: Syntax | undefined, catalog: Catalog, written?: number): Classified {
  if (!syntax) return { kind: 'uncapturable', reason: 'unknown-syntax' }
  const [first, ...others] = syntax.statements
  if (!first) return { kind: 'read' }
  if (others.length > 0) {
    const allRead = !syntax.statements.some((statement) => mayWrite(statement, catalog))
    return allRead ? { kind: 'read' } : { kind: 'uncapturable', reason: 'several-statements' }
  }
  const reason = reasonFor(first.type, first.node, catalog)
  if (reason === 'read') return { kind: 'read' }
  if (reason !== 'write') return { kind: 'uncapturable', reason }
  const statement = readStatement(first.type, first.node, syntax, catalog.server)
  const table =
    written === undefined
      ? findTable(catalog, statement.table)
      : findTables(catalog, [statement.table.name]).find(({ oid }) => oid === written)
  if (!table) return { kind: 'uncapturable', reason: 'unknown-table' }
  const isCursor = findIn(first.node, 'CurrentOfExpr')
  const obstacle = isCursor ? 'cursor' : obstacleTo(statement, table, catalog)
  return { kind: 'write', statement, table, obstacle }
}

/** Whether a statement changes rows or definitions, as far as its text says. */
export function mayWrite({ type, node }: Syntax['statements'][number], catalog: Catalog): boolean {
  return reasonFor(type, node, catalog) !== 'read'
}

function reasonFor(type: string, node: SyntaxNode, catalog: Catalog): 'read' | 'write' | UncapturableReason {
  switch (type) {
    case 'SelectStmt':
      if (findIn(node, 'IntoClause') || 'intoClause' in node) return 'select-into'
      if (writesInside(node)) return 'writing-cte'
      return callsWritingFunction(node, catalog) ? 'function' : 'read'
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
      if (writesInside(node)) return 'writing-cte'
      return 'write'
    case 'MergeStmt':
      return 'merge'
    case 'CallStmt':
    case 'DoStmt':
      return 'procedure'
    case 'CopyStmt':
      return node.is_from ? 'copy' : reasonForInner(node.query, catalog)
    case 'DeclareCursorStmt':
      return reasonForInner(node.query, catalog)
    case 'TruncateStmt':
      return 'truncate'
    case 'ExecuteStmt':
      return 'prepared-statement'
    case 'ExplainStmt':
      return runsExplained(node) && reasonForInner(node.query, catalog) !== 'read'
        ? 'explain-analyze'
        : 'read'
    default:
      return harmless.has(type) ? 'read' : 'definition'
  }
}

/** The reason for a statement inside another, as in `COPY (SELECT …) TO`. */
function reasonForInner(query: unknown, catalog: Catalog): 'read' | UncapturableReason {
  const [[type, node] = ['', {}]] = Object.entries((query ?? {}) as Record<string, SyntaxNode>)
  const reason = type === '' ? 'read' : reasonFor(type, node, catalog)
  return reason === 'write' ? 'writing-cte' : reason
}

/** Whether EXPLAIN runs the statement: it has ANALYZE, not switched off. */
function runsExplained(node: SyntaxNode): boolean {
  const options = (node.options ?? []) as { DefElem: { defname: string; arg?: unknown } }[]
  const analyze = options.find(({ DefElem }) => DefElem.defname === 'analyze')?.DefElem
  if (!analyze) return false
  const {
    String: text,
    Integer: number,
    Boolean: flag,
  } = (analyze.arg ?? {}) as {
    String?: { sval: string }
    Integer?: { ival?: number }
    Boolean?: { boolval?: boolean }
  }
  if (number) return number.ival !== undefined && number.ival !== 0
  if (flag) return flag.boolval === true
  return !['false', 'off', '0'].includes(text?.sval.toLowerCase() ?? 'true')
}

function obstacleTo(
  statement: WriteStatement,
  table: Table,
  catalog: Catalog,
): UncapturableReason | undefined {
  if (table.kind !== 'r' && table.kind !== 'p') return 'not-a-table'
  if (table.rules) return 'rule'
  if (statement.kind !== 'upsert' || catalog.server.returnsOldRows) return undefined
  const key = conflictKey(statement.conflict, table)
  // a single row replaced the one locked row; for several, a key has to match them
  const isFound =
    key?.rows.length === 1 || stableKey(statement.conflict, statement.assigned, table).length > 0
  return table.kind === 'r' && key && isFound ? undefined : 'upsert-without-values'
}

/** Whether a statement contains another that writes: a writing CTE, or the one that EXPLAIN runs. */
function writesInside(node: SyntaxNode): boolean {
  return ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].some((type) => findIn(node, type))
}

function callsWritingFunction(node: SyntaxNode, catalog: Catalog): boolean {
  let found = false
  visit(node, (type, call) => {
    if (type === 'FuncCall') found ||= catalog.writingFunctions.has(stringsOf(call.funcname).at(-1) ?? '')
  })
  return found
}
