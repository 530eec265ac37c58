import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { archiveS3 } from '../../src/parquet/archive-s3.ts'
import { readArchived } from '../../src/parquet/catalog.ts'
import { maintainLog } from '../../src/retention/maintain.ts'
import { restoreMonth } from '../../src/retention/restore-month.ts'
import { retentionSchema } from '../../src/retention-schema.ts'
import { dayOfMonthAgo } from '../partitions/months-ago.ts'
import { createPartitioned, partitionsOf } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { newKey, sealAll, signerOf } from '../seal/seals.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import type { Database } from '../support/database.ts'
import { maintainBy, ownedLogOf, temporaryArchive } from './retained.ts'

const table = { name: 'audit_logs' }

/** In the month before the last one, which has been over for a month. */
const past = dayOfMonthAgo(2)

/** A log with one month that is over, by more than a day whatever day it is, and so many entries in it. */
async function withPastMonth(entries: number): Promise<Database> {
  const db = await createPartitioned()
  await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, $1)`, [past])
  const [, last] = await partitionsOf(db)
  await db.sql(`ALTER TABLE audit_logs DETACH PARTITION ${last}; DROP TABLE ${last}`)
  await write(db, entries)
  return db
}

async function write(db: Database, entries: number, time = past): Promise<void> {
  await db.sql(
    `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), $1, 'a.b', 'x', 'user', 'a' FROM generate_series(1, $2::int)`,
    [time, entries],
  )
  await untilReadable(db)
}

/** An archive that lets something happen once, before it stores the first file of that kind. */
function interrupted(archive: MonthArchive, kind: string, happens: () => Promise<void>): MonthArchive {
  let isDone = false
  return {
    ...archive,
    put: async (object, signal) => {
      if (object.key.endsWith(kind) && !isDone) {
        isDone = true
        await happens()
      }
      return archive.put(object, signal)
    },
  }
}

/** Maintains a log as a process does that has lost its lock and does not know: nobody waits for it, and it for nobody. */
function maintainWithoutLock(db: Database, archive: MonthArchive) {
  return maintainLog(
    { ...ownedLogOf(db), transaction: undefined },
    { isDryRun: false, retention: async () => retentionSchema.parse({ default: '10 years', archive }) },
  )
}

it.each(['.parquet', '.json'])(
  'a month that another process archives meanwhile, behind one more checkpoint, counts once: before the %s',
  async (kind) => {
    const db = await withPastMonth(5)
    const signer = await signerOf(newKey())
    await sealAll(logOf(db), signer)
    const { archive } = await temporaryArchive()
    const slow = interrupted(archive, kind, async () => {
      await write(db, 1, new Date().toISOString())
      await sealAll(logOf(db), signer)
      await maintainBy(db, { default: '10 years', archive })
    })
    await expect(maintainWithoutLock(db, slow)).rejects.toMatchObject({ code: 'AUDIT_NOT_MAINTAINED' })
    const [month] = await readArchived(logOf(db).connection, table)
    expect([month?.entries, month?.onlineEntries, month?.manifests.length]).toEqual([5, 5, 1])
    // all of it can leave, and comes back as it was
    await maintainBy(db, { default: '1 day', archive })
    expect(await restoreMonth(ownedLogOf(db), archive, past.slice(0, 7))).toBe(5)
  },
)

/** Those of entries, in an archive. */
async function filesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => name.endsWith('.parquet'))
}

/** An attempt that stores its files, and ends before it reads them back; then the month changes. */
async function leaveFile(db: Database, archive: MonthArchive): Promise<void> {
  const ended = {
    ...archive,
    fetch: () => Promise.reject(new Error('the process was killed')),
  }
  await expect(maintainBy(db, { default: '10 years', archive: ended })).rejects.toThrow('was killed')
  await write(db, 1)
}

it('what an attempt has left that was ended is removed by the next one, if the month has changed since', async () => {
  const db = await withPastMonth(5)
  const { archive, directory } = await temporaryArchive()
  await leaveFile(db, archive)
  const [left] = await filesIn(directory)
  const actions = await maintainBy(db, { default: '10 years', archive })
  expect(actions).toEqual([
    { action: 'archive', subject: expect.any(String), entries: 6, why: 'its time is over' },
    {
      action: 'remove',
      subject: left,
      why: 'an attempt to archive the month that was ended has left it',
    },
  ])
  const [file, ...others] = await filesIn(directory)
  expect([file === left, others]).toEqual([false, []])
})

it('what the store keeps is named, and stays', async () => {
  const db = await withPastMonth(5)
  const { archive, directory } = await temporaryArchive()
  await leaveFile(db, archive)
  const [left] = await filesIn(directory)
  const locked = { ...archive, remove: async () => false }
  expect(await maintainBy(db, { default: '10 years', archive: locked })).toContainEqual({
    ...{ action: 'leave', subject: left },
    why: "the log's database does not know it, and it can't be removed: leave it out where another engine reads the archive",
  })
  expect(await filesIn(directory)).toHaveLength(2)
})

it('what a manifest lists is named, and stays: another database may rely on it', async () => {
  const [db, other] = [await withPastMonth(5), await withPastMonth(3)]
  const { archive, directory } = await temporaryArchive()
  await maintainBy(other, { default: '10 years', archive })
  const [left] = await filesIn(directory)
  expect(await maintainBy(db, { default: '10 years', archive })).toContainEqual({
    ...{ action: 'leave', subject: left },
    why: "the log's database does not know it, and a manifest lists it: leave it out where another engine reads the archive",
  })
  expect(await filesIn(directory)).toHaveLength(2)
})

it('a process whose lock was lost removes nothing of the one that has it now', async () => {
  const db = await withPastMonth(5)
  const { archive, directory } = await temporaryArchive()
  await leaveFile(db, archive)
  const slow: MonthArchive = {
    ...archive,
    list: async (folder, signal) => {
      const keys = await archive.list(folder, signal)
      // behind its back: the server ends its transaction, and another process begins and stores its files
      if (folder.includes('/entries/')) {
        await db.sql(`SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
      }
      return keys
    },
  }
  await expect(maintainBy(db, { default: '10 years', archive: slow })).rejects.toMatchObject({
    code: 'AUDIT_UNREADABLE',
  })
  expect(await filesIn(directory)).toHaveLength(2)
  expect(await readArchived(logOf(db).connection, table)).toEqual([])
})

it('keeps its lock where the server ends transactions that are idle', async () => {
  const db = await withPastMonth(5)
  const name = (await db.sql<{ name: string }>('SELECT current_database() AS name'))[0]?.name
  await db.sql(`ALTER DATABASE "${name}" SET idle_in_transaction_session_timeout = '300ms'`)
  await db.pool.query('SELECT 1')
  for (const client of await Promise.all([1, 2, 3].map(() => db.pool.connect()))) client.release(true)
  const { archive } = await temporaryArchive()
  const slow = interrupted(archive, '.parquet', () => sleep(1_000))
  await maintainBy(db, { default: '10 years', archive: slow })
  const [month] = await readArchived(logOf(db).connection, table)
  expect(month?.entries).toBe(5)
})

it('files that are taken away before the manifest lists them are missed', async () => {
  const db = await withPastMonth(5)
  const { archive, directory } = await temporaryArchive()
  const robbed = interrupted(archive, '.json', async () => {
    for (const name of await filesIn(directory)) await rm(join(directory, name))
  })
  await expect(maintainBy(db, { default: '1 day', archive: robbed })).rejects.toMatchObject({
    code: 'AUDIT_ARCHIVE_BROKEN',
  })
  expect(await readArchived(logOf(db).connection, table)).toEqual([])
})

describe.skipIf(withoutMoto)('in S3', { timeout: 120_000 }, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()

  it.each([
    [false, 'removed', 1],
    [true, 'named, as it is locked', 2],
  ])('Object Lock %s: what an attempt has left is %s', async (isLocked, _, files) => {
    const { bucket, client } = await createBucket(moto, { isLocked })
    const archive = archiveS3({
      ...{ bucket, prefix: 'archive/', client: moto.config },
      retention: isLocked ? { mode: 'COMPLIANCE', days: 30 } : 'none',
    })
    const entries = 'public.audit_logs/entries'
    const keys = () => archive.list(entries, new AbortController().signal)
    const db = await withPastMonth(5)
    await leaveFile(db, archive)
    const [left = ''] = await keys()
    expect(left).toMatch(new RegExp(`^${entries}/month=`))
    const [, action] = await maintainBy(db, { default: '10 years', archive })
    expect(action).toMatchObject({ action: isLocked ? 'leave' : 'remove', subject: left })
    expect(await keys()).toHaveLength(files)
    client.destroy()
  })
})
