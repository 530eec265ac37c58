import { internalTable } from '../log/internal-schema.ts'
import { boundaryOf } from './era-boundary.ts'
import { type EraPlace, type FoundPosition, findEras, findPosition } from './find-position.ts'
import type { ReaderLog } from './reader-log.ts'

/**
 * A time in which transaction ids of the log grow. A restore, another cluster, a failover or a new table begin the next
 * one, as ids may start low again there, or be given a second time.
 */
export interface Era extends EraPlace {
  /** From 1. */
  readonly number: number
  /** Tells it from an era of the same number in another copy of the database. */
  readonly id: string
  /** ISO 8601. */
  readonly beganAt: string
  /** Its entries have a higher `seq`. */
  readonly afterSeq: bigint
  /** The cluster's next transaction id when it began: what the eras before it wrote is committed once none below runs. */
  readonly transactionId: bigint
}

/** The log, and its eras so far. */
export interface KnownPosition {
  /** The log's name as the tables of readers have it: with its schema, quoted where needed. */
  readonly log: string
  /** In order; the last one is the present one. */
  readonly eras: readonly [Era, ...Era[]]
}

/** The log and its server at one moment. */
export interface ReaderPosition extends KnownPosition {
  /** The horizon: every transaction below is over. */
  readonly horizon: bigint
  /** Higher than the id of every transaction that is over. */
  readonly next: bigint
}

/**
 * The present place of the log. Begins a new era where there has to be one.
 *
 * @throws AuditError `AUDIT_ERA_UNCLEAR`, `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE`
 */
export async function readPosition(log: ReaderLog): Promise<ReaderPosition> {
  while (true) {
    const found = await findPosition(log)
    const eras = found.eras.map(eraFrom)
    const [first, ...others] = eras
    if (first && !isPast(found, eras.at(-1) as Era)) return positionFrom(found, [first, ...others])
    await beginEra(log, found, eras.at(-1))
  }
}

/** The log and its eras as they are known, for whoever reads what is there: begins no era. */
export async function readKnownPosition(log: ReaderLog): Promise<KnownPosition> {
  const found = await findEras(log)
  const [first = firstEra, ...others] = found.eras.map(eraFrom)
  return { log: found.log, eras: [first, ...others] }
}

/** Of a log that nobody has read on yet. */
const firstEra: Era = {
  ...{ number: 1, id: '', beganAt: '', afterSeq: 0n, transactionId: 0n },
  ...{ systemIdentifier: null, timeline: null, tableOid: null },
}

function positionFrom({ log, horizon, next }: FoundPosition, eras: ReaderPosition['eras']): ReaderPosition {
  return { log, eras, horizon: BigInt(horizon), next: BigInt(next) }
}

function eraFrom(era: FoundPosition['eras'][number]): Era {
  return { ...era, afterSeq: BigInt(era.afterSeq), transactionId: BigInt(era.transactionId) }
}

/** Whether entries of the server as it is now belong to a later era. */
function isPast(found: FoundPosition, era: Era): boolean {
  const differs = (['systemIdentifier', 'timeline', 'tableOid'] as const).some(
    (key) => era[key] !== null && found.place[key] !== null && era[key] !== found.place[key],
  )
  return differs || BigInt(found.doneTransactionId) >= BigInt(found.next) || hasForeign(found, era.afterSeq)
}

/** Whether another server wrote an entry: here no transaction that is over has such an id. */
function hasForeign({ last, next }: FoundPosition, afterSeq: bigint): boolean {
  return last !== null && BigInt(last.transactionId) >= BigInt(next) && BigInt(last.seq) > afterSeq
}

/** Whoever comes first begins it; for the others it is there already. */
async function beginEra(log: ReaderLog, found: FoundPosition, present: Era | undefined): Promise<void> {
  const isFirstOfAll = !present && !hasForeign(found, 0n)
  const boundary = isFirstOfAll ? 0n : await boundaryOf(log, found, present?.afterSeq ?? 0n)
  if (!present && !isFirstOfAll) await insertEra(log, found, 1, 0n, undefined)
  await insertEra(log, found, present ? present.number + 1 : isFirstOfAll ? 1 : 2, boundary, found.place)
}

async function insertEra(
  { table, connection }: ReaderLog,
  { log, next }: FoundPosition,
  number: number,
  afterSeq: bigint,
  place: EraPlace | undefined,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${internalTable(table, 'eras')} (log, number, after_seq, transaction_id, system_identifier, timeline, table_oid)
VALUES ($1::text, $2::int4, $3::int8, $4::int8, $5::int8, $6::int4, $7::oid) ON CONFLICT DO NOTHING`,
    ...[log, String(number), String(afterSeq), next],
    ...[place?.systemIdentifier ?? null, place?.timeline?.toString() ?? null, place?.tableOid ?? null],
  )
}
