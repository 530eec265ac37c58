import { quoteIdentifier, quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { outputName } from './output-name.ts'
import { findClause, names, type Syntax, type SyntaxNode, visit } from './syntax.ts'

/** A single `INSERT`, `UPDATE` or `DELETE`, cut at its clauses. Texts are the statement's own, never rebuilt. */
export interface WriteStatement {
  readonly kind: 'insert' | 'update' | 'delete'
  readonly table: TableName
  /** How the statement itself calls its table: the quoted alias or name. */
  readonly reference: string
  /** Everything before `RETURNING`. */
  readonly body: string
  readonly returning: Returning | undefined
  /** Names of the columns that SET gives a value, also those of ON CONFLICT DO UPDATE. */
  readonly assigned: readonly string[]
  /** What single columns are set to, where the expression is plain: no function, no subquery, no other row. */
  readonly plainValues: ReadonlyMap<string, string>
  /** UPDATE and DELETE: the table with its alias, and the clauses as texts without their keyword. */
  readonly target: string
  readonly set: string | undefined
  readonly from: string | undefined
  readonly where: string | undefined
  /** The statement's own WITH clause, keyword included. */
  readonly with: string | undefined
  readonly conflict: OnConflict | undefined
}

export interface Returning {
  /** The list as written. */
  readonly list: string
  readonly outputs: readonly Output[]
  /** What the statement itself calls the old and the new row, if it does. */
  readonly oldAlias: string | undefined
  readonly newAlias: string | undefined
}

/** One item of a RETURNING list: a column of the result by its name, or a star that stands for several. */
export type Output = { readonly name: string } | { readonly star: string | undefined }

export interface OnConflict {
  readonly action: 'nothing' | 'update'
  /** The columns that say which row is in conflict, where the clause lists plain columns. */
  readonly columns: readonly string[] | undefined
  readonly constraint: string | undefined
  /** Each row of VALUES as its expressions' texts, in the order of `insertColumns`; undefined for other sources. */
  readonly rows: readonly (readonly string[])[] | undefined
  readonly insertColumns: readonly string[]
}

/**
 * Cuts one parsed writing statement into its clauses.
 *
 * @param version `server_version_num`
 */
export function readStatement(
  type: string,
  node: SyntaxNode,
  syntax: Syntax,
  version: number,
): WriteStatement {
  const kind = type === 'InsertStmt' ? 'insert' : type === 'UpdateStmt' ? 'update' : 'delete'
  const relation = node.relation as {
    schemaname?: string
    relname: string
    alias?: { aliasname: string }
    location: number
  }
  const last = syntax.tokens.at(-1)?.text === ';' ? syntax.tokens.length - 2 : syntax.tokens.length - 1
  const main = findKeyword(syntax, kind, relation.location)
  const returningAt = findClause(syntax, 'RETURNING', main)
  const bodyEnd = (returningAt ?? last + 1) - 1
  const conflict = node.onConflictClause as SyntaxNode | undefined
  const assigned = kind === 'insert' ? conflict?.targetList : node.targetList

  const setAt = kind === 'update' ? findClause(syntax, 'SET', main) : undefined
  const whereAt = kind === 'insert' ? undefined : findClause(syntax, 'WHERE', main)
  const fromAt =
    kind === 'delete' ? findClause(syntax, 'USING', main) : findClause(syntax, 'FROM', setAt ?? main)
  const hasFrom = (kind === 'delete' ? node.usingClause : node.fromClause) !== undefined && kind !== 'insert'
  const clauseStarts = [setAt, hasFrom ? fromAt : undefined, whereAt, bodyEnd + 1].filter(
    (at) => at !== undefined,
  )
  const clause = (at: number | undefined) => {
    if (at === undefined) return undefined
    return syntax.slice(at + 1, Math.min(...clauseStarts.filter((start) => start > at)) - 1)
  }
  const targetAt = main + (kind === 'delete' ? 2 : 1) // UPDATE t, DELETE FROM t

  return {
    kind,
    table: relation.schemaname
      ? { schema: relation.schemaname, name: relation.relname }
      : { name: relation.relname },
    reference: quoteIdentifier(relation.alias?.aliasname ?? relation.relname),
    body: syntax.slice(0, bodyEnd),
    returning:
      returningAt === undefined ? undefined : readReturning(node, syntax, returningAt, last, version),
    assigned: targetNames(assigned),
    plainValues:
      kind === 'update'
        ? plainValues(node, syntax, Math.min(...clauseStarts.filter((at) => at > (setAt ?? 0))))
        : new Map(),
    target: kind === 'insert' ? '' : syntax.slice(targetAt, Math.min(...clauseStarts) - 1),
    set: clause(setAt),
    from: hasFrom ? clause(fromAt) : undefined,
    where: clause(whereAt),
    with: main > 0 ? syntax.slice(0, main - 1) : undefined,
    conflict: conflict && readConflict(node, conflict, syntax, main),
  }
}

/** The statement's own INSERT, UPDATE or DELETE: the last one before its table. A WITH query may be called so, too. */
function findKeyword(syntax: Syntax, kind: string, tableLocation: number): number {
  const table = syntax.tokens.findIndex((token) => token.start === tableLocation)
  return syntax.tokens.findLastIndex((token, index) => index < table && token.text.toLowerCase() === kind)
}

function targetNames(targets: unknown): string[] {
  return ((targets ?? []) as { ResTarget?: { name?: string } }[]).map(
    (target) => target.ResTarget?.name ?? '',
  )
}

/** The items of SET that say `column = expression`, cut at the commas between them. */
function plainValues(node: SyntaxNode, syntax: Syntax, end: number): Map<string, string> {
  const targets = (node.targetList ?? []) as {
    ResTarget: { name: string; val: SyntaxNode; location: number }
  }[]
  const starts = targets.map(({ ResTarget }) =>
    syntax.tokens.findIndex((token) => token.start === ResTarget.location),
  )
  return new Map(
    targets.flatMap(({ ResTarget: { name, val } }, index) => {
      const start = starts[index] ?? 0
      const isSingle = syntax.tokens[start + 1]?.text === '='
      const next = starts[index + 1]
      return isSingle && isPlain(val)
        ? [[name, syntax.slice(start + 2, next ? next - 2 : end - 1)] as const]
        : []
    }),
  )
}

function isPlain(value: SyntaxNode): boolean {
  let plain = true
  visit(value, (type) => {
    if (
      !['ParamRef', 'A_Const', 'ColumnRef', 'A_Expr', 'TypeCast', 'TypeName', 'String', 'Integer'].includes(
        type,
      )
    )
      plain = false
  })
  return plain
}

interface ReturningNode {
  options?: { ReturningOption: { option: string; value: string } }[]
  exprs: { ResTarget: { name?: string; val: SyntaxNode } }[]
}

function readReturning(
  node: SyntaxNode,
  syntax: Syntax,
  at: number,
  last: number,
  version: number,
): Returning {
  const { options = [], exprs } = node.returningClause as ReturningNode
  const alias = (kind: string) =>
    options.map((item) => item.ReturningOption).find((item) => item.option === `RETURNING_OPTION_${kind}`)
      ?.value
  // WITH (OLD AS o, NEW AS n) stands before the list; its closing parenthesis is the first one
  const closing = syntax.tokens.findIndex((token, index) => index > at && token.text === ')')
  const listAt = options.length > 0 ? closing + 1 : at + 1
  // a table that is called old or new itself takes the name from the row
  const taken = tableNames(node)
  const mentions = (name: string) =>
    !taken.has(name) && exprs.some((item) => JSON.stringify(item).includes(`{"sval":"${name}"}`))
  return {
    list: syntax.slice(listAt, last),
    outputs: exprs.map(({ ResTarget: { name, val } }) =>
      name === undefined ? outputOf(val, version) : { name },
    ),
    oldAlias: alias('OLD') ?? (mentions('old') ? 'old' : undefined),
    newAlias: alias('NEW') ?? (mentions('new') ? 'new' : undefined),
  }
}

/** What a statement calls its tables: the one it writes, and those beside it. */
function tableNames(node: SyntaxNode): Set<string> {
  const tables = new Set<string>()
  const add = (table: SyntaxNode) => {
    const alias = table.alias as { aliasname: string } | undefined
    const name = alias?.aliasname ?? table.relname
    if (typeof name === 'string') tables.add(name)
  }
  add(node.relation as SyntaxNode)
  visit([node.fromClause, node.usingClause], (_, table) => add(table))
  return tables
}

function outputOf(value: SyntaxNode, version: number): Output {
  const column = value.ColumnRef as { fields: unknown } | undefined
  if (column) {
    const path = names(column.fields)
    return path.at(-1) === '*' ? { star: path.at(-2) } : { name: path.at(-1) ?? '' }
  }
  return { name: outputName(value, version) }
}

function readConflict(node: SyntaxNode, conflict: SyntaxNode, syntax: Syntax, main: number): OnConflict {
  const infer = conflict.infer as
    | { indexElems?: { IndexElem: { name?: string } }[]; conname?: string }
    | undefined
  const columns = infer?.indexElems?.map((element) => element.IndexElem.name)
  return {
    action: conflict.action === 'ONCONFLICT_UPDATE' ? 'update' : 'nothing',
    columns: columns?.every((name) => name !== undefined) ? (columns as string[]) : undefined,
    constraint: infer?.conname,
    rows: readRows(node, syntax, main),
    insertColumns: targetNames(node.cols),
  }
}

/** The expressions of a VALUES list, cut at the commas between its parentheses. */
function readRows(node: SyntaxNode, syntax: Syntax, main: number): string[][] | undefined {
  const select = (node.selectStmt as { SelectStmt?: { valuesLists?: unknown[] } } | undefined)?.SelectStmt
  const valuesAt = findClause(syntax, 'VALUES', main)
  if (!select?.valuesLists || valuesAt === undefined) return undefined
  const rows: string[][] = []
  let depth = 0
  let start = 0
  for (let index = valuesAt + 1; index < syntax.tokens.length; index++) {
    const text = syntax.tokens[index]?.text ?? ''
    if (text === '(' || text === '[') {
      if (++depth === 1) {
        rows.push([])
        start = index + 1
      }
    } else if (text === ')' || text === ']' || text === ',') {
      if (depth === 1) {
        rows.at(-1)?.push(syntax.slice(start, index - 1))
        start = index + 1
      }
      if (text !== ',' && --depth === 0 && syntax.tokens[index + 1]?.text !== ',') return rows
    }
  }
  return rows
}

/** `"public"."users" AS "u"`: the table under the name by which the statement calls it. */
export function tableOf(statement: WriteStatement): string {
  return `${quoteTable(statement.table)} AS ${statement.reference}`
}

/** An UPDATE or DELETE with one more condition. */
export function withCondition(statement: WriteStatement, condition: string): WriteStatement {
  const { kind, target, set, from } = statement
  const where = statement.where === undefined ? condition : `(${statement.where}) AND ${condition}`
  const head = kind === 'delete' ? `DELETE FROM ${target}` : `UPDATE ${target} SET ${set}`
  const beside = from === undefined ? '' : `${kind === 'delete' ? 'USING' : 'FROM'} ${from}`
  const body = [statement.with ?? '', head, beside, `WHERE ${where}`].filter((part) => part !== '').join('\n')
  return { ...statement, where, body }
}
