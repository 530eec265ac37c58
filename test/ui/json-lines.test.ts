import { expect, it } from 'vitest'
import { type Line, pairLines } from '../../src/ui/browser/json-lines.ts'

/** Both sides line by line, with what is marked in brackets; a side without a line is `-`. */
function sides(was: unknown, is: unknown): [was: string, is: string][] {
  const show = (line: Line | undefined) => {
    if (line === undefined) return '-'
    const { text, from, to } = line
    return from < to ? `${text.slice(0, from)}«${text.slice(from, to)}»${text.slice(to)}` : text
  }
  return pairLines(was, is).map((pair) => [show(pair.was), show(pair.is)])
}

it('marks what changed inside a value, and nothing else', () => {
  expect(sides({ seats: 10, users: 5 }, { seats: 25, users: 5 })).toEqual([
    ['{', '{'],
    ['  "seats": «10»,', '  "seats": «25»,'],
    ['  "users": 5', '  "users": 5'],
    ['}', '}'],
  ])
  expect(sides({ note: 'call Ada' }, { note: 'call Eda' })[1]).toEqual([
    '  "note": "call «A»da"',
    '  "note": "call «E»da"',
  ])
})

it('lays both sides out alike, whatever is added, removed or longer', () => {
  expect(sides({ a: { x: 1 } }, { a: {}, region: 'eu' })).toEqual([
    ['{', '{'],
    ['  "a": {', '  "a": {'],
    ['    «"x": 1»', '-'],
    ['  }', '  },'],
    ['-', '  «"region": "eu"»'],
    ['}', '}'],
  ])
  const long = Array.from({ length: 30 }, (_, index) => index)
  const [first, second] = sides({ list: [0] }, { list: long }).slice(1)
  expect([first, second]).toEqual([
    ['  "list": [', '  "list": ['],
    ['    0', '    0,'],
  ])
})

it('keeps the items of a list together that are the same', () => {
  expect(sides(['a', 'b'], ['a', 'x', 'b'])).toEqual([['["a", "b"]', '["a", «"x"», "b"]']])
  expect(sides([{ id: 1 }, { id: 2 }], [{ id: 2 }])).toEqual([
    ['[', '['],
    ['  «{»', '-'],
    ['    «"id": 1»', '-'],
    ['  «},»', '-'],
    ['  {', '  {'],
    ['    "id": 2', '    "id": 2'],
    ['  }', '  }'],
    [']', ']'],
  ])
})

it('shows one after the other what has no common form', () => {
  expect(sides({ to: 'all' }, { to: { user: 7 } })).toEqual([
    ['{', '{'],
    ['  «"to": "all"»', '-'],
    ['-', '  «"to": {»'],
    ['-', '    «"user": 7»'],
    ['-', '  «}»'],
    ['}', '}'],
  ])
})
