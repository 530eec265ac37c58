import { type SyntaxNode, stringsOf, visit } from './syntax.ts'

const plainNodes = new Set([
  ...['ParamRef', 'A_Const', 'ColumnRef', 'A_Expr', 'TypeCast', 'TypeName', 'String', 'Integer', 'List'],
  ...['Float', 'Boolean', 'BoolExpr', 'NullTest', 'BooleanTest', 'CoalesceExpr', 'CaseExpr', 'CaseWhen'],
  ...['A_ArrayExpr', 'RowExpr', 'A_Indirection', 'A_Indices', 'MinMaxExpr', 'CollateClause'],
])

/**
 * How often a statement's choice of its rows gives the same:
 * - `plain`: in every statement, as long as the rows don't change.
 * - `steady`: twice in one statement, whose snapshot is one.
 * - `once`: never again. Chance decides, or the locks of other transactions (SKIP LOCKED), or the order of a scan.
 */
export type RowChoice = 'plain' | 'steady' | 'once'

export function choiceOf(node: SyntaxNode): RowChoice {
  const { whereClause, fromClause, usingClause } = node
  if (isPlain(whereClause) && isPlainJoin([fromClause, usingClause])) return 'plain'
  return isSteady([whereClause, fromClause, usingClause]) ? 'steady' : 'once'
}

/** Whether an expression depends on nothing but parameters and the row at hand: no function, no subquery. */
export function isPlain(expression: unknown): boolean {
  return everyNode(expression, (type) => plainNodes.has(type))
}

const joins = new Set(['RangeVar', 'JoinExpr', 'Alias'])

/** Whether tables are joined as they are, by plain conditions. */
function isPlainJoin(from: unknown): boolean {
  return everyNode(from, (type) => plainNodes.has(type) || joins.has(type))
}

const queries = new Set([
  ...['SelectStmt', 'ResTarget', 'RangeVar', 'JoinExpr', 'Alias', 'SubLink', 'RangeSubselect', 'SortBy'],
  ...['WithClause', 'CommonTableExpr', 'GroupingSet', 'WindowDef', 'A_Star', 'FuncCall', 'SQLValueFunction'],
  ...['RangeFunction', 'ColumnDef'],
])

/** Functions that give the same twice in one statement. Others may not, whatever they are. */
const steadyFunctions = new Set([
  ...['count', 'sum', 'min', 'max', 'avg', 'bool_and', 'bool_or', 'every', 'now', 'transaction_timestamp'],
  ...['lower', 'upper', 'trim', 'btrim', 'ltrim', 'rtrim', 'length', 'char_length', 'substring', 'substr'],
  ...[
    'replace',
    'concat',
    'left',
    'right',
    'split_part',
    'starts_with',
    'abs',
    'floor',
    'ceil',
    'round',
    'mod',
  ],
  ...['date_trunc', 'date_part', 'extract', 'to_char', 'to_tsvector', 'to_tsquery', 'plainto_tsquery'],
  ...['array_length', 'cardinality', 'unnest', 'generate_series', 'string_to_array', 'regexp_replace'],
  ...['json_array_elements', 'jsonb_array_elements', 'json_to_recordset', 'jsonb_to_recordset', 'jsonb_each'],
  ...['array_agg', 'string_agg', 'json_agg', 'jsonb_agg', 'row_number', 'rank', 'dense_rank'],
])

/**
 * Whether parts of a statement give the same when one statement evaluates them twice. Its snapshot is one, so
 * subqueries do; not what chance, another transaction's locks or the order of a scan decide.
 */
function isSteady(parts: unknown): boolean {
  return everyNode(parts, (type, node) => {
    if (type === 'FuncCall') return steadyFunctions.has(stringsOf(node.funcname).at(-1) ?? '')
    if (type === 'SelectStmt' && ('lockingClause' in node || 'limitCount' in node || 'limitOffset' in node))
      return false
    return plainNodes.has(type) || queries.has(type)
  })
}

function everyNode(tree: unknown, test: (type: string, node: SyntaxNode) => boolean): boolean {
  let all = true
  visit(tree, (type, node) => {
    all &&= test(type, node)
  })
  return all
}
