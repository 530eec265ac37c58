import { createHash } from 'node:crypto'
import type { EntryPlace } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { isoMicroseconds } from '../values/iso-timestamp.ts'

/** Such as the place of a page's last entry. */
export type Position = EntryPlace

/** What to select for {@link positionIn}. Text, since JSON's numbers would round. */
export const positionColumn = `${microsecondsSql('"timestamp"')} || '.' || seq AS position`

/** A timestamp in SQL, as a position's microseconds. */
export function microsecondsSql(timestamp: string): string {
  return `(extract(epoch FROM ${timestamp}) * 1000000)::int8::text`
}

/** The place of a row that has the {@link positionColumn}. */
export function positionIn({ position }: { readonly position: string }): Position {
  const [microseconds = '', seq = ''] = position.split('.')
  return { microseconds: BigInt(microseconds), seq: BigInt(seq) }
}

/** A place as the {@link positionColumn} has it. */
export function positionText({ microseconds, seq }: Position): string {
  return `${microseconds}.${seq}`
}

/** Part of every cursor: raise it when old cursors must no longer be accepted. */
const version = 1

/**
 * A position as an opaque string that only the same question accepts.
 *
 * @param question identifies the helper and its filter
 */
export function encodeCursor(position: Position, question: string): string {
  const place = `${version}.${positionText(position)}`
  return Buffer.from(`${place}.${signature(place, question)}`).toString('base64url')
}

/** @throws AuditError `AUDIT_INVALID_CURSOR` when the cursor was changed, or belongs to another question */
export function decodeCursor(cursor: string, question: string): Position {
  const decoded = Buffer.from(cursor, 'base64url').toString()
  const [, microseconds, seq] = /^\d+\.(-?\d{1,19})\.(-?\d{1,19})\./.exec(decoded) ?? []
  if (microseconds !== undefined && seq !== undefined) {
    const position = { microseconds: BigInt(microseconds), seq: BigInt(seq) }
    // encoding it again also detects what the decoder overlooks: other alphabets, padding, stray characters
    if (isInTable(position) && encodeCursor(position, question) === cursor) return position
  }
  throw new AuditError(
    'AUDIT_INVALID_CURSOR',
    'The cursor was changed, or comes from another helper or filter, and would skip or repeat entries here. Pass nextCursor of the previous page unchanged, with exactly the same filter (the same dates too: compute them once); the limit may differ.',
  )
}

/** A position's time as PostgreSQL reads it, with all six digits. */
export function timestampText({ microseconds }: Position): string {
  return isoMicroseconds(microseconds)
}

/** Microseconds in the years 1 to 9999, which ISO 8601 and PostgreSQL both write with four digits. */
const [firstMoment, lastMoment] = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map(
  (iso) => BigInt(Date.parse(iso)) * 1_000n,
) as [bigint, bigint]

function isInTable({ microseconds, seq }: Position): boolean {
  return microseconds >= firstMoment && microseconds <= lastMoment && BigInt.asIntN(64, seq) === seq
}

function signature(place: string, question: string): string {
  return createHash('sha256').update(`${place}\n${question}`).digest('base64url').slice(0, 22)
}
