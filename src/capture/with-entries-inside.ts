import type { Attribution } from '../attribution.ts'
import { quoteLiteral } from '../postgres/identifiers.ts'
import { replaceTokens } from './parse/syntax.ts'
import type { UncapturablePlan } from './plan.ts'

/**
 * A text that controls its transaction, with an entry inside each part that is kept or undone as a whole, so that it shares its
 * fate. Several statements take no parameters, so the entry's values are constants.
 */
export function withEntriesInside(
  { statement, entry, ahead }: UncapturablePlan,
  parts: readonly string[],
  attribution: Attribution,
): string {
  const context = ahead ? ahead.parameters.bind(attribution).args : []
  const text = parts.reduce((before, part) => {
    const args = entry ? [statement, ...entry.parameters.bind(attribution).args] : [] // each with an id of its own
    const first = [
      ...(entry ? [withConstants(entry.sql, args)] : []),
      ...(ahead ? [withConstants(ahead.sql, context)] : []),
    ]
    return `${before}${first.map((sql) => `${sql};\n`).join('')}${part}`
  })
  if (!ahead) return text
  // the transaction may go on
  const after = withConstants(
    ahead.sql,
    context.map(() => null),
  )
  return `${text}\n;${after}`
}

function withConstants(sql: string, values: readonly unknown[]): string {
  return replaceTokens(sql, ({ tokenName, text }) => {
    if (tokenName !== 'PARAM') return undefined
    const value = values[Number(text.slice(1)) - 1]
    return value === null || value === undefined ? 'NULL' : quoteLiteral(String(value))
  })
}
