import { quoteIdentifier } from '../../postgres/identifiers.ts'
import type { Server } from '../../postgres/server.ts'
import { outputName } from './output-name.ts'
import { type Syntax, type SyntaxNode, stringsOf, visit } from './syntax.ts'
import { closingBracket, splitAtCommas } from './tokens.ts'

/** A RETURNING clause. */
export interface Returning {
  /** Everything after the keyword, as written. */
  readonly text: string
  readonly outputs: readonly Output[]
  /** What a bare star stands for besides the statement's own table: quoted names; undefined if a join merges columns. */
  readonly joined: readonly string[] | undefined
  /** The statement's own names for the old and the new row, if any. */
  readonly oldAlias: string | undefined
  readonly newAlias: string | undefined
}

/** One item of a RETURNING list: a result column by its name, or a star for several, maybe those of one table. */
export type Output = { readonly text: string } & (
  | { readonly name: string }
  | { readonly star: string | undefined }
)

interface ReturningNode {
  options?: { ReturningOption: { option: string; value: string } }[]
  exprs: { ResTarget: { name?: string; val: SyntaxNode } }[]
}

/** @param at the index of the token RETURNING, `last` that of the statement's last token */
export function readReturning(
  node: SyntaxNode,
  syntax: Syntax,
  at: number,
  last: number,
  server: Server,
): Returning {
  const { options = [], exprs } = node.returningClause as ReturningNode
  const alias = (kind: string) =>
    options.map((item) => item.ReturningOption).find((item) => item.option === `RETURNING_OPTION_${kind}`)
      ?.value
  // RETURNING WITH (OLD AS o, NEW AS n) list
  const listAt = options.length > 0 ? closingBracket(syntax.tokens, at + 2) + 1 : at + 1
  const texts = splitAtCommas(syntax.tokens, listAt, last).map(([start, end]) => syntax.slice(start, end))
  // a table named old or new takes that name from the row
  const taken = tableNames(node)
  const mentions = (name: string) =>
    !taken.has(name) && exprs.some((item) => JSON.stringify(item).includes(`{"sval":"${name}"}`))
  return {
    text: syntax.slice(at + 1, last),
    outputs: exprs.map(({ ResTarget: { name, val } }, index) => ({
      text: texts[index] ?? '',
      ...(name === undefined ? outputOf(val, server) : { name }),
    })),
    joined: joinedNames([node.fromClause, node.usingClause].flat()),
    oldAlias: alias('OLD') ?? (mentions('old') ? 'old' : undefined),
    newAlias: alias('NEW') ?? (mentions('new') ? 'new' : undefined),
  }
}

/** A statement's names for its tables: the one it writes, and the others. */
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

/** The tables of a FROM clause by their names, in the order of a star; undefined if a star has fewer columns than they. */
function joinedNames(items: readonly unknown[]): string[] | undefined {
  const names = items.map((item) => {
    const [[type, node] = ['', {}]] = Object.entries((item ?? {}) as Record<string, SyntaxNode>)
    const alias = (node.alias as { aliasname: string } | undefined)?.aliasname
    if (type === '') return []
    if (type === 'JoinExpr') {
      const merges = alias !== undefined || node.isNatural || node.usingClause
      return merges ? undefined : joinedNames([node.larg, node.rarg])
    }
    const name = alias ?? (type === 'RangeVar' ? (node.relname as string) : undefined)
    return name === undefined ? undefined : [quoteIdentifier(name)]
  })
  return names.every((name) => name !== undefined) ? names.flat() : undefined
}

function outputOf(value: SyntaxNode, server: Server): { name: string } | { star: string | undefined } {
  const column = value.ColumnRef as { fields: unknown } | undefined
  if (column) {
    const path = stringsOf(column.fields)
    return path.at(-1) === '*' ? { star: path.at(-2) } : { name: path.at(-1) ?? '' }
  }
  return { name: outputName(value, server) }
}
