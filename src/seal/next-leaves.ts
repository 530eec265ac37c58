import { quoteTable } from '../postgres/identifiers.ts'
import { commitOrder, rangeCondition, readNextRange } from '../reader/committed-range.ts'
import type { ReaderCursor } from '../reader/cursor.ts'
import type { ReaderPosition } from '../reader/eras.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { canonicalSql } from './canonical-form.ts'
import { leafLength, leafVersion, saltLength, seqInLeaf } from './leaf.ts'
import { cut } from './stored-tiles.ts'

/** Entries that are about to be sealed, all of one era. */
export interface NextLeaves {
  /** One after the other. */
  readonly leaves: readonly Buffer[]
  readonly salts: readonly Buffer[]
  /** The place of each entry. */
  readonly places: readonly ReaderCursor[]
}

const saltSql = `pg_catalog.substring(pg_catalog.sha256(
  pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())), 1, ${saltLength})`

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
    const leaves = cut(Buffer.from(row.leaves, 'base64'), leafLength)
    const transactions = cut(Buffer.from(row.transactions, 'base64'), 8)
    const { era } = range.after
    return {
      leaves,
      salts: cut(Buffer.from(row.salts, 'base64'), saltLength),
      places: leaves.map((leaf, index) => ({
        ...{ era, transactionId: transactions[index]?.readBigInt64BE() ?? 0n },
        seq: seqInLeaf(leaf),
      })),
    }
  })
}
