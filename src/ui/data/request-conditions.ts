import type { Conditions } from '../../search/conditions.ts'
import { InvalidRequest } from './invalid-request.ts'

const filterNames = [
  ...['action', 'actor', 'resource', 'id', 'outcome', 'request', 'organization', 'transaction', 'text'],
  ...['from', 'to'],
] as const

/**
 * Reads the filter of a query string. Empty parts count as absent.
 *
 * @throws InvalidRequest for values that no entry could have
 */
export function requestConditions(query: URLSearchParams): Conditions {
  const given: Partial<Record<(typeof filterNames)[number], string>> = {}
  for (const name of filterNames) {
    const value = query.get(name)
    if (value === null || value === '') continue
    if (value.length > 500) throw new InvalidRequest(`"${name}" is longer than 500 characters.`)
    if (value.includes('\0')) throw new InvalidRequest(`"${name}" has a character with code zero.`)
    given[name] = value
  }
  const { action, outcome, transaction, from, to } = given
  if (outcome !== undefined && outcome !== 'success' && outcome !== 'failure') {
    throw new InvalidRequest('"outcome" must be "success" or "failure".')
  }
  if (transaction !== undefined && !/^\d{1,18}$/.test(transaction)) {
    throw new InvalidRequest('"transaction" must be a whole number, as an entry has it.')
  }
  return {
    actions: action === undefined ? undefined : [action],
    actorId: given.actor,
    resourceType: given.resource,
    resourceId: given.id,
    outcome,
    requestId: given.request,
    organizationId: given.organization,
    transactionId: transaction,
    text: given.text,
    from: from && checkedTime('from', from),
    to: to && checkedTime('to', to),
  }
}

const isoTime = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$/

/** Both PostgreSQL and JavaScript must accept an ISO 8601 time: its day must exist in its month. */
function checkedTime(name: string, text: string): string {
  const [, year = 0, month = 0, day = 0] = (isoTime.exec(text) ?? []).map(Number)
  const isDay = year > 0 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  if (isDay && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidRequest(`"${name}" must be a time in ISO 8601, such as 2026-01-31T12:00:00Z.`)
}
