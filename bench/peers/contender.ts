import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { PrismaClient } from '../generated/peers/client/client.ts'

/** One way to have a Prisma application's changes recorded; each in a file of its own, on a database of its own. */
export interface Contender {
  readonly name: string
  readonly log: Log
  /** The unaudited contender to set the cost against, by name. */
  readonly comparedTo: string
  /** Not the product of others, so nothing to be ahead of. */
  readonly isPeer: boolean
  connect(pool: pg.PoolConfig): PrismaClient
}

/** What a contender writes its entries to. */
export interface Log {
  /** Files of the generated schema folder whose models the database has. */
  readonly schemas: readonly string[]
  /** Whatever else its instructions say to set up, when the tables are there. */
  install(database: { url: string; pool: pg.Pool }): Promise<void>
  /** Tables whose rows are entries. */
  readonly tables: readonly string[]
  /** Writes `count` more entries into the log, and leaves its indexes as they were. */
  fill(pool: pg.Pool, count: number): Promise<void>
  /** All entries, in a form that is the same for all contenders. */
  read(pool: pg.Pool): Promise<RecordedChange[]>
  /** Whether an entry of an update or a deletion is meant to say what was there before. */
  readonly recordsBefore: boolean
  /** A row that a transaction changes several times has one entry, by design. */
  readonly mergesInTransaction: boolean
}

export type Verb = 'create' | 'update' | 'delete'
export type Row = Readonly<Record<string, unknown>>

/** An entry, translated from its log's own format. */
export interface RecordedChange {
  /** The entry's own key in its log. */
  readonly key: string
  readonly table: string
  /** The record's key as text; JSON array of texts for a composite one. */
  readonly id: string
  readonly verb: Verb
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** Some contenders make a transaction of a bulk write, and a slow one must not end the comparison. */
const transactionOptions = { timeout: 60_000, maxWait: 60_000 }

/** The client as most applications create it. */
export function ordinaryClient(pool: pg.PoolConfig): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions })
}

/** With named prepared statements, which the server plans once a connection. */
export function preparingClient(pool: pg.PoolConfig): PrismaClient {
  const statementNameGenerator = ({ sql }: { sql: string }) => createHash('sha1').update(sql).digest('hex')
  return new PrismaClient({ adapter: new PrismaPg(pool, { statementNameGenerator }), transactionOptions })
}

/** For contenders without a log. */
export const noLog: Log = {
  schemas: ['schema.prisma'],
  install: async () => {},
  tables: [],
  fill: async () => {},
  read: async () => [],
  recordsBefore: false,
  mergesInTransaction: false,
}
