import type pg from 'pg'
import type { ReaderLog } from '../../../src/reader/reader-log.ts'
import { parseVerifierKey } from '../../../src/seal/keys.ts'
import { openSigner, type Signer } from '../../../src/seal/signer.ts'
import type { Finding } from '../../../src/seal/verify/finding.ts'
import { type SealVerification, type VerifyOptions, verifyLog } from '../../../src/seal/verify/verify-log.ts'
import { sealSchema } from '../../../src/seal-schema.ts'
import { logOf, untilReadable } from '../../reader/readers.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { newKey, origin, sealAll, signerOf } from '../seals.ts'

/** What somebody does who owns the server, and what `verify` has to say of it. */
export interface Attack {
  /** As in "verify finds …". */
  readonly name: string
  /** SQL, or more than that. */
  readonly attack: string | ((attacker: Attacker) => Promise<unknown>)
  /** All findings, in order, each by what matters in it. */
  readonly finds: readonly ExpectedFinding[]
}

export type ExpectedFinding = Omit<Partial<Finding>, 'entry' | 'message'> & {
  readonly entry?: Partial<Finding['entry']>
  readonly message?: unknown
}

/** A superuser, in a transaction that is rolled back afterwards, with every trigger and constraint out of the way. */
export interface Attacker {
  sql<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>
  /** The log as this transaction sees it. */
  readonly log: ReaderLog
  /** Signs with the true key of the log, which was stolen: for this log, or for another. */
  stolenKey(origin?: string): Promise<Signer>
}

export const internal = 'audit_logs_internal'
const sealTables = ['sealed_leaves', 'seal_salts', 'seal_nodes', 'checkpoints'].map(
  (name) => `${internal}.${name}`,
)

/** How many entries the log has; each has its number in its id, its seq, and its details. */
export const entries = 700
/** How many entries a checkpoint seals, and a transaction wrote. */
export const step = 100
const transaction = 50

/** The id of the n-th entry, from 1. */
export const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** The number of the checkpoint that is the first to cover the n-th entry. */
export const checkpointOf = (n: number) => Math.ceil(n / step)

/** The same finding for each entry from one to another. */
export const each = (first: number, last: number, finding: (n: number) => ExpectedFinding) =>
  Array.from({ length: last - first + 1 }, (_, at) => finding(first + at))

const withoutProtection = `${['audit_logs', ...sealTables].map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL;`).join(' ')}
  ALTER TABLE audit_logs ALTER seq DROP IDENTITY;
  ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_actor_type_check, DROP CONSTRAINT audit_logs_outcome_check`

/** A log of 700 entries in 14 transactions, sealed in 7 checkpoints; every column has a value. */
export async function sealedLog(): Promise<Victim> {
  const database = await createDatabase()
  for (let first = 1; first <= entries; first += transaction) {
    await database.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
         request_id, ip, user_agent, organization_id)
       SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'order.update', 'ada', 'user', 'ada@example.com', 'order', n::text,
         'success', 'because', jsonb_build_object('n', n), 'request', '192.0.2.1', 'browser', 'org'
       FROM generate_series($1::int, $2::int) AS n`,
      [first, first + transaction - 1],
    )
  }
  await untilReadable(database)
  const key = newKey()
  await sealAll(logOf(database), await signerOf(key), step)
  return new Victim(database, key)
}

export class Victim {
  readonly database: Database
  readonly key: ReturnType<typeof newKey>

  constructor(database: Database, key: ReturnType<typeof newKey>) {
    this.database = database
    this.key = key
  }

  /** What `verify` says once an attack has happened. Nothing of it stays. */
  async verifyAfter(
    attack: Attack['attack'],
    options: Partial<VerifyOptions> = {},
  ): Promise<SealVerification> {
    const client = await this.database.pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(withoutProtection)
      const log = logOf({ ...this.database, pool: inTurn(client) })
      const sql: Attacker['sql'] = async (text, values) => (await client.query(text, values)).rows as never
      if (typeof attack === 'string') await sql(attack)
      else await attack({ sql, log, stolenKey: (of) => this.signer(of) })
      return await verifyLog(log, { keys: [parseVerifierKey(this.key.publicKey)], origin, ...options })
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  }

  /** Signs with the key of the log. */
  signer(of = origin): Promise<Signer> {
    return openSigner(sealSchema.parse({ key: { environment: this.key.environment }, origin: of }))
  }
}

/** One statement after the other, as a connection has it. */
function inTurn(client: pg.PoolClient): pg.Pool {
  let last: Promise<unknown> = Promise.resolve()
  const query = (text: string, values: unknown[]) => {
    const result = last.then(() => client.query(text, values))
    last = result.catch(() => {})
    return result
  }
  return { query } as unknown as pg.Pool
}
