/** Formats are created when first needed: each takes a browser milliseconds. */
function once<Format>(make: () => Format): () => Format {
  let made: Format | undefined
  return () => {
    made ??= make()
    return made
  }
}

const dayFormat = once(
  () =>
    new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
)
const shortDay = once(
  () => new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' }),
)
const relative = once(() => new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' }))
const longRelative = once(() => new Intl.RelativeTimeFormat('en', { numeric: 'auto' }))

const units = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** `14:03:22` in the reader's time zone. */
export function clockTime(timestamp: string): string {
  const date = new Date(timestamp)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

/** `2026-11-24 14:03:22.123456`, as stored to the microsecond, in the reader's time zone. */
export function exactTime(timestamp: string): string {
  const date = new Date(timestamp)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${clockTime(timestamp)}${/\.\d+/.exec(timestamp)?.[0] ?? ''}`
}

/** Exact in both zones, for a tooltip. */
export function timeTitle(timestamp: string): string {
  return `${exactTime(timestamp)} (${timestamp})`
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

/** A day's key and heading: `Today`, `Yesterday`, `Monday, 12 October 2026`. */
export function dayOf(timestamp: string): string {
  const date = new Date(timestamp)
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000)
  const day = dayName(startOfDay(date))
  return days === 0 ? `Today, ${day}` : days === 1 ? `Yesterday, ${day}` : day
}

const dayNames = new Map<number, string>()

/** The name of the day that begins at a moment, cached since a list asks for the same one often. */
function dayName(begin: number): string {
  const known = dayNames.get(begin) ?? dayFormat().format(begin)
  dayNames.set(begin, known)
  return known
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}

/** `12 Oct 2026, 14:03`. */
export function shortTime(timestamp: string): string {
  return `${shortDay().format(new Date(timestamp))}, ${clockTime(timestamp).slice(0, 5)}`
}

/** The value of an input of type datetime-local, in the reader's time zone. */
export function toLocalInput(timestamp: string | undefined): string {
  if (timestamp === undefined || Number.isNaN(Date.parse(timestamp))) return ''
  const date = new Date(timestamp)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** The reverse. */
export function fromLocalInput(text: string): string | undefined {
  const date = new Date(text)
  return text === '' || Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
