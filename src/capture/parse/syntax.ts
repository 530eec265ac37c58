import type { parseSync, ScanToken, scanSync } from 'libpg-query'

/** A node of PostgreSQL's own parse tree, from libpg-query: one key that names the node, or fields. */
export type SyntaxNode = { readonly [field: string]: unknown }

/** One parsed text, and its tokens without comments. */
export interface Syntax {
  readonly statements: readonly {
    readonly type: string
    readonly node: SyntaxNode
    /** Where its text begins, in bytes. */
    readonly start: number
  }[]
  readonly tokens: readonly ScanToken[]
  /** The text from the start of one token to the end of another. */
  slice(first: number, last: number): string
}

interface Parser {
  readonly parseSync: typeof parseSync
  readonly scanSync: typeof scanSync
}

/** A statement that only PostgreSQL's parser can read. Whoever makes a plan catches this, loads it, and starts again. */
export class ParserNeeded extends Error {
  constructor() {
    super("PostgreSQL's parser is not loaded")
  }
}

let parser: Parser | undefined
let loading: Promise<void> | undefined

/** Loads PostgreSQL's parser (WebAssembly), once. */
export function loadParser(): Promise<void> {
  loading ??= instantiate()
  return loading
}

async function instantiate(): Promise<void> {
  const module = await import('libpg-query')
  await module.loadModule()
  parser = module
}

function loadedParser(): Parser {
  if (parser) return parser
  throw new ParserNeeded()
}

/**
 * Parses with PostgreSQL's parser; undefined when it can't.
 *
 * @throws ParserNeeded
 */
export function parseSql(sql: string): Syntax | undefined {
  const { parseSync, scanSync } = loadedParser()
  try {
    const statements = statementsOf(parseSync(sql))
    const tokens = scanSync(sql).tokens.filter((token) => !isComment(token))
    const bytes = Buffer.from(sql) // the parser counts UTF-8 bytes
    const slice = (first: number, last: number) =>
      bytes.subarray(tokens[first]?.start ?? 0, tokens[last]?.end ?? 0).toString()
    return { statements, tokens, slice }
  } catch {
    return undefined // unknown or wrong syntax: the server will tell
  }
}

/** The statements of a long text, without its tokens; undefined when PostgreSQL's parser can't read it. */
export function parseScript(sql: string): Syntax['statements'] | undefined {
  const { parseSync } = loadedParser()
  try {
    return statementsOf(parseSync(sql))
  } catch {
    return undefined
  }
}

function statementsOf({ stmts = [] }: ReturnType<typeof parseSync>): Syntax['statements'] {
  return stmts.flatMap(({ stmt, stmt_location: start = 0 }) =>
    Object.entries(stmt ?? {}).map(([type, node]) => ({ type, node: node as SyntaxNode, start })),
  )
}

/**
 * A text with some of its tokens replaced; all else stays as it is.
 *
 * @throws when PostgreSQL's scanner can't read the text
 */
export function replaceTokens(sql: string, replacement: (token: ScanToken) => string | undefined): string {
  const bytes = Buffer.from(sql)
  let text = ''
  let end = 0
  for (const token of loadedParser().scanSync(sql).tokens) {
    const replaced = replacement(token)
    if (replaced === undefined) continue
    text += `${bytes.subarray(end, token.start)}${replaced}`
    end = token.end
  }
  return text + bytes.subarray(end)
}

export function isComment(token: ScanToken): boolean {
  return token.tokenName.endsWith('_COMMENT')
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

/** The strings of a list of `String` nodes: `["public", "users"]` of a qualified name. */
export function stringsOf(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list.map((item: { String?: { sval?: string } }) => item.String?.sval ?? '*')
}

/** Whether a tree has a node of a type. */
export function findIn(tree: unknown, wanted: string): boolean {
  let found = false
  visit(tree, (type) => {
    found ||= type === wanted
  })
  return found
}
