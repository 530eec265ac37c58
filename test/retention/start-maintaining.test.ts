import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MonthArchive } from '../../src/archive-contract.ts'
import type { AuditError, AuditOptions } from '../../src/index.ts'
import { startMaintaining, withAudit } from '../../src/index.ts'
import type { Maintaining } from '../../src/retention/maintaining.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createPartitioned, fillMonths, partitionsOf } from '../partitions/partitioned.ts'
import { until, untilReadable } from '../reader/readers.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { temporaryArchive } from './retained.ts'

/** An audited client that connects as the owner of the log. */
function ownerOf(db: Database, options: AuditOptions<PrismaClient> = {}, pool: { max?: number } = {}) {
  return withAudit(createClient(db.url, pool), options)
}

async function filled(): Promise<Database> {
  const db = await createPartitioned()
  await fillMonths(db, 4, 300)
  await untilReadable(db)
  return db
}

/** Whoever waits here goes on once it is opened. */
function gate() {
  let open = () => {}
  let reached = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const isReached = new Promise<void>((resolve) => {
    reached = resolve
  })
  return { open: () => open(), reached: () => reached(), opened, isReached }
}

/** An archive that stores nothing until the gate is open, or the signal ends it. */
function waitingAt(archive: MonthArchive, { reached, opened }: ReturnType<typeof gate>): MonthArchive {
  return {
    ...archive,
    put: async (object, signal) => {
      reached()
      await Promise.race([
        opened,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ])
      return archive.put(object, signal)
    },
  }
}

/** How long the next run is away behind the last one, in milliseconds. */
function pauseOf(maintaining: Maintaining): number {
  const { at = '', next = '' } = maintaining.metrics().lastRun ?? {}
  return Date.parse(next) - Date.parse(at)
}

const count = async (db: Database) => {
  const [row] = await db.sql<{ count: number }>(
    `SELECT count(*)::int FROM audit_logs WHERE action NOT LIKE 'auditLog.%'`,
  )
  return row?.count ?? 0
}

describe('startMaintaining', () => {
  it('creates the months that come, archives those that are over, and retires them by the option retention', async () => {
    const db = await filled()
    await db.sql(`DROP TABLE ${(await partitionsOf(db)).at(-1)}`)
    const [partitions, entries] = [await partitionsOf(db), await count(db)]
    const { archive } = await temporaryArchive()
    const maintaining = await startMaintaining(ownerOf(db, { retention: { default: '1 month', archive } }))
    await until(() => maintaining.metrics().runs === 1, 'it should have run')
    await maintaining.stop()
    const { lastRun, ...metrics } = maintaining.metrics()
    expect(metrics).toEqual({ runs: 1, failures: 0, lastError: null })
    const done = (action: string) => (lastRun?.actions ?? []).filter((one) => one.action === action)
    const retired = done('retire').reduce((sum, one) => sum + (one.entries ?? 0), 0)
    expect(done('create partition')).toHaveLength(1)
    expect(done('archive')).toHaveLength(4)
    expect(done('retire').length).toBeGreaterThan(1)
    expect(await count(db)).toBe(entries - retired)
    expect(await partitionsOf(db)).toHaveLength(partitions.length + 1 - done('retire').length)
  })

  it('runs again after its interval, and ends when the client disconnects', async () => {
    const db = await createPartitioned()
    const prisma = ownerOf(db)
    const maintaining = await startMaintaining(prisma, { interval: 10 })
    await until(() => maintaining.metrics().runs >= 2, 'it should run again')
    await db.sql(`DROP TABLE ${(await partitionsOf(db)).at(-1)}`)
    const left = await partitionsOf(db)
    await until(async () => (await partitionsOf(db)).length === left.length + 1, 'it should be there again')
    await prisma.$disconnect()
    await maintaining.stopped
  })

  it('says that it waits where another process archives, and that is no error', async () => {
    const db = await filled()
    const { archive } = await temporaryArchive()
    const slow = gate()
    const retention = { default: '1 month', archive: waitingAt(archive, slow) }
    const first = await startMaintaining(ownerOf(db, { retention }))
    await slow.isReached
    const errors: AuditError[] = []
    const second = await startMaintaining(ownerOf(db, { retention }), {
      onError: (error) => errors.push(error),
    })
    await until(() => second.metrics().runs === 1, 'the second should have run')
    await second.stop()
    expect(second.metrics().lastRun?.actions).toEqual([
      { action: 'wait for', subject: '"audit_logs"', why: 'another process archives its months' },
    ])
    expect(pauseOf(second)).toBe(600_000)
    slow.open()
    await until(() => first.metrics().runs === 1, 'the first should have run')
    await first.stop()
    expect([errors, first.metrics().failures]).toEqual([[], 0])
    expect(pauseOf(first)).toBe(86_400_000)
  })

  it('ends in the middle of a run, which the next one finishes', async () => {
    const db = await filled()
    const entries = await count(db)
    const { archive } = await temporaryArchive()
    const slow = gate()
    const errors: AuditError[] = []
    const maintaining = await startMaintaining(
      ownerOf(db, { retention: { default: '1 month', archive: waitingAt(archive, slow) } }),
      { onError: (error) => errors.push(error) },
    )
    await slow.isReached
    await maintaining.stop()
    expect([errors, maintaining.metrics()]).toEqual([
      [],
      { runs: 0, lastRun: null, failures: 0, lastError: null },
    ])
    expect(await count(db)).toBe(entries)
    const next = await startMaintaining(ownerOf(db, { retention: { default: '1 month', archive } }))
    await until(() => next.metrics().runs === 1, 'it should have run')
    await next.stop()
    expect(next.metrics().failures).toBe(0)
    expect(await count(db)).toBeLessThan(entries)
  })

  it('waits for the sinks of the client, also for one that has never begun', async () => {
    const db = await filled()
    const { archive } = await temporaryArchive()
    const sink = { name: 'elsewhere', write: async () => {} }
    const maintaining = await startMaintaining(
      ownerOf(db, { retention: { default: '1 month', archive }, sinks: [sink] }),
    )
    await until(() => maintaining.metrics().runs === 1, 'it should have run')
    await maintaining.stop()
    const actions = maintaining.metrics().lastRun?.actions ?? []
    expect(new Set(actions.map(({ action, why }) => `${action}: ${why}`))).toEqual(
      new Set(['wait for: not all of it has been read by sink:elsewhere']),
    )
  })

  it('tells onError where the role does not own the log', async () => {
    const db = await createPartitioned()
    const role = `app_${randomUUID().slice(0, 8)}`
    await db.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'app';
      GRANT SELECT, INSERT ON audit_logs TO ${role}; GRANT USAGE ON SCHEMA audit_logs_internal TO ${role}`)
    onTestFinished(() => db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`).then(() => {}))
    const url = Object.assign(new URL(db.url), { username: role, password: 'app' })
    const errors: string[] = []
    const prisma = withAudit(createClient(url.href), { onError: ({ code }) => errors.push(code) })
    const maintaining = await startMaintaining(prisma)
    await until(() => errors.length > 0, 'it should be told')
    await maintaining.stop()
    await prisma.$disconnect()
    expect(errors[0]).toBe('AUDIT_NOT_MAINTAINED')
    expect(maintaining.metrics()).toMatchObject({ runs: 0, lastError: { code: 'AUDIT_NOT_MAINTAINED' } })
  })

  it('has nothing to do for a log that is no table of months', async () => {
    const maintaining = await startMaintaining(ownerOf(await createDatabase()))
    await until(() => maintaining.metrics().runs === 1, 'it should have run')
    await maintaining.stop()
    expect(maintaining.metrics()).toMatchObject({ lastRun: { actions: [] }, failures: 0 })
  })

  it('says that a pool of one connection is too small, and gives the connection back', {
    timeout: 30_000,
  }, async () => {
    const db = await filled()
    const { archive } = await temporaryArchive()
    const errors: AuditError[] = []
    const prisma = ownerOf(db, { retention: { default: '1 month', archive } }, { max: 1 })
    const maintaining = await startMaintaining(prisma, { onError: (error) => errors.push(error) })
    await until(() => errors.length > 0, 'it should be told')
    await maintaining.stop()
    expect(errors[0]?.message).toContain('Give the pool at least two')
    expect(await prisma.tag.count()).toBe(0)
  })

  it('is refused without a client that is audited, and with what it can not use', async () => {
    const client = createClient((await createDatabase()).url)
    const refused = { code: 'AUDIT_INVALID_OPTIONS' }
    await expect(startMaintaining(client)).rejects.toMatchObject(refused)
    const prisma = withAudit(client)
    await expect(startMaintaining(prisma, { interval: 0 })).rejects.toMatchObject(refused)
  })
})
