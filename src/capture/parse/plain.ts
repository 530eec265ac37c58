import { unquoteIdentifier } from '../../postgres/identifiers.ts'
import type { PlainWrite } from './statement.ts'

/** A statement that was read without PostgreSQL's parser. */
export interface PlainStatement {
  /** How many parameters it takes: the highest `$n` in it. */
  readonly parameterCount: number
  /** Undefined when it only reads. */
  readonly write: PlainWrite | undefined
}

/** A token outside of brackets, and where it stands. */
interface PlainToken {
  readonly text: string
  readonly start: number
  readonly end: number
}

const keywords = new Set(
  `ALL AND ANY AS ASC BETWEEN BY CAST COALESCE CONFLICT DEFAULT DELETE DESC DO EXISTS FALSE FIRST FROM ILIKE IN INSERT INTO IS
   LAST LIKE LIMIT NOT NOTHING NULL NULLS OFFSET ON OR ORDER RETURNING SELECT SET TRUE UPDATE VALUES WHERE`.split(
    /\s+/,
  ),
)
const name = '"(?:[^"]|"")+"'
const token = new RegExp(
  String.raw`\s+|/\*fold:\d+\*/|${name}|\$\d+|\d+(?:\.\d+)?|::\w+|\w+|<>|<=|>=|!=|\|\||[(),.=<>+*/%-]`,
  'y',
)
const table = `(?<schema>${name})\\.(?<name>${name})`
const heads = {
  insert: new RegExp(`^INSERT INTO ${table} (?:\\([^()]*\\) (?=VALUES )|(?=DEFAULT VALUES))`),
  update: new RegExp(`^UPDATE (?<target>${table}) (?=SET )`),
  delete: new RegExp(`^DELETE FROM (?<target>${table})(?= WHERE | RETURNING |$)`),
  select: /^(?=SELECT )/,
}

/**
 * Reads a statement of the form that Prisma gives its own: keywords in capitals, quoted names, parameters and operators,
 * but no strings, comments or functions. Where triggers record every table most processes send no other, and never load
 * PostgreSQL's parser, which takes time and memory.
 *
 * @returns undefined for any other form, which may mean anything
 */
export function readPlain(sql: string): PlainStatement | undefined {
  if (/'|--|;|\/\*(?!fold:)/.test(sql)) return undefined
  const found = headOf(sql)
  const tokens = found && plainTokens(sql, found.head[0].length)
  if (!tokens) return undefined
  const numbers = [...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number))
  const parameterCount = Math.max(0, ...numbers)
  if (found.kind === 'select') {
    const onlyReads = !tokens.some(({ text }) => text === 'INTO')
    return onlyReads ? { parameterCount, write: undefined } : undefined
  }
  const write = readWrite(found.kind, found.head, sql, tokens)
  return write && { parameterCount, write }
}

function headOf(sql: string): { kind: keyof typeof heads; head: RegExpExecArray } | undefined {
  for (const kind of Object.keys(heads) as (keyof typeof heads)[]) {
    const head = heads[kind].exec(sql)
    if (head) return { kind, head }
  }
  return undefined
}

/** The tokens outside of brackets, from a place on; undefined where one has another form, or may be a function. */
function plainTokens(sql: string, from: number): PlainToken[] | undefined {
  const outer: PlainToken[] = []
  let depth = 0
  let before = ''
  token.lastIndex = from
  for (let start = from; start < sql.length; start = token.lastIndex) {
    const text = token.exec(sql)?.[0]
    if (text === undefined || (/^[A-Za-z_]/.test(text) && !keywords.has(text))) return undefined
    if (/^(?:\s|\/\*)/.test(text)) continue
    if (keywords.has(text) && (before === '.' || before === 'AS')) return undefined // a name
    if (text === '(' && /["\w]$/.test(before) && !keywords.has(before)) return undefined
    if (text === ')') depth--
    if (depth === 0) outer.push({ text, start, end: token.lastIndex })
    if (text === '(') depth++
    before = text
  }
  return depth === 0 ? outer : undefined
}

function readWrite(
  kind: PlainWrite['kind'],
  { 0: head, groups = {} }: RegExpExecArray,
  sql: string,
  tokens: readonly PlainToken[],
): PlainWrite | undefined {
  const first = (keywords: string[], from = 0) =>
    tokens.find(({ text, start }) => start >= from && keywords.includes(text))
  if (first(['SELECT', 'FROM'])) return undefined
  const set = first(['SET'])
  const returning = first(['RETURNING'])
  const setEnd = first(['WHERE', 'RETURNING'], set?.end)?.start ?? sql.length
  const bodyEnd = returning?.start ?? sql.length
  const text = (from: number, to: number) => sql.slice(from, to).trim()
  const common = {
    table: { schema: unquoteIdentifier(groups.schema ?? ''), name: unquoteIdentifier(groups.name ?? '') },
    body: text(0, bodyEnd),
    returning: returning && { text: text(returning.end, sql.length) },
  }
  const assigned = set && assignedBy(tokens.filter(({ start }) => start >= set.end && start < setEnd))
  if (set && !assigned) return undefined
  if (kind === 'insert' && !assigned) return { ...common, kind }
  if (kind === 'insert' && assigned) return { ...common, kind: 'upsert', assigned }
  const where = first(['WHERE'], head.length)
  const selected = {
    ...{ target: groups.target ?? '', from: undefined, with: undefined },
    where: where && text(where.end, bodyEnd),
  }
  if (kind === 'delete') return { ...common, ...selected, kind }
  return set && assigned && { ...common, ...selected, kind: 'update', assigned, set: text(set.end, setEnd) }
}

/** The columns that SET assigns; undefined where one is not assigned by its name alone. */
function assignedBy(tokens: readonly PlainToken[]): string[] | undefined {
  const columns: string[] = []
  for (const [index, { text }] of tokens.entries()) {
    if (index > 0 && tokens[index - 1]?.text !== ',') continue
    if (!text.startsWith('"') || tokens[index + 1]?.text !== '=') return undefined
    columns.push(unquoteIdentifier(text))
  }
  return columns
}
