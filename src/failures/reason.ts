import { stripVTControlCharacters } from 'node:util'
import { serverMessageOf, sqlStateOf } from '../postgres/sql-state.ts'
import { redactedValue } from '../values/redacted.ts'
import { storable } from '../values/storable.ts'
import type { PrismaErrorLike } from './kind.ts'

/** An entry's reason is for people, so longer messages are cut. */
const longestReason = 2_000

/**
 * Why a write failed, for `reason`: the code and the message, without the source code that Prisma puts first and
 * without values that the log must not hold.
 *
 * @param secrets texts of values that must not appear
 *
 * @example
 * ```ts
 * failureReason(error, []) // 'P2002: Unique constraint failed on the constraint: `users_email_key`'
 * ```
 */
export function failureReason(error: PrismaErrorLike, secrets: readonly string[]): string {
  const code = error.code ?? sqlStateOf(error)
  const message = error.name === 'DriverAdapterError' ? messageAtEnd(error) : withoutSourceCode(error.message)
  const hidden = hideSecrets(hideQuoted(hideRows(message), error), secrets)
  const reason = storable(code === undefined ? hidden : `${code}: ${hidden}`)
  return reason.length > longestReason ? `${reason.slice(0, longestReason).toWellFormed()}…` : reason
}

/**
 * When a transaction can't end, the adapter's error arrives unchanged. The server's message may come from a deferred
 * trigger and hold values of any call. So it is used only where it can hold nothing but names: SQLSTATE classes 23
 * (constraints) and 40 (rollbacks).
 */
function messageAtEnd(error: PrismaErrorLike): string {
  const message = serverMessageOf(error)
  if (message === undefined) return error.message
  return /^(?:23|40)/.test(sqlStateOf(error) ?? '') ? message : redactedValue
}

/**
 * Prisma's message begins with the place of the call in the source and its line, marked by an arrow; without the
 * source, with two empty lines.
 */
function withoutSourceCode(message: string): string {
  const text = stripVTControlCharacters(message)
  if (!/^\n(?:Oops|Invalid )/.test(text)) return text.trim()
  const arrow = /^→ *\d+ .*$/mu.exec(text)
  if (arrow) return text.slice(arrow.index + arrow[0].length).trim()
  const gap = text.indexOf('\n\n\n')
  return text.slice(gap + 1).trim()
}

/** `Key (ssn)=(123) already exists`, `Failing row contains (1, 123)`: details that some adapters add. */
function hideRows(message: string): string {
  return message
    .replace(/\)=\(.*\)/gs, `)=(${redactedValue})`)
    .replace(/(Failing row contains) \(.*\)/gs, `$1 (${redactedValue})`)
}

/** Prisma's codes whose message quotes a value, from the arguments or from a row. */
const quotesValue = new Set(['P2004', 'P2005', 'P2006', 'P2007', 'P2020', 'P2023', 'P2032', 'P2033'])

/** A message that quotes one word, parameter or sign, as in `syntax error at or near "FORM"`. */
const quotesWord = /^[^"]*"(?:[\p{L}_][\p{L}\p{N}_]*|\$\d+|[^\p{L}\p{N}\s'"]{1,3})"[^"]*$/u

/**
 * Where a message quotes a value instead of a name, its column is unknown: a cast may have taken it from a redacted
 * one. SQLSTATE class 22 is about data, and a syntax error (42601) quotes whatever it finds: a word of the statement is
 * shown, unless it is one of the secrets.
 */
function hideQuoted(message: string, error: PrismaErrorLike): string {
  const { code, name } = error
  const server = serverMessageOf(error)
  const state = sqlStateOf(error) ?? ''
  const isAboutData = state.startsWith('22') || (state === '42601' && !quotesWord.test(server ?? ''))
  const text = server && isAboutData ? message.replace(server, () => hideBetweenQuotes(server)) : message
  const isUnknown = name === 'PrismaClientUnknownRequestError' || name === 'PrismaClientRustPanicError'
  return isUnknown || quotesValue.has(code ?? '') ? hideBetweenQuotes(text) : text
}

/** From the first quotation mark to the last, in any language of the server. */
function hideBetweenQuotes(text: string): string {
  return text.replace(/["'`«»„“”‹›「」『』].*["'`«»„“”‹›「」『』]/s, `"${redactedValue}"`)
}

function hideSecrets(message: string, secrets: readonly string[]): string {
  const present = secrets.filter((secret) => secret !== '' && message.includes(secret))
  if (present.length === 0) return message
  // the longest first, so that none hides only a part of another
  const patterns = present.sort((one, other) => other.length - one.length).map(patternOf)
  return message.replace(new RegExp(patterns.join('|'), 'gu'), redactedValue)
}

/**
 * A short value or a number is hidden only where it stands alone, or it would leave holes in words and codes. A number
 * comes back with its column's digits: `12.5` as `12.50`.
 */
function patternOf(secret: string): string {
  const literal = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const number = /^-?\d+(\.\d+)?$/.exec(secret)
  const digits = number && (number[1] === undefined ? '(?:\\.0+)?' : '0*')
  if (secret.length >= 4 && !number) return literal
  return `(?<![\\p{L}\\p{N}_])${literal}${digits ?? ''}(?![\\p{L}\\p{N}_])`
}
