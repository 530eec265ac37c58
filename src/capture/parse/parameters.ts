import { replaceTokens, type Syntax } from './syntax.ts'

/** How many parameters a statement takes: the highest `$n` in it. */
export function countParameters(syntax: Syntax | undefined): number {
  const numbers = (syntax?.tokens ?? [])
    .filter((token) => token.tokenName === 'PARAM')
    .map(({ text }) => Number(text.slice(1)))
  return Math.max(0, ...numbers)
}

/** A statement that takes only some of another's parameters. PostgreSQL wants them numbered without gaps. */
export interface Renumbered {
  readonly sql: string
  /** For each of its own parameters in order, the index in the other statement. */
  readonly parameters: readonly number[]
}

/** Renumbers the parameters of a statement in the order in which it mentions them. */
export function renumber(sql: string): Renumbered {
  const { place, parameters } = numbering([])
  const renumbered = replaceTokens(sql, ({ tokenName, text }) =>
    tokenName === 'PARAM' ? place(text) : undefined,
  )
  return { sql: renumbered, parameters }
}

/** Restores lists that were folded when the statement was numbered. They have parameters and no quotes. */
export function renumberFolded(
  { sql, parameters: known }: Renumbered,
  expand: (text: string, list: (content: string) => string) => string,
): Renumbered {
  const { place, parameters } = numbering(known)
  return { sql: expand(sql, (content) => content.replace(/\$\d+/g, place)), parameters }
}

function numbering(known: readonly number[]) {
  const parameters = [...known]
  const places = new Map(known.map((index, place) => [index, place + 1]))
  const place = (parameter: string): string => {
    const index = Number(parameter.slice(1)) - 1
    const found = places.get(index) ?? parameters.push(index)
    places.set(index, found)
    return `$${found}`
  }
  return { place, parameters }
}
