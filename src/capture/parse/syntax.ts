import { loadModule, parseSync, type ScanToken, scanSync } from 'libpg-query'

/** A node of PostgreSQL's own parse tree, as libpg-query gives it: one key that names the node, or fields. */
export type SyntaxNode = { readonly [field: string]: unknown }

/** One parsed statement, and its tokens without comments. */
export interface Syntax {
  readonly statements: readonly { readonly type: string; readonly node: SyntaxNode }[]
  readonly tokens: readonly ScanToken[]
  /** The text from the start of one token to the end of another. */
  slice(first: number, last: number): string
}

let loading: Promise<void> | undefined

/** Loads PostgreSQL's parser (WebAssembly, about 50 ms, once). */
export function loadParser(): Promise<void> {
  loading ??= loadModule()
  return loading
}

/** Parses with PostgreSQL's parser; undefined when it can't. {@link loadParser} comes first. */
export function parse(sql: string): Syntax | undefined {
  try {
    const statements = (parseSync(sql).stmts ?? []).flatMap(({ stmt }) =>
      Object.entries(stmt ?? {}).map(([type, node]) => ({ type, node: node as SyntaxNode })),
    )
    const tokens = scanSync(sql).tokens.filter((token) => !token.tokenName.endsWith('_COMMENT'))
    const bytes = Buffer.from(sql) // the parser counts bytes of UTF-8
    const slice = (first: number, last: number) =>
      bytes.subarray(tokens[first]?.start ?? 0, tokens[last]?.end ?? 0).toString()
    return { statements, tokens, slice }
  } catch {
    return undefined // syntax that this parser does not know, or none at all: the server will say
  }
}

/** Visits every node of a tree with its type, depth first. */
export function visit(tree: unknown, onNode: (type: string, node: SyntaxNode) => void): void {
  if (Array.isArray(tree)) {
    for (const item of tree) visit(item, onNode)
  } else if (typeof tree === 'object' && tree !== null) {
    for (const [key, value] of Object.entries(tree)) {
      if (/^[A-Z]/.test(key) && typeof value === 'object' && value !== null) onNode(key, value as SyntaxNode)
      visit(value, onNode)
    }
  }
}

/**
 * Where the clauses of a statement begin: the index of the first token outside any parentheses with this keyword,
 * from `from` on. `IS DISTINCT FROM` is an operator, not a clause.
 */
export function findClause(syntax: Syntax, keyword: string, from = 0): number | undefined {
  let depth = 0
  for (let index = 0; index < syntax.tokens.length; index++) {
    const text = syntax.tokens[index]?.text.toUpperCase()
    if (text === '(' || text === '[') depth++
    else if (text === ')' || text === ']') depth--
    else if (depth === 0 && index >= from && text === keyword) {
      if (syntax.tokens[index]?.keywordName === 'NO_KEYWORD') continue
      if (keyword === 'FROM' && syntax.tokens[index - 1]?.text.toUpperCase() === 'DISTINCT') continue
      return index
    }
  }
  return undefined
}

/** How many parameters a statement takes: the highest `$n` in it. */
export function countParameters(syntax: Syntax | undefined): number {
  const numbers = (syntax?.tokens ?? [])
    .filter((token) => token.tokenName === 'PARAM')
    .map(({ text }) => text.slice(1))
  return Math.max(0, ...numbers.map(Number))
}

/** The strings of a list of `String` nodes: `["public", "users"]` of a qualified name. */
export function names(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list.map((item: { String?: { sval?: string } }) => item.String?.sval ?? '*')
}
