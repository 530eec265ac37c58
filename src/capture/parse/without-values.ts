import type { ScanToken } from 'libpg-query'
import { isComment, replaceTokens } from './syntax.ts'

/** A statement's text with `?` for every constant and without comments: values can be secrets. */
export function withoutValues(sql: string): string {
  try {
    return replaceTokens(sql, (token) =>
      isConstant(token) ? '?' : isComment(token) ? ' ' : undefined,
    ).trim()
  } catch {
    return '(an unreadable statement)'
  }
}

function isConstant({ tokenName, text }: ScanToken): boolean {
  return /^[SBXIF]CONST$/.test(tokenName) || /^(?:[A-Za-z]&?)?'|^\d|^\$[^$\d]*\$/.test(text)
}
