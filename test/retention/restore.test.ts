import { basename } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import type { Moto } from '../../scripts/moto.ts'
import type { MonthArchive } from '../../src/archive-contract.ts'
import { archiveS3 } from '../../src/parquet/archive-s3.ts'
import { archivedLog } from '../../src/parquet/archived-entries.ts'
import { archiveDdl, type Engine, engines } from '../../src/parquet/ddl.ts'
import { exactColumns } from '../../src/reader/exact-row.ts'
import { restoreMonth } from '../../src/retention/restore-month.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { createPartitioned, fillMonths, partitionsOf } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { newKey, origin, sealAll, signerOf } from '../seal/seals.ts'
import { createBucket } from '../sinks/archives.ts'
import { startMoto, withoutMoto } from '../sinks/moto.ts'
import type { Database } from '../support/database.ts'
import { maintainBy, ownedLogOf, temporaryArchive } from './retained.ts'

const signer = await signerOf(newKey())

async function sealed(months: number): Promise<Database> {
  const db = await createPartitioned()
  await fillMonths(db, months, 300)
  await untilReadable(db)
  return db
}

const verify = (db: Database, archive?: MonthArchive) =>
  verifyLog(
    {
      ...logOf(db),
      archive: archive && archivedLog(archive, { name: 'audit_logs' }, logOf(db).connection),
    },
    { keys: signer.keys, origin },
  )

const rowsOf = (db: Database) =>
  db.sql(
    `SELECT ${exactColumns} FROM audit_logs AS l WHERE action NOT LIKE 'auditLog.%' ORDER BY l.transaction_id, l.seq`,
  )

describe('the seals of what has left the table', { timeout: 120_000 }, () => {
  it('are verified in the archive; without it, entries count as missing', async () => {
    const db = await sealed(5)
    await sealAll(logOf(db), signer)
    const { archive } = await temporaryArchive()
    const actions = await maintainBy(db, { default: '2 months', archive }, { readers: ['seal:log'] })
    const retired = actions.filter(({ action }) => action === 'retire')
    const gone = retired.reduce((sum, { entries = 0 }) => sum + entries, 0)
    expect(gone).toBeGreaterThan(50)
    expect(await verify(db, archive)).toMatchObject({ ok: true, found: 0, archived: gone })
    const without = await verify(db)
    expect(without).toMatchObject({ ok: false, found: gone })
    expect(new Set(without.findings.map(({ kind }) => kind))).toEqual(new Set(['missing']))
    // an archive that says something else is found
    const forging: MonthArchive = {
      ...archive,
      engine: async () => {
        const engine = await archive.engine()
        return {
          ...engine,
          find: async (paths, question) =>
            (await engine.find(paths, question)).map((found) => ({
              ...found,
              row: { ...found.row, actor_id: 'somebody else' },
            })),
        }
      },
    }
    expect((await verify(db, forging)).findings[0]).toMatchObject({ kind: 'changed' })
  })

  it('hold again in the table, once a month is restored', async () => {
    const db = await sealed(5)
    await sealAll(logOf(db), signer)
    const before = await rowsOf(db)
    const partitions = await partitionsOf(db)
    const { archive } = await temporaryArchive()
    const policy = {
      ...{ default: '2 months', archive },
      rules: [{ organization: 'organization-2', hold: true as const }],
    }
    const actions = await maintainBy(db, policy)
    const months = actions
      .filter(({ action }) => action === 'retire')
      .map(({ subject }) => subject.slice(-7).replace('_', '-'))
    expect(months.length).toBeGreaterThan(1)
    for (const month of months) {
      expect(await restoreMonth(ownedLogOf(db), archive, month)).toBeGreaterThan(0)
      await expect(restoreMonth(ownedLogOf(db), archive, month)).rejects.toMatchObject({
        code: 'AUDIT_NOT_MAINTAINED',
      })
    }
    expect(await rowsOf(db)).toEqual(before)
    expect(await partitionsOf(db)).toEqual(partitions)
    expect(await verify(db)).toMatchObject({ ok: true, found: 0 })
    const [guarded] = await db.sql(
      `SELECT bool_and(is_protected) AS protected FROM audit_logs_internal.partitions('audit_logs')`,
    )
    expect(guarded).toEqual({ protected: true })
    const recorded = await db.sql(`SELECT action FROM audit_logs WHERE action = 'auditLog.restore'`)
    expect(recorded).toHaveLength(months.length)
    // and maintain takes them out again, without archiving anything
    const again = await maintainBy(db, policy)
    expect(again.map(({ action }) => action)).toEqual(months.map(() => 'retire'))
  })
})

describe('the statements for engines', () => {
  it('DuckDB reads the files by them', async () => {
    const db = await sealed(4)
    const { archive } = await temporaryArchive()
    await maintainBy(db, { default: '1 month', archive })
    const [view = '', ...questions] = archiveDdl('duckdb', archive.location, 'public.audit_logs')
      .split(';\n')
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(view)
    const counted = await connection.runAndReadAll(
      'SELECT month, count(*)::INTEGER AS n FROM audit_logs GROUP BY 1 ORDER BY 1',
    )
    expect(counted.getRowObjects()).toEqual(
      await db.sql(`SELECT to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM') AS month, entries::int AS n
        FROM audit_logs_internal.archives WHERE entries > 0 ORDER BY 1`),
    )
    for (const question of questions) await connection.run(question)
    // a file that is no part of it is left out as docs/retention.md says
    const [{ key } = { key: '' }] = await db.sql<{ key: string }>(
      `SELECT manifests -> 0 -> 'manifest' -> 'parts' -> 0 ->> 'key' AS key FROM audit_logs_internal.archives ORDER BY upper LIMIT 1`,
    )
    const without = view
      .replace('VIEW audit_logs', 'VIEW fewer')
      .replace(/;?$/, ` WHERE filename NOT LIKE '%/${basename(key)}'`)
    await connection.run(without)
    const fewer = await connection.runAndReadAll('SELECT DISTINCT month FROM fewer')
    expect(fewer.getRowObjects()).toHaveLength(counted.getRowObjects().length - 1)
  })

  it('name things as each engine does', () => {
    const ddl = (engine: Engine) => archiveDdl(engine, 's3://bucket', 'public.audit_logs')
    // Athena's statements of tables are Hive's, its questions are Trino's
    expect(ddl('athena')).toMatch(/ {2}`timestamp` timestamp,.*SELECT "timestamp", /s)
    expect(ddl('trino')).toMatch(/ {2}"timestamp" timestamp\(6\),.*SELECT "timestamp", /s)
    expect(ddl('spark')).toMatch(/ {2}`timestamp` TIMESTAMP,.*LOCATION 's3a:.*SELECT `timestamp`, /s)
    expect(ddl('clickhouse')).toContain(
      "FROM s3('s3://bucket/public.audit_logs/entries/month=*/*.parquet', 'Parquet', ",
    )
    expect(archiveDdl('clickhouse', "file:///o'b%20c/", 'public.audit_logs')).toContain(
      "FROM file('/o''b c/public.audit_logs/entries/month=*/*.parquet', 'Parquet', ",
    )
  })

  it.each(engines)('%s: has every column', (engine) => {
    const ddl = archiveDdl(engine, 's3://bucket/prefix/', 'public.audit_logs')
    expect(ddl).toContain('bucket/prefix/public.audit_logs/entries/')
    if (engine !== 'duckdb')
      for (const name of ['id', 'details', 'transaction_id']) expect(ddl).toContain(name)
  })
})

describe.skipIf(withoutMoto)('an archive in S3', { timeout: 120_000 }, async () => {
  const moto = withoutMoto ? ({} as Moto) : await startMoto()

  it('is written under Object Lock, read back, replaced where it is corrupt, and asked', async () => {
    const { bucket, client } = await createBucket(moto)
    const archive = archiveS3({
      ...{ bucket, prefix: 'archive/', client: moto.config },
      retention: { mode: 'COMPLIANCE', days: 30 },
    })
    const db = await sealed(4)
    const before = await rowsOf(db)
    // what an attempt that went wrong has left under the same key
    const corrupt: MonthArchive = {
      ...archive,
      put: (object, signal) => archive.put({ ...object, body: Buffer.from('no parquet') }, signal),
    }
    await expect(maintainBy(db, { default: '1 month', archive: corrupt })).rejects.toThrow()
    expect(await rowsOf(db)).toEqual(before)
    const actions = await maintainBy(db, { default: '1 month', archive })
    expect(actions.some(({ action }) => action === 'retire')).toBe(true)
    const [row] = await db.sql<{ part: { retention: unknown; versionId: unknown } }>(
      `SELECT manifests -> 0 -> 'manifest' -> 'parts' -> 0 AS part FROM audit_logs_internal.archives ORDER BY upper LIMIT 1`,
    )
    expect(row?.part).toMatchObject({ retention: { mode: 'COMPLIANCE' }, versionId: expect.any(String) })
    const { entries: found } = await archivedLog(archive, { name: 'audit_logs' }, logOf(db).connection).find({
      conditions: {},
      order: 'newest',
    })
    const online = await rowsOf(db)
    expect(online.length + found.length).toBe(before.length)
    expect(found[0]?.archivedIn).toMatch(
      new RegExp(`^s3://${bucket}/archive/public.audit_logs/entries/month=`),
    )
    client.destroy()
  })
})
