import { randomUUID } from 'node:crypto'
import { AuditError } from '../errors.ts'
import { internalTable } from '../log/internal-schema.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { lastSeq, type ReaderCursor, startOf } from './cursor.ts'
import type { Era, ReaderPosition } from './eras.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** Where a consumer begins when it reads for the first time. */
export type ConsumerStart = 'now' | 'beginning'

/** A consumer of the log, as its row has it. */
export interface Consumer {
  /** All up to here is done. */
  readonly cursor: ReaderCursor
  /** How many batches were begun. */
  readonly batch: bigint
  /** The end of the last of them, until it is acknowledged. */
  readonly inFlight: ReaderCursor | undefined
  /** What was kept with the last acknowledgement. */
  readonly state: unknown
}

interface ConsumerRow {
  cursor: [era: number, transactionId: string, seq: string]
  batch: string
  inFlight: [era: number, transactionId: string, seq: string] | null
  state: unknown
}

const consumerColumns = `pg_catalog.json_build_object(
  'cursor', pg_catalog.json_build_array(era, transaction_id::text, seq::text),
  'batch', batch::text,
  'inFlight', CASE WHEN batch_era IS NOT NULL THEN pg_catalog.json_build_array(batch_era, batch_transaction_id::text, batch_seq::text) END,
  'state', state)::text AS consumer`

/** A consumer as it is, without a lease. @returns undefined for one that was never added */
export async function findConsumer(
  { table, connection }: ReaderLog,
  { log }: Pick<ReaderPosition, 'log'>,
  name: string,
): Promise<Consumer | undefined> {
  const [row] = await connection.query<{ consumer: string }>(
    `SELECT ${consumerColumns} FROM ${internalTable(table, 'consumers')} WHERE log = $1::text AND name = $2::text`,
    ...[log, name],
  )
  return row && consumerOf(JSON.parse(row.consumer) as ConsumerRow)
}

/**
 * The row of one consumer, and the lease on it. Every change is one statement that the row's lock puts in order with those
 * of other processes, and that only the lease's holder may make.
 */
export class ConsumerLease {
  readonly #log: ReaderLog
  readonly #name: string
  /** What every statement begins with: the log, the consumer and the holder. */
  readonly #key: readonly [log: string, name: string, holder: string]

  /** @param log as a {@link ReaderPosition} names it */
  constructor(readerLog: ReaderLog, { log }: Pick<ReaderPosition, 'log'>, name: string) {
    this.#log = readerLog
    this.#name = name
    this.#key = [log, name, randomUUID()]
  }

  /**
   * Adds the consumer, unless it is there. `now` is the horizon: what is committed later, and what an open transaction has
   * written, is still to come.
   */
  async add({ eras, horizon }: ReaderPosition, start: ConsumerStart): Promise<void> {
    const present = eras.at(-1) as Era
    const cursor: ReaderCursor =
      start === 'beginning' ? startOf(1) : { era: present.number, transactionId: horizon - 1n, seq: lastSeq }
    await this.#query(
      `INSERT INTO consumers (log, name, era, transaction_id, seq, highest_seq)
SELECT $1::text, $2::text, $4::int4, $5::int8, $6::int8, CASE WHEN $7::bool THEN coalesce(max(seq), 0) ELSE 0 END
FROM (SELECT seq FROM ${quoteTable(this.#log.table)} ORDER BY ${transactionSql} DESC, seq DESC LIMIT 1000) AS newest
WHERE $3::uuid IS NOT NULL ON CONFLICT DO NOTHING`,
      ...[String(cursor.era), String(cursor.transactionId), String(cursor.seq), String(start === 'now')],
    )
  }

  /**
   * Takes the lease, or renews it.
   *
   * @param duration milliseconds from now, by the clock of the database
   * @returns undefined where another process has it
   */
  take(duration: number): Promise<Consumer | undefined> {
    return this.#query(
      `UPDATE consumers
SET lease_holder = $3::uuid, lease_until = pg_catalog.clock_timestamp() + $4::float8 * interval '1 millisecond'
WHERE log = $1::text AND name = $2::text
  AND (lease_holder IS NULL OR lease_holder = $3::uuid OR lease_until < pg_catalog.clock_timestamp())`,
      String(duration),
    )
  }

  /**
   * Begins the next batch, from the cursor on. Its end is committed before anything is done with it, so that a second
   * attempt has the same entries. The commit also puts the entries on disk where their own transactions did not wait for that.
   *
   * @throws AuditError `AUDIT_LEASE_LOST`
   */
  async begin({ batch }: Consumer, until: ReaderCursor, entries: number): Promise<Consumer> {
    return this.#held(
      await this.#query(
        `UPDATE consumers SET batch = batch + 1, batch_era = $5::int4, batch_transaction_id = $6::int8,
  batch_seq = $7::int8, batch_entries = $8::int4
WHERE log = $1::text AND name = $2::text AND lease_holder = $3::uuid AND batch = $4::int8 AND batch_era IS NULL`,
        ...[batch, until.era, until.transactionId, until.seq, entries].map(String),
      ),
    )
  }

  /**
   * Moves the cursor behind the batch in flight.
   *
   * @param highestSeq of its entries
   * @param state what to keep with the cursor, as JSON; undefined leaves what is kept
   * @throws AuditError `AUDIT_LEASE_LOST`
   */
  async acknowledge({ batch }: Consumer, highestSeq: bigint, state: unknown): Promise<Consumer> {
    return this.#held(
      await this.#query(
        `UPDATE consumers SET era = batch_era, transaction_id = batch_transaction_id, seq = batch_seq, batch_era = NULL,
  batch_transaction_id = NULL, batch_seq = NULL, batch_entries = NULL, acknowledged_at = pg_catalog.clock_timestamp(),
  highest_seq = greatest(highest_seq, $5::int8), state = coalesce($6::jsonb, state)
WHERE log = $1::text AND name = $2::text AND lease_holder = $3::uuid AND batch = $4::int8 AND batch_era IS NOT NULL`,
        ...[String(batch), String(highestSeq), state === undefined ? null : JSON.stringify(state)],
      ),
    )
  }

  /** Lets the next process begin at once. */
  async release(): Promise<void> {
    await this.#query(
      `UPDATE consumers SET lease_holder = NULL, lease_until = NULL
WHERE log = $1::text AND name = $2::text AND lease_holder = $3::uuid`,
    )
  }

  #held(consumer: Consumer | undefined): Consumer {
    if (consumer) return consumer
    throw new AuditError(
      'AUDIT_LEASE_LOST',
      `Another process has taken over the consumer ${JSON.stringify(this.#name)} of the audit log ${quoteTable(this.#log.table)}, since this one had not renewed its lease in time. It begins with the batch that was in flight here, so those entries may be handled twice. Nothing is lost. Give the lease more time where handling a batch keeps the process busy, or make batches smaller.`,
    )
  }

  /** Runs a change of the row, and gives the row, where there was one to change. */
  async #query(change: string, ...values: (string | null)[]): Promise<Consumer | undefined> {
    const { table, connection } = this.#log
    const sql = change.replace('consumers', () => `${internalTable(table, 'consumers')} AS c`)
    const [row] = await connection.query<{ consumer: string }>(
      `${sql} RETURNING ${consumerColumns}`,
      ...this.#key,
      ...values,
    )
    return row && consumerOf(JSON.parse(row.consumer) as ConsumerRow)
  }
}

function consumerOf({ cursor, batch, inFlight, state }: ConsumerRow): Consumer {
  return {
    ...{ cursor: cursorOf(cursor), batch: BigInt(batch), state },
    inFlight: inFlight === null ? undefined : cursorOf(inFlight),
  }
}

function cursorOf([era, transactionId, seq]: ConsumerRow['cursor']): ReaderCursor {
  return { era, transactionId: BigInt(transactionId), seq: BigInt(seq) }
}
