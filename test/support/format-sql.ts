import { type ScanToken, scanSync } from 'libpg-query'

const width = 100

/** A token, or what stands between brackets, or between CASE and END. */
interface Piece {
  readonly text: string
  readonly spaced: boolean
  readonly inside?: readonly Piece[]
}

const closings: Record<string, string> = { '(': ')', '[': ']', CASE: 'END' }

/** Breaks a statement into lines of about 100 characters. Only white space changes. The parser must be loaded. */
export function formatSql(sql: string): string {
  return lay(piecesOf(sql, scanSync(sql).tokens), 0)
}

function piecesOf(sql: string, tokens: ScanToken[]): Piece[] {
  const bytes = Buffer.from(sql)
  const read = (from: number): [pieces: Piece[], end: number] => {
    const pieces: Piece[] = []
    for (let index = from; index < tokens.length; index++) {
      const { text = '', start = 0 } = tokens[index] ?? {}
      if (Object.values(closings).includes(text)) return [pieces, index]
      const spaced = /\s/.test(bytes.subarray(start - 1, start).toString())
      if (closings[text] === undefined) pieces.push({ text, spaced })
      else {
        const [inside, end] = read(index + 1)
        pieces.push({ text, spaced, inside })
        index = end
      }
    }
    return [pieces, tokens.length]
  }
  return read(0)[0]
}

/** Writes pieces from column `indent` on: in one line if they fit, or else broken where they are least connected. */
function lay(pieces: readonly Piece[], indent: number, layList = layItems): string {
  const line = flat(pieces)
  if (indent + line.length <= width) return line
  const clauses = splitBefore(pieces, startsClause)
  if (clauses.length > 1) return clauses.map((clause) => lay(clause, indent)).join(newLine(indent))

  const head = headLength(pieces)
  const items = splitBefore(pieces.slice(head), isBehindComma)
  if (head > 0) return `${flat(pieces.slice(0, head))}${newLine(indent + 2)}${layList(items, indent + 2)}`
  if (items.length > 1) return layList(items, indent)

  const terms = splitBefore(pieces, (all, index) => connectives.has(all[index]?.text ?? ''))
  if (terms.length > 1) {
    return terms.map((term, index) => lay(term, index === 0 ? indent : indent + 2)).join(newLine(indent + 2))
  }
  return layLongestBrackets(pieces, indent)
}

/** Items of a list: as many on a line as fit. */
function layItems(items: readonly Piece[][], indent: number): string {
  const lines: string[] = []
  for (const item of items) {
    const joined = `${lines.at(-1)} ${flat(item)}`
    const fits = lines.length > 0 && indent + joined.length <= width && !joined.includes('\n')
    if (fits) lines[lines.length - 1] = joined
    else lines.push(lay(item, indent))
  }
  return lines.join(newLine(indent))
}

/** The arguments of jsonb_build_object: a name and its value on each line. */
function layPairs(items: readonly Piece[][], indent: number): string {
  const pairs = items.flatMap((item, index) =>
    index % 2 === 0 ? [[...item, ...(items[index + 1] ?? [])]] : [],
  )
  return pairs.map((pair) => layLongestBrackets(pair, indent)).join(newLine(indent))
}

/** `name(` on one line, what is between the brackets below, then `)` and the rest. */
function layLongestBrackets(pieces: readonly Piece[], indent: number): string {
  const line = flat(pieces)
  const lengths = pieces.map((piece) => (piece.inside ? flat(piece.inside).length : -1))
  const at = lengths.indexOf(Math.max(...lengths))
  const { text = '', spaced, inside } = pieces[at] ?? {}
  if (indent + line.length <= width || !inside?.length) return line
  const before = at > 0 ? `${lay(pieces.slice(0, at), indent)}${spaced ? ' ' : ''}` : ''
  const rest = pieces.slice(at + 1)
  const after = rest.length > 0 ? `${rest[0]?.spaced ? ' ' : ''}${lay(rest, indent)}` : ''
  const layout = pieces[at - 1]?.text === 'jsonb_build_object' ? layPairs : layItems
  const below =
    text === 'CASE'
      ? splitBefore(inside, (all, index) => ['WHEN', 'ELSE'].includes(all[index]?.text ?? ''))
          .map((branch) => lay(branch, indent + 2))
          .join(newLine(indent + 2))
      : lay(inside, indent + 2, layout)
  return `${before}${text}${newLine(indent + 2)}${below}${newLine(indent)}${closings[text]}${after}`
}

function flat(pieces: readonly Piece[]): string {
  return pieces
    .map(({ text, spaced, inside }, index) => {
      const gap = text === 'CASE' ? ' ' : ''
      const content = inside ? `${text}${gap}${flat(inside)}${gap}${closings[text]}` : text
      return index > 0 && spaced ? ` ${content}` : content
    })
    .join('')
}

function newLine(indent: number): string {
  return `\n${' '.repeat(indent)}`
}

type Test = (pieces: readonly Piece[], index: number) => boolean

function splitBefore(pieces: readonly Piece[], test: Test): Piece[][] {
  const groups: Piece[][] = [[]]
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && test(pieces, index)) groups.push([])
    groups.at(-1)?.push(piece)
  }
  return groups
}

/** How many pieces introduce a list: `SELECT`, `RETURNING WITH (OLD AS o, NEW AS n)`. */
function headLength(pieces: readonly Piece[]): number {
  if (pieces[0]?.text === 'RETURNING' && pieces[1]?.text === 'WITH') return 3
  return pieces.length > 1 && ['SELECT', 'RETURNING', 'SET'].includes(pieces[0]?.text ?? '') ? 1 : 0
}

const connectives = new Set(['AND', 'OR', 'ON', 'THEN'])

const isBehindComma: Test = (pieces, index) => pieces[index - 1]?.text === ','

const clauseWords = new Set([
  ...[
    'SELECT',
    'FROM',
    'WHERE',
    'RETURNING',
    'SET',
    'VALUES',
    'UNION',
    'GROUP',
    'INSERT',
    'UPDATE',
    'DELETE',
  ],
  ...['JOIN', 'LEFT', 'CROSS', 'FOR'],
])
/** Words after which these begin no clause: DELETE FROM, IS DISTINCT FROM, DO UPDATE SET, FOR NO KEY UPDATE, LEFT JOIN. */
const joiningWords = new Set(['DELETE', 'DISTINCT', 'DO', 'FOR', 'KEY', 'LEFT', 'CROSS'])

const startsClause: Test = (pieces, index) => {
  const [before, word, after] = [pieces[index - 1]?.text, pieces[index]?.text ?? '', pieces[index + 1]?.text]
  if (before !== undefined && joiningWords.has(before)) return false
  return clauseWords.has(word) || (word === 'ON' && after === 'CONFLICT')
}
