import { columnNames, type LogColumn } from '../../log/columns.ts'
import { quoteIdentifier } from '../../postgres/identifiers.ts'
import { exactColumn } from '../../reader/exact-row.ts'

/*
 * Rows as one text, which is many times faster to read than 17 columns a row: behind a number that says which of
 * them are null come the others, each behind a character that hardly any text has.
 */
const columnSeparator = 0x1f
const rowEnd = 0x1d
const quote = 0x22
const backslash = 0x5c
const space = 0x20

const nullable: readonly LogColumn[] = [
  ...(['actor_email', 'resource_id', 'reason', 'details'] as const),
  ...(['request_id', 'ip', 'user_agent', 'organization_id'] as const),
]
const quoted = (name: LogColumn) => `l.${quoteIdentifier(name)}`
const others = columnNames.filter((name) => !nullable.includes(name))

/** A bit for each of these, and how many others are null, which is so only where somebody has altered the table. */
const nullsOfRow = [
  ...nullable.map((name, bit) => `(${quoted(name)} IS NULL)::int4 * ${2 ** bit}`),
  `pg_catalog.num_nulls(${others.map(quoted).join(', ')}) * ${2 ** nullable.length}`,
].join(' + ')

/** By column, its bit; 0 for one that can't be null. */
const bits = columnNames.map((name) => (nullable.includes(name) ? 2 ** nullable.indexOf(name) : 0))

/** A row, packed: it leaves out what is null. */
export const packedRow = `pg_catalog.concat_ws(E'\\x1f', ${[nullsOfRow, ...columnNames.map(exactColumn)].join(', ')})`

/** What stands between two rows. */
export const rowSeparator = `E'\\x1d'`

/** How the canonical form writes characters below a space. */
const escapes = Array.from({ length: space }, (_, code) =>
  Buffer.from(JSON.stringify(String.fromCharCode(code)).slice(1, -1)),
)
const longestEscape = 6
const nullForm = Buffer.from('null')

/** How much is written to one buffer, unless a row has more. */
const usualRoom = 1_000_000

/**
 * The canonical forms of packed rows.
 *
 * @returns undefined where these are not so many rows, because somebody's text has one of the characters between
 */
export function unpackForms(packed: Buffer, count: number): Buffer[] | undefined {
  const forms: Buffer[] = []
  let room = Buffer.alloc(0)
  let at = 0
  for (let start = 0; start <= packed.length; ) {
    const found = packed.indexOf(rowEnd, start)
    const end = found === -1 ? packed.length : found
    const most = (end - start) * longestEscape + columnNames.length * 8
    if (room.length - at < most) {
      room = Buffer.allocUnsafe(Math.max(usualRoom, most))
      at = 0
    }
    const written = writeForm(packed, start, end, room, at)
    if (written === undefined) return undefined
    forms.push(room.subarray(at, written))
    at = written
    start = end + 1
  }
  return forms.length === count ? forms : undefined
}

/** @returns where it ends; undefined where it has not as many columns as a row */
function writeForm(packed: Buffer, start: number, end: number, room: Buffer, at: number): number | undefined {
  let from = start
  let to = at
  let nulls = 0
  for (; from < end && packed[from] !== columnSeparator; from++)
    nulls = nulls * 10 + (packed[from] as number) - 48
  if (nulls >= 2 ** nullable.length) return undefined
  for (let column = 0; column < columnNames.length; column++) {
    room[to++] = column === 0 ? 0x5b : 0x2c
    if ((nulls & (bits[column] as number)) !== 0) {
      to += nullForm.copy(room, to)
      continue
    }
    if (from >= end) return undefined
    room[to++] = quote
    for (from++; from < end; from++) {
      const code = packed[from] as number
      if (code < space) {
        if (code === columnSeparator) break
        to += (escapes[code] as Buffer).copy(room, to)
        continue
      }
      if (code === quote || code === backslash) room[to++] = backslash
      room[to++] = code
    }
    room[to++] = quote
  }
  room[to++] = 0x5d
  return from === end ? to : undefined
}
