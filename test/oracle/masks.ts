/** What two clients can't have in common: identifiers and times that they or their databases make on the spot. */
const generatedText = [
  {
    text: '<uuid>',
    is: /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    but: /^(0{8}|f{8}|a0eebc99)-/,
  },
  { text: '<cuid>', is: /^c[a-z0-9]{24}$/ },
  { text: '<now>', is: /^20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d/ },
]

/** The values that operations are given lie long before. */
const recently = new Date('2020-01-01')

/** The value with such parts blotted out. */
export function masked(value: unknown): unknown {
  if (value instanceof Date) return value > recently ? '<now>' : value
  if (typeof value === 'string') {
    return generatedText.find(({ is, but }) => is.test(value) && !but?.test(value))?.text ?? value
  }
  if (Array.isArray(value)) return value.map(masked)
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]))
}

/** What Prisma says where a row can't be written: a unique constraint is violated, a value is out of range. */
const refusedRows = ['P2002', 'P2020']

/**
 * An outcome without the reason for which a row was refused. Where an update of many rows has several such rows, the one
 * that comes first decides, and PostgreSQL promises no order of rows.
 */
export function anyRefusedRow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anyRefusedRow)
  if (!isPlainObject(value)) return value
  if (refusedRows.includes(String(value.code))) return '<refused for a row>'
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, anyRefusedRow(inner)]))
}

/** Lists of records come back in no promised order. */
export function sameOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sameOrder)
    if (!items.every(isPlainObject)) return items
    return items
      .map((item) => ({ item, key: keyOf(masked(item)) }))
      .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
      .map(({ item }) => item)
  }
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sameOrder(inner)]))
}

function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? ''
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value))
  )
}
