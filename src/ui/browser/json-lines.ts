import { commonEnds, isObject, printJson } from './values.ts'

/** A line of JSON, and the part of it that the other side does not have: none where both ends are the same. */
export interface Line {
  readonly text: string
  readonly from: number
  readonly to: number
}

/** The same line of both sides; undefined where a side has nothing in its place. */
export interface LinePair {
  readonly was: Line | undefined
  readonly is: Line | undefined
}

/** Lists of plain values up to this length stand on one line. */
const longestFlat = 60

/** A value that is not there, as null may be. */
const absent = Symbol('absent')

/** What stands before and after a value on its line. */
interface Surroundings {
  readonly indent: string
  /** `"key": ` */
  readonly name: string
  readonly wasComma: string
  readonly isComma: string
}

/** Two values of JSON line by line, laid out alike: what they share has the same place on both sides. */
export function pairLines(was: unknown, is: unknown): LinePair[] {
  return pairs(was, is, { indent: '', name: '', wasComma: '', isComma: '' })
}

export function isChanged({ was, is }: LinePair): boolean {
  return was === undefined || is === undefined || was.from < was.to || is.from < is.to
}

function pairs(was: unknown, is: unknown, place: Surroundings): LinePair[] {
  if (was !== absent && is !== absent && !haveSameForm(was, is)) {
    return [...pairs(was, absent, place), ...pairs(absent, is, place)]
  }
  const whole = is === absent ? was : is
  if (!isContainer(whole) || (fitsOneLine(was) && fitsOneLine(is))) return [pairOfLines(was, is, place)]
  const [open, close] = Array.isArray(whole) ? '[]' : '{}'
  const line = (text: string, side: unknown, comma = '') =>
    side === absent ? undefined : wholeLine(`${text}${comma}`, was === absent || is === absent, place.indent)
  return [
    { was: line(`${place.name}${open}`, was), is: line(`${place.name}${open}`, is) },
    ...children(was, is, `${place.indent}  `),
    { was: line(`${close}`, was, place.wasComma), is: line(`${close}`, is, place.isComma) },
  ]
}

function children(was: unknown, is: unknown, indent: string): LinePair[] {
  const parts = Array.isArray(was === absent ? is : was)
    ? itemPairs(was === absent ? [] : (was as unknown[]), is === absent ? [] : (is as unknown[]))
    : memberPairs(was === absent ? {} : (was as object), is === absent ? {} : (is as object))
  const last = (side: 'was' | 'is') => parts.findLastIndex((part) => part[side] !== absent)
  return parts.flatMap((part, index) =>
    pairs(part.was, part.is, {
      ...{ indent, name: part.name },
      wasComma: index < last('was') ? ',' : '',
      isComma: index < last('is') ? ',' : '',
    }),
  )
}

interface ChildPair {
  readonly name: string
  readonly was: unknown
  readonly is: unknown
}

/** In PostgreSQL's own order of keys, whichever side has them. */
function memberPairs(was: object, is: object): ChildPair[] {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  keys.sort((one, other) => one.length - other.length || (one < other ? -1 : 1))
  const member = (side: object, key: string) =>
    Object.hasOwn(side, key) ? (side as Record<string, unknown>)[key] : absent
  return keys.map((key) => ({
    name: `${JSON.stringify(key)}: `,
    was: member(was, key),
    is: member(is, key),
  }))
}

/** Items at the beginning and at the end that are the same belong together; those between by their order. */
function itemPairs(was: readonly unknown[], is: readonly unknown[]): ChildPair[] {
  const [begin, end] = commonEnds(was.map(flatText), is.map(flatText))
  const between = Math.max(was.length, is.length) - begin - end
  const item = (side: readonly unknown[], index: number) => (index < side.length - end ? side[index] : absent)
  return [
    ...was.slice(0, begin).map((same) => ({ name: '', was: same, is: same })),
    ...Array.from({ length: between }, (_, index) => ({
      name: '',
      was: item(was, begin + index),
      is: item(is, begin + index),
    })),
    ...was.slice(was.length - end).map((same) => ({ name: '', was: same, is: same })),
  ]
}

function isContainer(value: unknown): value is object {
  return isObject(value) || Array.isArray(value)
}

function haveSameForm(was: unknown, is: unknown): boolean {
  return isContainer(was) || isContainer(is)
    ? isContainer(was) && isContainer(is) && Array.isArray(was) === Array.isArray(is)
    : true
}

function fitsOneLine(value: unknown): boolean {
  if (value === absent || !isContainer(value)) return true
  const parts = Object.values(value)
  if (parts.length === 0) return true
  return Array.isArray(value) && !parts.some(isContainer) && flatText(value).length < longestFlat
}

function flatText(value: unknown): string {
  return printJson(value, '')
}

function wholeLine(text: string, isMarked: boolean, indent: string): Line {
  const whole = `${indent}${text}`
  return { text: whole, from: indent.length, to: isMarked ? whole.length : indent.length }
}

/** Both values on a line, with what differs marked. */
function pairOfLines(was: unknown, is: unknown, { indent, name, wasComma, isComma }: Surroundings): LinePair {
  const [wasText, isText] = [was, is].map((value) => (value === absent ? '' : flatText(value))) as [
    string,
    string,
  ]
  if (was === absent) return { was: undefined, is: wholeLine(`${name}${isText}${isComma}`, true, indent) }
  if (is === absent) return { was: wholeLine(`${name}${wasText}${wasComma}`, true, indent), is: undefined }
  const [begin, end] = Array.isArray(was) || Array.isArray(is) ? listEnds(was, is) : textEnds(wasText, isText)
  const before = `${indent}${name}`
  const line = (text: string, comma: string): Line => ({
    text: `${before}${text}${comma}`,
    from: before.length + begin,
    to: before.length + text.length - end,
  })
  if (wasText === isText) {
    const same = (comma: string) => ({ ...line(wasText, comma), to: before.length + begin })
    return { was: same(wasComma), is: same(isComma) }
  }
  return { was: line(wasText, wasComma), is: line(isText, isComma) }
}

/** What two texts share at their ends; nothing if that is too little to be worth a mark inside. */
function textEnds(was: string, is: string): [begin: number, end: number] {
  const [begin, end] = commonEnds(was, is)
  return begin + end < Math.max(4, was.length / 3, is.length / 3) ? [0, 0] : [begin, end]
}

/** What two short lists share at their ends, as characters: whole items, and the brackets. */
function listEnds(was: unknown, is: unknown): [begin: number, end: number] {
  const [one, other] = [was, is].map((list) => (list as unknown[]).map(flatText)) as [string[], string[]]
  const [begin, end] = commonEnds(one, other)
  const length = (items: readonly string[]) => items.reduce((total, item) => total + item.length + 2, 0)
  return [1 + length(one.slice(0, begin)), 1 + length(one.slice(one.length - end))]
}
