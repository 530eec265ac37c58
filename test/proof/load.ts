import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { expect } from 'vitest'
import { type AuditError, type Audited, type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import type { Database } from '../support/database.ts'
import { expectEntriesToMatchOracle, type OracleMark } from '../support/oracle.ts'
import { expectUnbrokenChains } from './chains.ts'
import { careless, kindOf, type Outcome, patient, randomOf, work } from './workload.ts'

/** Writers that go on until they are stopped, whatever happens to the database. */
export interface Load {
  readonly client: Audited<PrismaClient>
  /** Tags whose `create` resolved: whatever was told to be done has to be there. */
  readonly acknowledged: string[]
  /** Queued entries that could not be written. */
  readonly lost: AuditError[]
  /** Waits until so many more tags are acknowledged: however slow the machine, something has happened by then. */
  progress(tags: number): Promise<void>
  /** Waits until another writer meets such an error. */
  meets(outcome: RegExp): Promise<void>
  /** Stops the writers, waits for queued entries, and gives how often each outcome came. */
  stop(): Promise<Map<Outcome, number>>
}

/** What the calls come to where nothing is wrong with the database. */
export const ordinary = /^(done|Error: changed its mind|P2025|P2002 23505|P2003 23503|P2034 40P01)$/

let loads = 0

/** Starts 16 writers on an audited client: {@link careless} calls, and a tag of its own before each. */
export function startLoad(
  connection: pg.PoolConfig,
  seed: number,
  options: AuditOptions<PrismaClient> = {},
): Load {
  const lost: AuditError[] = []
  const adapter = new PrismaPg({
    connectionTimeoutMillis: 10_000,
    max: 20,
    application_name: 'load',
    ...connection,
  })
  const client = withAudit(new PrismaClient({ adapter, transactionOptions: patient }), {
    onError: (error) => lost.push(error),
    ...options,
  })
  const acknowledged: string[] = []
  const total = new Map<Outcome, number>()
  const count = (outcome: Outcome) => total.set(outcome, (total.get(outcome) ?? 0) + 1)
  const load = ++loads
  let goesOn = true
  let tags = 0
  const next = async () => {
    const name = `acknowledged ${load} ${tags++}`
    try {
      await client.tag.create({ data: { name } })
      acknowledged.push(name)
      count('done')
    } catch (error) {
      count(kindOf(error))
      await sleep(5) // a refused connection costs nothing: without a pause there would be nothing but those
    }
    return goesOn
  }
  const writing = Array.from({ length: 16 }, (_, n) =>
    work(client as unknown as PrismaClient, careless, randomOf(seed * 31 + n), 3, next, total),
  )
  return {
    client,
    acknowledged,
    lost,
    progress: async (more) => {
      const aim = acknowledged.length + more
      while (acknowledged.length < aim) await sleep(10)
    },
    meets: async (outcome) => {
      const soFar = () => [...total].reduce((sum, [kind, times]) => sum + (outcome.test(kind) ? times : 0), 0)
      const before = soFar()
      while (soFar() === before) await sleep(10)
    },
    stop: async () => {
      goesOn = false
      await Promise.all(writing)
      await client.$disconnect()
      return total
    },
  }
}

/** Stops the load; asserts that only these errors came besides the {@link ordinary} ones, and at least one of them. */
export async function expectOutcomes(load: Load, errors: RegExp): Promise<void> {
  const kinds = [...(await load.stop()).keys()]
  expect(kinds.filter((kind) => !ordinary.test(kind) && !errors.test(kind))).toEqual([])
  expect(kinds.some((kind) => errors.test(kind))).toBe(true)
}

/** The log and the surviving data tell the same, and what callers were told to be done is there. */
export async function expectNothingLost(database: Database, load: Load, since: OracleMark): Promise<void> {
  await untilQuiet(database)
  expect(await expectEntriesToMatchOracle(database, since)).toBeGreaterThan(0)
  const tags = await database.sql<{ name: string }>('SELECT name FROM "Tag"')
  const names = new Set(tags.map(({ name }) => name))
  expect(load.acknowledged.filter((name) => !names.has(name))).toEqual([])
}

/** As {@link expectNothingLost}, where all entries are there since the tables were empty, and no column is new. */
export async function expectWholeStory(database: Database, load: Load, since: OracleMark): Promise<void> {
  await expectNothingLost(database, load, since)
  expectUnbrokenChains(await database.changes())
}

/** A connection that was cut may leave a session that is about to commit. */
async function untilQuiet(database: Database): Promise<void> {
  const busy = () =>
    database.sql(`SELECT FROM pg_stat_activity WHERE application_name = 'load' AND state <> 'idle'
      AND datname = current_database()`)
  for (let left = 200; (await busy()).length > 0; left--) {
    if (left === 0) throw new Error('The sessions of the load should have ended by now')
    await sleep(50)
  }
}
