import type { StoredField } from '../models/stored-models.ts'

/** A key's value as PostgreSQL writes it, so that it matches what the statement recorded. */
export function keyText(field: Pick<StoredField, 'databaseType' | 'declared'>, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  const text = value instanceof Date ? value.toISOString() : exactText(value)
  switch (field.databaseType) {
    case 'int2':
    case 'int4':
    case 'int8':
      return /^\s*[+-]?\d+\s*$/.test(text) ? String(BigInt(text.replace('+', ''))) : text
    case 'float4':
    case 'float8':
      return floatText(text)
    case 'numeric':
      return numericText(text, /,(\d+)\)$/.exec(field.declared)?.[1])
    case 'uuid':
      return uuidText(text)
    case 'bpchar':
      return paddedText(text, Number(/\((\d+)\)$/.exec(field.declared)?.[1] ?? 1))
    case 'date':
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      return dateText(field.databaseType, text)
    default:
      return text
  }
}

/** Without the exponent that Decimal.js gives large numbers. */
function exactText(value: unknown): string {
  const decimal = value as { toFixed?: () => string }
  return typeof value === 'object' && typeof decimal?.toFixed === 'function'
    ? decimal.toFixed()
    : String(value)
}

/** `1.5` → `1.50`; a number with more digits than the column has can't be a key, and is left unchanged. */
function numericText(text: string, scale: string | undefined): string {
  const [, sign = '', whole = '', digits = ''] = /^([+-]?)0*(\d*)(?:\.(\d*))?$/.exec(text) ?? []
  if (whole === '' && digits === '' && !/\d/.test(text)) return text
  if (!/^[+-]?[\d.]+$/.test(text) || digits.length > Number(scale ?? Number.POSITIVE_INFINITY)) return text
  const fraction = digits.padEnd(Number(scale ?? 0), '0')
  const isNegative = sign === '-' && /[1-9]/.test(whole + digits)
  return `${isNegative ? '-' : ''}${whole || '0'}${fraction && `.${fraction}`}`
}

/**
 * The shortest exact digits, written out: floats are JSON numbers in the log, and jsonb keeps no exponent. Beyond 15
 * significant digits, JavaScript and PostgreSQL may choose different shortest digits.
 */
function floatText(text: string): string {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) return text
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(number.toExponential()) ?? []
  const digits = whole + fraction
  const point = Number(power) + 1
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  const rest = digits.slice(point)
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}${rest && `.${rest}`}`
}

function uuidText(text: string): string {
  const hex = text.replace(/[{}-]/g, '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(hex) ? hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : text
}

/** PostgreSQL counts characters, JavaScript UTF-16 units. */
function paddedText(text: string, length: number): string {
  const trimmed = text.replace(/ +$/, '')
  return trimmed + ' '.repeat(Math.max(0, length - Array.from(trimmed).length))
}

/** A JavaScript date has milliseconds; text may have the microseconds that the column stores. */
function dateText(databaseType: string, text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return text
  const iso = date.toISOString()
  const given = /:\d\d\.(\d{3})(\d{1,3})/.exec(text)
  const microseconds = (given?.[2] ?? '').padEnd(3, '0')
  switch (databaseType) {
    case 'date':
      return iso.slice(0, 10)
    case 'time':
      return withoutZeros(iso.slice(11, 23) + microseconds)
    case 'timetz':
      return `${withoutZeros(iso.slice(11, 23) + microseconds)}+00`
    default:
      return microseconds === '000' ? iso : `${iso.slice(0, 23)}${microseconds}Z`
  }
}

function withoutZeros(time: string): string {
  return time.replace(/\.?0+$/, '')
}
