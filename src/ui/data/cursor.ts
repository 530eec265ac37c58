import { isMoment } from './filter.ts'
import { InvalidRequest } from './invalid-request.ts'

/** Where a page ended: entries before this place in the order of time are still to come. */
export interface WirePosition {
  /** ISO 8601 with microseconds. */
  readonly timestamp: string
  readonly seq: string
}

export function writeCursor({ timestamp, seq }: WirePosition): string {
  return Buffer.from(`${timestamp} ${seq}`).toString('base64url')
}

/** @throws InvalidRequest when it is not one of ours */
export function readCursor(cursor: string): WirePosition {
  const text = Buffer.from(cursor, 'base64url').toString()
  const match = /^(\S+) (-?\d{1,18})$/.exec(text)
  const [, timestamp, seq] = match ?? []
  if (timestamp === undefined || seq === undefined || !isMoment(timestamp)) {
    throw new InvalidRequest('"cursor" is not one that this page gave.')
  }
  return { timestamp, seq }
}
