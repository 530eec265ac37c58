import { AuditError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { FoundPosition } from './find-position.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/**
 * The highest `seq` of the eras so far: whatever has a higher one belongs to the next era. A sequence goes on where it
 * was, so that what is written here has a higher `seq` than what came from elsewhere. Where too low a boundary is chosen,
 * entries are given a second time; none is left out.
 *
 * @throws AuditError `AUDIT_ERA_UNCLEAR` where the sequence did not go on, or entries still come from elsewhere
 */
export async function boundaryOf(
  log: ReaderLog,
  found: FoundPosition,
  presentAfterSeq: bigint,
): Promise<bigint> {
  const { foreignSeq, sequence, last } = await findNumbers(log, found)
  if (sequence === undefined) throw unreadableSequence(log)
  if (foreignSeq !== undefined) {
    if (found.isReplicated) throw replicated(log)
    if (last < foreignSeq) throw sequenceBehind(log, sequence)
  }
  const foreign = foreignSeq ?? 0n
  const done = larger(BigInt(found.highestSeq), presentAfterSeq)
  // what was done is no longer there: the log was emptied, or is an earlier one
  return last < done ? foreign : larger(done, foreign)
}

interface Numbers {
  /** The highest `seq` of entries whose transaction id has not been given here yet. */
  readonly foreignSeq: bigint | undefined
  /** Its name; undefined where the role may not read it. */
  readonly sequence: string | undefined
  /** The last `seq` that was given here; 0 before the first. */
  readonly last: bigint
}

async function findNumbers({ table, connection }: ReaderLog, { log, next }: FoundPosition): Promise<Numbers> {
  const rows = await connection.query<{
    foreign_seq: string | null
    sequence: string | null
    last: string | null
  }>(
    `SELECT (SELECT max(seq)::text FROM ${quoteTable(table)} WHERE ${transactionSql} >= $2::pg_catalog.xid8) AS foreign_seq,
  CASE WHEN has_sequence_privilege(name, 'SELECT, USAGE') THEN name END AS sequence,
  CASE WHEN has_sequence_privilege(name, 'SELECT, USAGE') THEN pg_catalog.pg_sequence_last_value(name::pg_catalog.regclass)::text END AS last
FROM pg_catalog.pg_get_serial_sequence($1::text, 'seq') AS name`,
    ...[log, next],
  )
  const [row] = rows
  return {
    foreignSeq: row?.foreign_seq ? BigInt(row.foreign_seq) : undefined,
    sequence: row?.sequence ?? undefined,
    last: BigInt(row?.last ?? 0),
  }
}

function unreadableSequence({ table }: ReaderLog): AuditError {
  return new AuditError(
    'AUDIT_UNREADABLE',
    `The audit log ${quoteTable(table)} comes from another server or another time, and where its new entries begin can't be told: the role may not read the sequence of seq. GRANT it SELECT on that sequence; see docs/privileges.md, "A role that reads on".`,
  )
}

function sequenceBehind({ table }: ReaderLog, sequence: string): AuditError {
  return new AuditError(
    'AUDIT_ERA_UNCLEAR',
    `The audit log ${quoteTable(table)} has entries of another server, and its sequence does not go on behind them: new entries would get numbers that old ones have. Nothing was read. Run SELECT setval('${sequence}', (SELECT max(seq) FROM ${quoteTable(table)})), and read on.`,
  )
}

function replicated({ table }: ReaderLog): AuditError {
  return new AuditError(
    'AUDIT_ERA_UNCLEAR',
    `Logical replication writes entries of another server to the audit log ${quoteTable(table)}. The order in which they arrive can't be read here, so nothing was read. Read the log on the publisher, or drop the subscription first when this server takes over.`,
  )
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
