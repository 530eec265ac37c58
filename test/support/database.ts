import { randomBytes } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { afterAll, inject } from 'vitest'
import { PrismaClient } from '../generated/client/client.ts'
import { databaseUrl } from './server.ts'

/** A database of the calling test file's own, dropped after its tests. */
export interface Database {
  readonly url: string
  /** A plain pg connection pool, outside every client under test. */
  readonly pool: pg.Pool
  /** Runs SQL on the plain pool and gives its rows. */
  sql<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>
  /** All entries of audited clients in order, or the ones since `seq`. */
  entries(sinceSeq?: bigint): Promise<Entry[]>
  /** Those of them that something was done for, without the failed attempts. */
  changes(sinceSeq?: bigint): Promise<Entry[]>
  /** The entries that were written while `work` ran. That of a failure inside a transaction may come later. */
  entriesOf(work: () => PromiseLike<unknown>): Promise<Entry[]>
  /** Those of them that something was done for. */
  changesOf(work: () => PromiseLike<unknown>): Promise<Entry[]>
  /** The same, where `work` makes one change: its entry. */
  changeOf(work: () => PromiseLike<unknown>): Promise<Entry>
  /** The highest `seq` so far. */
  lastSeq(): Promise<bigint>
  /** The database's clock, to the microsecond. */
  now(): Promise<string>
  /** The major version of the server: 14 to 18. */
  serverVersion(): Promise<number>
}

/** One row of `audit_logs`, as the table has it. */
export interface Entry {
  id: string
  timestamp: Date
  action: string
  actor_id: string
  actor_type: string
  actor_email: string | null
  resource_type: string
  resource_id: string | null
  outcome: string
  reason: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests read into the JSON freely
  details: any
  request_id: string | null
  ip: string | null
  user_agent: string | null
  organization_id: string | null
  seq: string
  transaction_id: string
}

/** Clones the template into a new database. Call it at the top of a test file. */
export async function createDatabase(options: { template?: string } = {}): Promise<Database> {
  const name = `audit_test_${randomBytes(6).toString('hex')}`
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${options.template ?? inject('template')}`)
  const database = openDatabase(databaseUrl(inject('serverUrl'), name))
  afterAll(async () => {
    await database.pool.end()
    await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  })
  return database
}

/** Keeps no connection: a server has only so many, and files that share a worker would keep all of theirs. */
async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(inject('serverUrl'))
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** A database that is there already. Whoever opens it ends its pool. */
export function openDatabase(url: string): Database {
  const pool = new pg.Pool({ connectionString: url })
  pool.on('error', () => {}) // dropping the database ends idle connections
  const sql: Database['sql'] = async (text, values) => (await pool.query(text, values)).rows as never
  const entries: Database['entries'] = (since = 0n) =>
    // where triggers record the tables, what the tests write past the client under test is in the log, too, with its
    // source; and so is the making of the triggers
    sql<Entry & pg.QueryResultRow>(
      `SELECT * FROM audit_logs WHERE seq > $1 AND coalesce(NOT details ? 'source', true) AND action !~ '^auditLog[.](un)?watch$'
       ORDER BY seq`,
      [since],
    )
  const changes: Database['changes'] = async (since) =>
    (await entries(since)).filter(({ outcome }) => outcome === 'success')
  const lastSeq = async () => {
    const [row] = await sql<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM audit_logs')
    return BigInt(row?.seq ?? 0)
  }
  const during = (read: Database['entries']) => async (work: () => PromiseLike<unknown>) => {
    const since = await lastSeq()
    await work()
    return read(since)
  }
  const changesOf = during(changes)
  return {
    url,
    pool,
    sql,
    entries,
    changes,
    entriesOf: during(entries),
    changesOf,
    changeOf: async (work) => {
      const [entry, ...others] = await changesOf(work)
      if (!entry || others.length > 0)
        throw new Error(`one entry was expected, not ${entry ? others.length + 1 : 0}`)
      return entry
    },
    lastSeq,
    now: async () => {
      const [row] = await sql<{ at: string }>(
        `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
      )
      return row?.at ?? ''
    },
    serverVersion: async () => {
      const [row] = await sql<{ version: number }>(
        `SELECT current_setting('server_version_num')::int / 10000 AS version`,
      )
      return row?.version ?? 0
    },
  }
}

/** What Prisma allows a transaction by default, 2 and 5 seconds, is little where two test files share two processors. */
const transactionOptions = { maxWait: 20_000, timeout: 20_000 }

/** A fresh, unaudited client on a database, closed after the file's tests. */
export function createClient(url: string, pool: pg.PoolConfig = {}): PrismaClient {
  const adapter = new PrismaPg({ connectionString: url, ...pool })
  const client = new PrismaClient({ adapter, transactionOptions })
  afterAll(() => client.$disconnect())
  return client
}
