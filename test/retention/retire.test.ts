import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { exactColumns } from '../../src/reader/exact-row.ts'
import type { ExactRow } from '../../src/sink.ts'
import { monthsAgo } from '../partitions/months-ago.ts'
import { createPartitioned, fillMonths, partitionsOf } from '../partitions/partitioned.ts'
import { untilReadable } from '../reader/readers.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { maintainBy, temporaryArchive } from './retained.ts'

/** A partitioned log with entries of the last months. */
async function filled(months: number, count = 400): Promise<Database> {
  const db = await createPartitioned()
  await fillMonths(db, months, count)
  await untilReadable(db)
  return db
}

const rowsOf = (db: Database) =>
  db.sql<ExactRow & Record<string, unknown>>(
    `SELECT ${exactColumns} FROM audit_logs AS l WHERE action NOT LIKE 'auditLog.%' ORDER BY l.transaction_id, l.seq`,
  )

const retirements = (db: Database) =>
  db.sql(`SELECT resource_id, details FROM audit_logs WHERE action = 'auditLog.retire' ORDER BY seq`)

/** All rows of an archive. */
async function archivedRows(directory: string): Promise<ExactRow[]> {
  const files = (await readdir(directory, { recursive: true }))
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(directory, name))
  if (files.length === 0) return []
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const found = await connection.runAndReadAll(
    `SELECT * REPLACE (strftime("timestamp" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS "timestamp", seq::VARCHAR AS seq,
      transaction_id::VARCHAR AS transaction_id)
     FROM read_parquet([${files.map((file) => `'${file}'`)}], hive_partitioning = false) AS l ORDER BY l.transaction_id, l.seq`,
  )
  return found.getRowObjects() as unknown as ExactRow[]
}

describe('maintain', () => {
  it('says that nothing can leave a log that is one table', async () => {
    const { archive } = await temporaryArchive()
    expect(await maintainBy(await createDatabase(), { default: '3 months', archive })).toEqual([
      {
        ...{ action: 'wait for', subject: '"audit_logs"' },
        why: 'it is one table, which no month can leave. Run "npx prisma-extension-audit partition"',
      },
    ])
  })

  it('leaves months that are made for an import to it, and takes them out with it the next time', async () => {
    const db = await createPartitioned()
    const { archive } = await temporaryArchive()
    const policy = { default: '3 months', archive } as const
    const past = new Date()
    past.setUTCMonth(past.getUTCMonth() - 6, 1)
    const month = past.toISOString().slice(0, 7).replace('-', '_')
    const made = await maintainBy(db, policy, { since: past.toISOString() })
    expect(new Set(made.map(({ action }) => action))).toEqual(new Set(['create partition']))
    await db.sql(`INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, resource_type, resource_id, outcome, details)
      VALUES (gen_random_uuid(), '${past.toISOString()}', 'tag.create', 'ada', 'user', 'tag', '1', 'success', '{}')`)
    await untilReadable(db)
    const retired = (await maintainBy(db, policy)).filter(({ action }) => action === 'retire')
    expect(retired).toContainEqual(
      expect.objectContaining({ subject: expect.stringContaining(month), entries: 1 }),
    )
  })

  it('archives what is over, and takes out what is older than the policy says; the rest is untouched', async () => {
    const db = await filled(6)
    const before = await rowsOf(db)
    const { archive, directory } = await temporaryArchive()
    const actions = await maintainBy(db, { default: '3 months', archive })
    const archived = actions.filter(({ action }) => action === 'archive')
    const retired = actions.filter(({ action }) => action === 'retire')
    expect(archived).toHaveLength(6)
    expect(retired.length).toBeGreaterThan(1)
    const online = await rowsOf(db)
    const copied = await archivedRows(directory)
    const gone = retired.reduce((sum, { entries = 0 }) => sum + entries, 0)
    expect(online).toHaveLength(before.length - gone)
    // every column, word for word
    expect(copied).toEqual(before.slice(0, copied.length))
    expect(online).toEqual(before.slice(gone))
    expect(await partitionsOf(db)).not.toContain(retired[0]?.subject.replace('public.', ''))
    const entries = await retirements(db)
    expect(entries.map(({ resource_id }) => resource_id)).toEqual(retired.map(({ subject }) => subject))
    expect(entries[0]?.details).toMatchObject({
      range: { from: expect.any(String), to: expect.any(String) },
      ...{ entries: retired[0]?.entries, staying: 0, why: '3 months' },
      seq: { lowest: expect.any(String), highest: expect.any(String) },
      archive: {
        location: archive.location,
        manifests: [
          { key: expect.stringContaining('public.audit_logs/manifests/'), sha256: expect.any(String) },
        ],
      },
    })
    expect(await maintainBy(db, { default: '3 months', archive })).toEqual([])
  })

  it('says in a dry run what it would do and why, and does nothing', async () => {
    const db = await filled(6)
    const { archive, directory } = await temporaryArchive()
    const before = [await rowsOf(db), await partitionsOf(db)]
    const planned = await maintainBy(db, { default: '3 months', archive }, { isDryRun: true })
    expect([await rowsOf(db), await partitionsOf(db)]).toEqual(before)
    expect(await readdir(directory)).toEqual([])
    const done = await maintainBy(db, { default: '3 months', archive })
    expect(planned).toEqual(done)
  })

  it('keeps what a rule or a hold says in a month that goes, by a partition with only that', async () => {
    const db = await filled(6)
    const before = await rowsOf(db)
    const { archive, directory } = await temporaryArchive()
    const policy = {
      ...{ default: '3 months', archive },
      rules: [
        { resource: 'user', keep: 'forever' },
        { resource: 'report', keep: '1 day' },
        { organization: 'organization-2', hold: true as const },
      ],
    }
    await maintainBy(db, policy)
    const monthWasOver = ({ timestamp }: ExactRow, moment: Date) => {
      const upper = new Date(timestamp.slice(0, 7))
      upper.setUTCMonth(upper.getUTCMonth() + 1)
      return upper <= moment
    }
    const [yesterday, threeMonthsAgo] = [new Date(Date.now() - 86_400_000), monthsAgo(3)]
    const stays = (entry: ExactRow) =>
      entry.organization_id === 'organization-2' ||
      entry.resource_type === 'user' ||
      !monthWasOver(entry, entry.resource_type === 'report' ? yesterday : threeMonthsAgo)
    const online = await rowsOf(db)
    expect(online).toEqual(before.filter(stays))
    expect(online.length).toBeLessThan(before.length)
    expect((await archivedRows(directory)).length).toBeGreaterThan(before.length / 2)
    // and each is protected as before
    const [guarded] = await db.sql(
      `SELECT bool_and(is_protected) AS protected FROM audit_logs_internal.partitions('audit_logs')`,
    )
    expect(guarded).toEqual({ protected: true })
    for (const partition of await partitionsOf(db)) {
      await expect(db.sql(`DELETE FROM ${partition}`)).rejects.toMatchObject({ code: 'ZA001' })
    }
    expect(await maintainBy(db, policy)).toEqual([])
    // once the hold is lifted it goes, too
    const lifted = await maintainBy(db, { default: '3 months', archive })
    expect(lifted.every(({ action }) => action === 'retire')).toBe(true)
    expect(await rowsOf(db)).toEqual(
      before.filter((entry) => !monthWasOver(entry, threeMonthsAgo) && stays(entry)),
    )
  })

  it('takes a month that somebody added to, once what was added is in the archive, too', async () => {
    const db = await filled(6)
    const { archive, directory } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    await db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), now() - interval '5 months', 'imported.entry', 'x', 'user', 'a' FROM generate_series(1, 3)`)
    await untilReadable(db)
    const before = await rowsOf(db)
    await maintainBy(db, { default: '3 months', archive })
    const [online, archived] = [await rowsOf(db), await archivedRows(directory)]
    const seqs = new Set([...online, ...archived].map(({ seq }) => seq))
    expect(before.filter(({ seq }) => !seqs.has(seq))).toEqual([])
    expect(archived.filter(({ action }) => action === 'imported.entry')).toHaveLength(3)
    expect(new Set(archived.map(({ seq }) => seq)).size).toBe(archived.length)
  })

  it('waits for whoever still reads a month, and for a sink that has never begun', async () => {
    const db = await filled(3)
    const { archive, directory } = await temporaryArchive()
    await db.sql(`INSERT INTO audit_logs_internal.consumers (log, name, era, transaction_id, seq, highest_seq)
      VALUES ('public.audit_logs', 'sink:files', 1, 0, 0, 0)`)
    const waiting = await maintainBy(db, { default: '1 day', archive }, { readers: ['seal:log'] })
    expect(waiting.every(({ action }) => action === 'wait for')).toBe(true)
    expect(waiting[0]?.why).toBe('not all of it has been read by seal:log, sink:files')
    expect(await archivedRows(directory)).toEqual([])
    await db.sql(
      `UPDATE audit_logs_internal.consumers SET transaction_id = 9000000000000000000, seq = 9000000000000000000`,
    )
    const done = await maintainBy(db, { default: '1 day', archive })
    expect(done.filter(({ action }) => action === 'retire').length).toBeGreaterThan(1)
  })
})

describe('nothing leaves whose copy was not read back', () => {
  /** An archive whose files are altered once they are stored. */
  const corrupted = (archive: MonthArchive, directory: string, once: { done: boolean }): MonthArchive => ({
    ...archive,
    put: async (object, signal) => {
      const stored = await archive.put(object, signal)
      if (object.key.endsWith('.parquet') && !once.done) {
        once.done = true
        const path = join(directory, object.key)
        const bytes = await readFile(path)
        bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1
        await writeFile(path, bytes)
      }
      return stored
    },
  })

  it('an upload that is corrupted is found, and running again finishes', async () => {
    const db = await filled(4)
    const before = await rowsOf(db)
    const { archive, directory } = await temporaryArchive()
    const broken = corrupted(archive, directory, { done: false })
    await expect(maintainBy(db, { default: '1 month', archive: broken })).rejects.toMatchObject({
      code: 'AUDIT_ARCHIVE_BROKEN',
    })
    expect(await rowsOf(db)).toEqual(before)
    expect(await retirements(db)).toEqual([])
    await maintainBy(db, { default: '1 month', archive: broken })
    const [online, archived] = [await rowsOf(db), await archivedRows(directory)]
    expect(online.length).toBeLessThan(before.length)
    expect([...archived, ...online.slice(archived.length + online.length - before.length)]).toEqual(before)
  })

  it('an archive that gives back other rows than it was given is found, whatever its digests say', async () => {
    const db = await filled(4)
    const before = await rowsOf(db)
    const { archive } = await temporaryArchive()
    const engine = await archive.engine()
    const forgetful: MonthArchive = {
      ...archive,
      engine: async () => ({
        ...engine,
        write: async (lines, to) =>
          engine.write(
            (async function* () {
              for await (const some of lines) yield some.slice(1)
            })(),
            to,
          ),
      }),
    }
    await expect(maintainBy(db, { default: '1 month', archive: forgetful })).rejects.toMatchObject({
      code: 'AUDIT_ARCHIVE_BROKEN',
    })
    expect(await rowsOf(db)).toEqual(before)
  })

  it('a partition that is not what was archived is left, also by the function itself', async () => {
    const db = await filled(4)
    const { archive } = await temporaryArchive()
    await maintainBy(db, { default: '10 years', archive })
    const [first = ''] = await partitionsOf(db)
    const [{ upper } = {}] = await db.sql(
      `SELECT upper FROM audit_logs_internal.partitions('audit_logs') LIMIT 1`,
    )
    await db.sql(
      `UPDATE audit_logs_internal.archives SET online_entries = online_entries - 1 WHERE upper = $1`,
      [upper],
    )
    const retire = () =>
      db.sql(`SELECT audit_logs_internal.retire_partition('audit_logs', $1, $2, '[]', false, 'a test')`, [
        `public.${first}`,
        upper,
      ])
    await expect(retire()).rejects.toMatchObject({ code: 'ZA007' })
    await db.sql(`DELETE FROM audit_logs_internal.archives`)
    await expect(retire()).rejects.toMatchObject({ code: 'ZA007' })
    expect(await partitionsOf(db)).toContain(first)
  })

  it('of two that run at once one does it', async () => {
    const db = await filled(5)
    const before = await rowsOf(db)
    const { archive, directory } = await temporaryArchive()
    const both = await Promise.all([
      maintainBy(db, { default: '2 months', archive }),
      maintainBy(db, { default: '2 months', archive }),
    ])
    const retired = both.flat().filter(({ action }) => action === 'retire')
    expect(new Set(retired.map(({ subject }) => subject)).size).toBe(retired.length)
    const [online, archived] = [await rowsOf(db), await archivedRows(directory)]
    const seqs = new Set([...online, ...archived].map(({ seq }) => seq))
    expect(seqs.size).toBe(before.length)
    expect(new Set(archived.map(({ seq }) => seq)).size).toBe(archived.length)
    expect(await retirements(db)).toHaveLength(retired.length)
  })

  it('a hold that is set while it runs keeps what has not left yet', async () => {
    const db = await filled(6)
    const before = await rowsOf(db)
    const { archive } = await temporaryArchive()
    let isHeld = false
    await maintainBy(
      db,
      () => ({
        ...{ default: '1 month', archive },
        rules: isHeld ? [{ organization: 'organization-2', hold: true as const }] : [],
      }),
      {
        note: (text) => {
          if (text.includes('retired')) isHeld = true
        },
      },
    )
    const [{ details } = {}] = await retirements(db)
    const until = String((details as { range?: { to?: string } }).range?.to).slice(0, 7)
    const held = before.filter(
      (entry) => entry.organization_id === 'organization-2' && entry.timestamp.slice(0, 7) >= until,
    )
    const online = new Set((await rowsOf(db)).map(({ seq }) => seq))
    expect(held.length).toBeGreaterThan(10)
    expect(held.filter(({ seq }) => !online.has(seq))).toEqual([])
  })

  it('makes the same files of the same entries', async () => {
    const db = await filled(3)
    const digests = []
    for (let attempt = 0; attempt < 2; attempt++) {
      const { archive, directory } = await temporaryArchive()
      await maintainBy(db, { default: '10 years', archive })
      await db.sql('DELETE FROM audit_logs_internal.archives')
      const names = (await readdir(directory, { recursive: true })).filter((name) =>
        name.endsWith('.parquet'),
      )
      digests.push(
        await Promise.all(
          names.sort().map(async (name) => [
            name,
            createHash('sha256')
              .update(await readFile(join(directory, name)))
              .digest('hex'),
          ]),
        ),
      )
    }
    expect(digests[0]).toHaveLength(3)
    expect(digests[1]).toEqual(digests[0])
  })
})
