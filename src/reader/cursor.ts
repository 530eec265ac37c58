import { AuditError } from '../errors.ts'

/**
 * A place in the order of readers: behind the entry that it names. Eras follow each other, and in each entries follow
 * each other by transaction id, then by `seq`.
 */
export interface ReaderCursor {
  readonly era: number
  readonly transactionId: bigint
  readonly seq: bigint
}

const largest = { era: 2_147_483_647n, bigint: 9_223_372_036_854_775_807n }

/** A place behind every entry of a transaction. */
export const lastSeq = largest.bigint

/** `3.4711.90210`: era, transaction id and `seq`. */
export function encodeReaderCursor({ era, transactionId, seq }: ReaderCursor): string {
  return `${era}.${transactionId}.${seq}`
}

/** @throws AuditError `AUDIT_INVALID_CURSOR` for anything that {@link encodeReaderCursor} does not write */
export function decodeReaderCursor(text: string): ReaderCursor {
  const whole = '(0|[1-9]\\d{0,18})'
  const [, era, transactionId, seq] =
    new RegExp(`^${whole}\\.${whole}\\.${whole}$`).exec(text)?.map((part) => part as string) ?? []
  if (era !== undefined && transactionId !== undefined && seq !== undefined) {
    const [number, transaction, entry] = [BigInt(era), BigInt(transactionId), BigInt(seq)]
    const isInRange =
      number > 0n && number <= largest.era && transaction <= largest.bigint && entry <= largest.bigint
    if (isInRange) return { era: Number(number), transactionId: transaction, seq: entry }
  }
  throw new AuditError(
    'AUDIT_INVALID_CURSOR',
    `${JSON.stringify(text)} is not a cursor of a reader: it has an era, a transaction id and a seq, as in "1.4711.90210". Nothing was read. Pass a cursor on as the reader gave it.`,
  )
}

/** Less than 0 where `a` comes first. */
export function compareCursors(a: ReaderCursor, b: ReaderCursor): number {
  if (a.era !== b.era) return a.era - b.era
  if (a.transactionId !== b.transactionId) return a.transactionId < b.transactionId ? -1 : 1
  return a.seq === b.seq ? 0 : a.seq < b.seq ? -1 : 1
}

/** The place before every entry of an era. */
export function startOf(era: number): ReaderCursor {
  return { era, transactionId: 0n, seq: 0n }
}
