import { erasedValue } from '../values/erased.ts'
import { redactedValue } from '../values/redacted.ts'
import { shownChanges } from '../values/updated-at.ts'
import type { AuditEntry } from './entry.ts'

/** Longer values are cut, since people read the lines. */
const longestValue = 80

/**
 * What an entry changed, one readable line per field, for terminals and e-mails. Values are the log's JSON, on one
 * line; long ones are shortened. Control characters are escaped, so a value can't forge a line.
 *
 * - an update: `status: "DRAFT" → "PAID"`; without `updatedAt` and the like where something else changed
 * - a create, a delete: `+ status: "DRAFT"`, `− status: "DRAFT"`, without fields that are null
 * - a link: `+ tags: tag 7`, `− tags: tag 7`
 * - anything else: its details, `format: "csv"`; a failure begins with its reason, `failed: wrong password`
 *
 * @returns no line when there is nothing to say
 *
 * @example
 * ```ts
 * for (const entry of entries) console.log([describeEntry(entry), ...diffLines(entry)].join('\n  '))
 * // 2026-11-24 09:12 UTC · ada · order.update · 42
 * //   status: "DRAFT" → "PAID"
 * ```
 */
export function diffLines(entry: AuditEntry): string[] {
  const { before, after, changes, outcome, reason } = entry
  const failure = outcome === 'failure' ? [`failed: ${shorten(printable(reason ?? 'no reason given'))}`] : []
  if (changes.length > 0) {
    const shown = shownChanges(changes.map(({ field }) => field))
    return [
      ...failure,
      ...changes
        .filter(({ field }) => shown.includes(field))
        .map(({ field, from, to }) => `${printable(field)}: ${valueText(from)} → ${valueText(to)}`),
    ]
  }
  if (before || after) return [...failure, ...fieldLines('−', before), ...fieldLines('+', after)]
  return [...failure, ...(linkLine(entry) ?? detailLines(entry.details))]
}

/**
 * Who did what when, in one line: the headline of {@link diffLines}. The time is UTC.
 *
 * @example
 * ```ts
 * describeEntry(entry) // '2026-11-24 09:12 UTC · ada · order.update · 42'
 * ```
 */
export function describeEntry({ timestamp, actor, action, resource, outcome, details }: AuditEntry): string {
  const time = `${timestamp.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  // an event may be about something other than its action begins with
  const isNamed = action.startsWith(`${resource.type}.`)
  const what = [isNamed ? undefined : resource.type, resource.id].filter((part) => typeof part === 'string')
  const parts = [
    actor.email ?? actor.id,
    action,
    ...(what.length > 0 ? [what.join(' ')] : []),
    ...sourceText(details),
  ]
  return [time, ...parts.map(printable), ...(outcome === 'failure' ? ['failed'] : [])].join(' · ')
}

/** The source of a change that is not from the audited client: `by psql as app_owner`. */
function sourceText(details: AuditEntry['details']): string[] {
  const source = details?.source as { role?: unknown; application?: unknown } | undefined
  if (typeof source?.role !== 'string') return []
  const by = typeof source.application === 'string' ? `by ${source.application} ` : ''
  return [`${by}as ${source.role}`]
}

function fieldLines(sign: string, record: Record<string, unknown> | null): string[] {
  return Object.entries(record ?? {})
    .filter(([, value]) => value !== null)
    .map(([field, value]) => `${sign} ${printable(field)}: ${valueText(value)}`)
}

function linkLine({ action, details }: AuditEntry): string[] | undefined {
  const { relation, target } = (details ?? {}) as { relation?: unknown; target?: Record<string, unknown> }
  const sign = action.endsWith('.connect') ? '+' : action.endsWith('.disconnect') ? '−' : undefined
  if (sign === undefined || typeof relation !== 'string' || typeof target?.type !== 'string') return undefined
  return [`${sign} ${printable(relation)}: ${printable(`${target.type} ${String(target.id)}`)}`]
}

function detailLines(details: AuditEntry['details']): string[] {
  return Object.entries(details ?? {}).map(([key, value]) => `${printable(key)}: ${valueText(value)}`)
}

function valueText(value: unknown): string {
  if (value === redactedValue || value === erasedValue) return value
  return shorten(printable(JSON.stringify(value) ?? String(value)))
}

/** Cuts between characters, not inside one. */
function shorten(text: string): string {
  const characters = Array.from(text)
  return characters.length > longestValue ? `${characters.slice(0, longestValue - 1).join('')}…` : text
}

/** Without line breaks, escape sequences and marks that change the direction of text. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
