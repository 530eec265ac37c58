import { internalTable } from '../log/internal-schema.ts'
import { type ReaderCursor, startOf } from '../reader/cursor.ts'
import type { ReaderLog } from '../reader/reader-log.ts'

/** A checkpoint as the database has it. */
export interface StoredCheckpoint {
  /** From 1, without gaps. */
  readonly number: number
  /** ISO 8601, by the clock of the database. */
  readonly createdAt: string
  readonly size: number
  readonly root: Buffer
  readonly note: string
  /** The place of the last entry. */
  readonly place: ReaderCursor
}

interface CheckpointRow {
  number: string
  created_at: string
  size: string
  root: string
  note: string
  era: string
  transaction_id: string
  seq: string
}

/** The place behind the last sealed entry; before the first checkpoint the beginning of the log. */
export function sealedPlace(checkpoint: StoredCheckpoint | undefined): ReaderCursor {
  return checkpoint?.place ?? startOf(1)
}

/** The newest checkpoint; undefined before the first. */
export async function readHead(log: ReaderLog, name: string): Promise<StoredCheckpoint | undefined> {
  const [head] = await readNewestCheckpoints(log, name, 1)
  return head
}

/** The newest checkpoints, the newest first. */
export function readNewestCheckpoints(
  log: ReaderLog,
  name: string,
  count: number,
): Promise<StoredCheckpoint[]> {
  return readCheckpoints(log, name, count, 'ORDER BY c.number DESC LIMIT $2::int8')
}

/** The checkpoint of a number; undefined where there is none. */
export async function readCheckpoint(
  log: ReaderLog,
  name: string,
  number: number,
): Promise<StoredCheckpoint | undefined> {
  const [checkpoint] = await readCheckpoints(log, name, number, 'AND c.number = $2::int8')
  return checkpoint
}

/** The first checkpoint that covers a leaf; undefined where none does yet. */
export async function readCheckpointOf(
  log: ReaderLog,
  name: string,
  leaf: number,
): Promise<StoredCheckpoint | undefined> {
  const first = 'AND c.size > $2::int8 ORDER BY c.size, c.number LIMIT 1'
  const [checkpoint] = await readCheckpoints(log, name, leaf, first)
  return checkpoint
}

/** All checkpoints behind a number and up to another, in order. */
export async function* checkpointsBetween(
  log: ReaderLog,
  name: string,
  number: number,
  last: number,
): AsyncGenerator<StoredCheckpoint, void, void> {
  for (let after = number; after < last; ) {
    const next = 'AND c.number > $2::int8 ORDER BY c.number LIMIT 1000'
    const found = await readCheckpoints(log, name, after, next)
    for (const checkpoint of found) if (checkpoint.number <= last) yield checkpoint
    after = found.at(-1)?.number ?? last
  }
}

/** @param which behind the condition on the log; `$2` is `value` */
async function readCheckpoints(
  { table, connection }: ReaderLog,
  name: string,
  value: number,
  which: string,
): Promise<StoredCheckpoint[]> {
  const rows = await connection.query<CheckpointRow>(
    `SELECT c.number::text, pg_catalog.to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  c.size::text, pg_catalog.encode(c.root, 'base64') AS root, c.note, c.era::text, c.transaction_id::text, c.seq::text
FROM ${internalTable(table, 'checkpoints')} AS c WHERE c.log = $1::text ${which}`,
    ...[name, String(value)],
  )
  return rows.map(({ number, created_at, size, root, note, era, transaction_id, seq }) => ({
    ...{ number: Number(number), createdAt: created_at, size: Number(size), note },
    root: Buffer.from(root, 'base64'),
    place: { era: Number(era), transactionId: BigInt(transaction_id), seq: BigInt(seq) },
  }))
}
