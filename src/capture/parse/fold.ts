/** A statement with its long lists folded, so parsing and caching cost the same for 2 rows and 10,000. */
export interface FoldedStatement {
  readonly text: string
  readonly isFolded: boolean
  /** Restores the folded lists in a text made from `text`, each as `list` writes it. */
  readonly expand: (text: string, list?: (content: string) => string) => string
  /** The comments at the end (sqlcommenter), which make equal statements look different. */
  readonly trailer: string
}

const longFrom = 2_000
const parameterList = /(?:\$\d+,\s?){20,}(?=\$\d+)/g
/** Comments at the end. Nothing before them can make them something else: no string, no line comment. */
function trailerOf(sql: string): string {
  const trailer = /(?:\s*\/\*[^*/\n]*\*\/)+\s*$/.exec(sql)?.[0] ?? ''
  const before = sql.slice(0, sql.length - trailer.length).replace(/\/\*[^*/\n]*\*\//g, '')
  return /--|\/\*|\*\/|'|\$\w*\$/.test(before) ? '' : trailer
}

/**
 * Folds what Prisma repeats: all but the last row of a long `VALUES` list and all but the last parameter of a long `IN`
 * list. Each fold leaves a comment in its place, which the parser skips. Only text without any quotes is folded, so
 * nothing inside a string or a name can be mistaken for a list.
 */
export function foldLists(sql: string): FoldedStatement {
  const trailer = sql.endsWith('*/') ? trailerOf(sql) : ''
  let text = trailer ? sql.slice(0, -trailer.length) : sql
  if (text.length < longFrom || text.includes('fold:'))
    return { text, isFolded: false, expand: (same) => same, trailer }

  const folds: string[] = []
  const fold = (content: string) => `/*fold:${folds.push(content) - 1}*/`
  // before PostgreSQL 18, an upsert's rows are checked one by one
  if (!/\bDO UPDATE\b/i.test(text)) text = foldRows(text, fold)
  text = text.replace(parameterList, fold)
  return {
    text,
    isFolded: folds.length > 0,
    trailer,
    expand: (made, list = (content) => content) =>
      made.replace(/\/\*fold:(\d+)\*\//g, (_, n) => list(folds[Number(n)] ?? '')),
  }
}

function foldRows(text: string, fold: (content: string) => string): string {
  const start = /^INSERT INTO [^']{1,2000}? VALUES (?=\()/.exec(text)?.[0].length
  if (start === undefined) return text
  // one row: parameters, null, DEFAULT and CAST(… AS "schema"."Enum"), with one level of parentheses
  const row = /\((?:[^()'"$]|\$\d+|"[^"]*"|\((?:[^()'"]|"[^"]*")*\))*\)/y
  const separator = /,\s?/y
  let [position, lastRow] = [start, start]
  while (true) {
    row.lastIndex = position
    const matched = row.exec(text)
    if (!matched) return text
    lastRow = position
    separator.lastIndex = row.lastIndex
    if (!separator.test(text)) break
    position = separator.lastIndex
  }
  if (lastRow === start) return text
  return text.slice(0, start) + fold(text.slice(start, lastRow)) + text.slice(lastRow)
}
