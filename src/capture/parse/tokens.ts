import type { ScanToken } from 'libpg-query'

type Tokens = readonly ScanToken[]

/** The indexes of the tokens outside any brackets, from `first` to `last`, including the outermost brackets. */
function* outerTokens(tokens: Tokens, first: number, last = tokens.length - 1): Generator<number> {
  let depth = 0
  for (let index = first; index <= last; index++) {
    const text = tokens[index]?.text
    if (text === ')' || text === ']') depth--
    if (depth === 0) yield index
    if (text === '(' || text === '[') depth++
  }
}

/**
 * Where a clause begins: the index of the first token outside any brackets with this keyword, from `from` on.
 * `IS DISTINCT FROM` is an operator, not a clause; behind a dot or AS any word is a name.
 */
export function findClause(tokens: Tokens, keyword: string, from = 0): number | undefined {
  const textAt = (index: number) => tokens[index]?.text.toUpperCase()
  for (const index of outerTokens(tokens, from)) {
    if (textAt(index) !== keyword || tokens[index]?.keywordName === 'NO_KEYWORD') continue
    const before = textAt(index - 1)
    if ((keyword === 'FROM' && before === 'DISTINCT') || before === '.' || before === 'AS') continue
    return index
  }
  return undefined
}

/** The parts between the commas outside any brackets, each as its first and last token. */
export function splitAtCommas(tokens: Tokens, first: number, last: number): [first: number, last: number][] {
  const commas = [...outerTokens(tokens, first, last)].filter((index) => tokens[index]?.text === ',')
  const starts = [first, ...commas.map((comma) => comma + 1)]
  const ends = [...commas.map((comma) => comma - 1), last]
  return starts.map((start, piece) => [start, ends[piece] ?? last])
}

/** The index of the bracket that closes the one at `opening`. */
export function closingBracket(tokens: Tokens, opening: number): number {
  const [, closing = tokens.length - 1] = outerTokens(tokens, opening)
  return closing
}
