import { InvalidRequest } from './invalid-request.ts'

/** Which entries to show. Every part that is there has to match. */
export interface Filter {
  /** `user.login`, or with stars: `user.*`, `*.export`. */
  readonly action?: string
  readonly actor?: string
  readonly resource?: string
  readonly id?: string
  readonly outcome?: 'success' | 'failure'
  readonly request?: string
  readonly organization?: string
  readonly transaction?: string
  /** Part of the text of an entry, in whatever column, regardless of case. */
  readonly text?: string
  /** ISO 8601; entries at or after. */
  readonly from?: string
  /** ISO 8601; entries before. */
  readonly to?: string
}

const names = [
  ...['action', 'actor', 'resource', 'id', 'outcome', 'request', 'organization', 'transaction', 'text'],
  ...['from', 'to'],
] as const satisfies (keyof Filter)[]

/**
 * Reads a filter from a query string. Empty parts count as absent.
 *
 * @throws InvalidRequest for values that no entry could have
 */
export function readFilter(parameters: URLSearchParams): Filter {
  const given: Partial<Record<keyof Filter, string>> = {}
  for (const name of names) {
    const value = parameters.get(name)
    if (value === null || value === '') continue
    if (value.length > 500) throw new InvalidRequest(`"${name}" is longer than 500 characters.`)
    if (value.includes('\0')) throw new InvalidRequest(`"${name}" has a character with code zero.`)
    given[name] = value
  }
  const { outcome, transaction, from, to, ...texts } = given
  if (outcome !== undefined && outcome !== 'success' && outcome !== 'failure') {
    throw new InvalidRequest('"outcome" must be "success" or "failure".')
  }
  if (transaction !== undefined && !/^\d{1,18}$/.test(transaction)) {
    throw new InvalidRequest('"transaction" must be a whole number, as an entry has it.')
  }
  return {
    ...texts,
    ...(outcome && { outcome }),
    ...(transaction && { transaction }),
    ...(from && { from: moment('from', from) }),
    ...(to && { to: moment('to', to) }),
  }
}

const isoMoment = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$/

/** Whether PostgreSQL and JavaScript both know a moment in ISO 8601: its day has to be one of its month. */
export function isMoment(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (isoMoment.exec(text) ?? []).map(Number)
  const isDay = year > 0 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  return isDay && !Number.isNaN(Date.parse(text))
}

function moment(name: string, text: string): string {
  if (isMoment(text)) return text
  throw new InvalidRequest(`"${name}" must be a time in ISO 8601, such as 2026-01-31T12:00:00Z.`)
}
