/** A number with more digits than JavaScript can keep, as written. */
export class LongNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What the database knows of whoever made a change. */
export interface Source {
  role?: string | null
  application?: string | null
  /** Null over a socket of the same machine. */
  address?: string | null
}

/** What an entry says about its change. */
export interface Details {
  before?: Record<string, unknown>
  after?: Record<string, unknown>
  changed?: string[]
  relation?: string
  target?: { type: string; id: string | null }
  cause?: string
  operation?: string
  /** Of a change that no statement of the audited client explains. */
  source?: Source
  metadata?: unknown
  statement?: string
  reason?: string
  [other: string]: unknown
}

/** Parses JSON and keeps every digit, if the browser provides a value's source. */
export function parseDetails(text: string | null): Details {
  if (text === null) return {}
  const keepDigits = (_: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source
    return typeof value === 'number' &&
      source !== undefined &&
      String(value) !== source &&
      !isSame(source, value)
      ? new LongNumber(source)
      : value
  }
  const details: unknown = JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
  return isObject(details) ? (details as Details) : {}
}

/** JavaScript writes `1.50` and `1e3` as 1.5 and 1000; nothing is lost. */
function isSame(source: string, value: number): boolean {
  return (
    /^-?\d{1,15}(\.\d+)?$/.test(source) &&
    source.replace(/[-.]/g, '').length <= 15 &&
    Number(source) === value
  )
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongNumber)
  )
}

/** A value for people: a string unchanged, anything else as JSON. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : printJson(value, '  ')
}

/** On one line and not too long. */
export function showShort(value: unknown, length = 40): string {
  const text = (typeof value === 'string' ? value : printJson(value, '')).replace(/\s+/g, ' ')
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

/** JSON with every digit. */
export function printJson(value: unknown, indent: string, depth = ''): string {
  if (value instanceof LongNumber) return value.text
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const isList = Array.isArray(value)
  const parts = isList
    ? value.map((item) => printJson(item, indent, depth + indent))
    : Object.entries(value).map(
        ([key, item]) => `${JSON.stringify(key)}:${indent && ' '}${printJson(item, indent, depth + indent)}`,
      )
  const [open, close] = isList ? '[]' : '{}'
  if (parts.length === 0) return `${open}${close}`
  const flat = `${open}${parts.join(', ')}${close}`
  if (indent === '' || (isList && flat.length < 60)) return flat
  return `${open}\n${parts.map((part) => `${depth}${indent}${part}`).join(',\n')}\n${depth}${close}`
}

/** Where two texts, or lists, differ: the length of what they share at the start and at the end. */
export function commonEnds<Sequence extends string | readonly string[]>(
  one: Sequence,
  other: Sequence,
): [begin: number, end: number] {
  const shorter = Math.min(one.length, other.length)
  let begin = 0
  while (begin < shorter && one[begin] === other[begin]) begin++
  let end = 0
  while (end < shorter - begin && one.at(-1 - end) === other.at(-1 - end)) end++
  return [begin, end]
}
