import { quoteTable } from '../postgres/identifiers.ts'
import { commitOrder, rangeCondition, readNextRange } from '../reader/committed-range.ts'
import type { ReaderCursor } from '../reader/cursor.ts'
import type { ReaderPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { canonicalSql } from './canonical-form.ts'
import { leafLength, leafVersion, seqInLeaf } from './leaf.ts'

/** Entries that are about to be sealed, all of one era. */
export class NextLeaves {
  readonly era: number
  /** One after the other, as are their salts. */
  readonly leaves: Buffer
  readonly salts: Buffer
  /** Of each entry, 8 bytes. */
  readonly #transactions: Buffer

  constructor(era: number, leaves: Buffer, salts: Buffer, transactions: Buffer) {
    this.era = era
    this.leaves = leaves
    this.salts = salts
    this.#transactions = transactions
  }

  get count(): number {
    return this.leaves.length / leafLength
  }

  /** Where the entry of a leaf stands. */
  placeOf(index: number): ReaderCursor {
    return {
      era: this.era,
      transactionId: this.#transactions.readBigInt64BE(index * 8),
      seq: seqInLeaf(this.leaves, index * leafLength),
    }
  }

  /** These, and others of the same era that come behind them. */
  with(next: NextLeaves): NextLeaves {
    return new NextLeaves(
      this.era,
      Buffer.concat([this.leaves, next.leaves]),
      Buffer.concat([this.salts, next.salts]),
      Buffer.concat([this.#transactions, next.#transactions]),
    )
  }
}

/** A random UUID: 122 of its bits can't be guessed. */
const saltSql = 'pg_catalog.uuid_send(pg_catalog.gen_random_uuid())'

/**
 * The leaves of the entries that follow a place, made by the database with fresh salts: no entry leaves it to be sealed.
 *
 * @returns undefined where there is none yet
 * @throws AuditError `AUDIT_CURSOR_AHEAD`
 */
export function readNextLeaves(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  limit: number,
): Promise<NextLeaves | undefined> {
  const { table, connection } = log
  return readNextRange(log, position, after, async (range) => {
    const values = [String(limit)]
    const [row] = await connection.query<{ leaves: string | null; salts: string; transactions: string }>(
      `SELECT pg_catalog.encode(pg_catalog.string_agg('\\x0${leafVersion}'::bytea || pg_catalog.int8send(e.seq) || pg_catalog.uuid_send(e.id)
    || pg_catalog.sha256(e.salt || pg_catalog.convert_to(e.form, 'UTF8')), ''::bytea), 'base64') AS leaves,
  pg_catalog.encode(pg_catalog.string_agg(e.salt, ''::bytea), 'base64') AS salts,
  pg_catalog.encode(pg_catalog.string_agg(pg_catalog.int8send(e.transaction_id), ''::bytea), 'base64') AS transactions
FROM (SELECT l.seq, l.id, l.transaction_id, ${canonicalSql}::text AS form, ${saltSql} AS salt
  FROM ${quoteTable(table)} AS l WHERE ${rangeCondition(position, range, values)}
  ORDER BY ${commitOrder} LIMIT $1::pg_catalog.int8) AS e`,
      ...values,
    )
    if (!row || row.leaves === null) return undefined
    const [leaves, salts, transactions] = [row.leaves, row.salts, row.transactions].map((bytes) =>
      Buffer.from(bytes, 'base64'),
    ) as [Buffer, Buffer, Buffer]
    return new NextLeaves(range.after.era, leaves, salts, transactions)
  })
}

/** The same in two halves that the database makes at once, for when there are many. */
export async function readManyLeaves(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  limit: number,
): Promise<NextLeaves | undefined> {
  const half = Math.ceil(limit / 2)
  const middle = await readPlaceBehind(log, position, after, half)
  if (!middle) return readNextLeaves(log, position, after, limit)
  const [first, second] = await Promise.all([
    readNextLeaves(log, position, after, half),
    readNextLeaves(log, position, middle, limit - half),
  ])
  return first && second?.era === first.era ? first.with(second) : first
}

/** Where the entry stands that is so many behind a place, in the same era; undefined where there are fewer. */
async function readPlaceBehind(
  { table, connection }: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  count: number,
): Promise<ReaderCursor | undefined> {
  const values = [String(count - 1)]
  const condition = rangeCondition(position, { after, isWhole: false }, values)
  const [row] = await connection.query<{ transaction_id: string; seq: string }>(
    `SELECT l.transaction_id::text, l.seq::text FROM ${quoteTable(table)} AS l WHERE ${condition}
ORDER BY ${commitOrder} OFFSET $1::pg_catalog.int8 LIMIT 1`,
    ...values,
  )
  return row && { era: after.era, transactionId: BigInt(row.transaction_id), seq: BigInt(row.seq) }
}
