import { language } from './language.ts'
import { once } from './stored.ts'
import { currentZone, onClock, zoneName, zoneOffset } from './zone.ts'

// formats are created when first needed: each takes a browser milliseconds. They print dates from onClock, hence in UTC.
const dayFormat = once(
  () =>
    new Intl.DateTimeFormat(language, {
      ...({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const),
      timeZone: 'UTC',
    }),
)
const shortDay = once(
  () =>
    new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }),
)
const monthFormat = once(
  () => new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }),
)
const relative = once(() => new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'narrow' }))
const longRelative = once(() => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }))

const units = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** `14:03:22`, on the clock that the reader chose. */
export function clockTime(timestamp: string): string {
  return onClock(new Date(timestamp)).toISOString().slice(11, 19)
}

/** `2026-11-24 14:03:22.123456`, as stored to the microsecond, on the clock that the reader chose. */
export function exactTime(timestamp: string): string {
  const clock = onClock(new Date(timestamp)).toISOString()
  return `${clock.slice(0, 10)} ${clock.slice(11, 19)}${/\.\d+/.exec(timestamp)?.[0] ?? ''}`
}

/** The zone of a moment: `UTC+1 · Europe/Berlin`, `UTC`. */
export function zoneTitle(timestamp: string): string {
  return [...new Set([zoneOffset(new Date(timestamp)), zoneName()])].join(' · ')
}

/** Exact, with the zone and in UTC, for a tooltip. */
export function timeTitle(timestamp: string): string {
  return `${exactTime(timestamp)} ${zoneTitle(timestamp)} (${timestamp})`
}

/** `March 2024`: months of the log are those of UTC, whatever clock the reader chose. */
export function utcMonth(timestamp: string): string {
  return monthFormat().format(new Date(timestamp))
}

/** `5m ago`. */
export function agoShort(timestamp: string): string {
  return ago(timestamp, relative())
}

/** `5 minutes ago`, `yesterday`. */
export function agoLong(timestamp: string): string {
  return ago(timestamp, longRelative())
}

function ago(timestamp: string, format: Intl.RelativeTimeFormat): string {
  const seconds = (Date.parse(timestamp) - Date.now()) / 1000
  const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  if (unit === 'second') return 'just now'
  return format.format(Math.trunc(seconds / length), unit)
}

/** A day's key and heading: `Today`, `Yesterday`, `Monday, October 12, 2026`. */
export function dayOf(timestamp: string): string {
  const begin = startOfDay(new Date(timestamp))
  const days = Math.round((startOfDay(new Date()) - begin) / 86_400_000)
  const day = dayName(begin)
  return days === 0 ? `Today, ${day}` : days === 1 ? `Yesterday, ${day}` : day
}

const dayNames = new Map<number, string>()

/** The name of a day, cached since a list asks for the same one often. */
function dayName(begin: number): string {
  const known = dayNames.get(begin) ?? dayFormat().format(begin)
  dayNames.set(begin, known)
  return known
}

/** Of the day on the reader's clock, as a moment in UTC. */
function startOfDay(date: Date): number {
  return Math.floor(onClock(date).getTime() / 86_400_000) * 86_400_000
}

/** `Oct 12, 2026, 14:03`. */
export function shortTime(timestamp: string): string {
  return `${shortDay().format(onClock(new Date(timestamp)))}, ${clockTime(timestamp).slice(0, 5)}`
}

/** The value of an input of type datetime-local, on the clock that the reader chose. */
export function toLocalInput(timestamp: string | undefined): string {
  if (timestamp === undefined || Number.isNaN(Date.parse(timestamp))) return ''
  return onClock(new Date(timestamp)).toISOString().slice(0, 16)
}

/** The reverse. */
export function fromLocalInput(text: string): string | undefined {
  const date = new Date(currentZone() === 'utc' ? `${text}Z` : text)
  return text === '' || Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
