import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { driftScript } from '../../scripts/schema-engine.ts'
import { withPartitionedKey } from '../../src/cli/partitioned-model.ts'
import { withAudit } from '../../src/index.ts'
import { readPosition } from '../../src/reader/eras.ts'
import { convertLog } from '../../src/retention/convert-log.ts'
import { ownedLog } from '../../src/retention/owned-log.ts'
import { logOf } from '../reader/readers.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { migration } from '../support/migration.ts'
import { partitionLog, partitionsOf } from './partitioned.ts'

const convert = (db: Database) => convertLog(ownedLog(logOf(db)), () => {})

async function write(db: Database, count: number, timestamp = 'clock_timestamp()'): Promise<void> {
  await db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
    SELECT gen_random_uuid(), ${timestamp}, 'a.b', 'x', 'user', 'a' FROM generate_series(1, ${count})`)
}

/** What of a log is the same whether it is one table or many. */
async function definition(db: Database): Promise<unknown> {
  const [row] = await db.sql(`SELECT json_build_object(
    'columns', (SELECT json_agg(json_build_array(attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), attacl) ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
    'checks', (SELECT json_agg(json_build_array(conname, pg_get_constraintdef(oid)) ORDER BY conname)
      FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c'),
    'indexes', (SELECT json_agg(replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') ORDER BY indexrelid::regclass::text)
      FROM pg_index WHERE indrelid = c.oid AND NOT indisprimary),
    'triggers', (SELECT json_agg(json_build_array(pg_get_triggerdef(oid), tgenabled) ORDER BY tgname)
      FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
    'owner', relowner::regrole, 'privileges', (SELECT json_agg(a::text ORDER BY a::text) FROM aclexplode(relacl) AS a WHERE a.grantee <> relowner),
    'sequence', pg_get_serial_sequence('audit_logs', 'seq')
  ) AS definition FROM pg_class c WHERE c.oid = 'audit_logs'::regclass`)
  return row?.definition
}

const month = (offset: number) => {
  const now = new Date()
  const date = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1))
  return date.toISOString().slice(0, 7).replace('-', '_')
}
const months = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `audit_logs_${month(from + index)}`)

describe('a log that becomes partitioned', () => {
  it('is the same to everybody: columns, indexes, triggers, privileges, sequence', async () => {
    const db = await createDatabase()
    const role = `app_${randomUUID().slice(0, 8)}`
    await db.sql(`CREATE ROLE ${role}; GRANT SELECT ON audit_logs TO ${role} WITH GRANT OPTION;
      GRANT INSERT (id, action) ON audit_logs TO ${role}; GRANT SELECT ON SEQUENCE audit_logs_seq_seq TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC`)
    await write(db, 10)
    const [before, entries] = [await definition(db), await db.entries()]
    await partitionLog(db)
    await db.sql('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM PUBLIC')
    expect(await definition(db)).toEqual(before)
    expect(await db.entries()).toEqual(entries)
    expect(await partitionsOf(db)).toEqual([`audit_logs_before_${month(1)}`, ...months(1, 12)])
    const [row] =
      await db.sql(`SELECT has_sequence_privilege('${role}', 'audit_logs_seq_seq', 'SELECT') AS reads,
      has_sequence_privilege('${role}', 'audit_logs_seq_seq', 'UPDATE') AS sets`)
    expect(row).toEqual({ reads: true, sets: false })
    await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('builds no index of its entries again, but that of the key', async () => {
    const db = await createDatabase()
    await write(db, 10)
    const files = () =>
      db.sql<{ file: string }>(`SELECT relfilenode AS file FROM pg_index JOIN pg_class c ON c.oid = indexrelid
        WHERE NOT indisprimary AND relfilenode <> 0 AND pg_relation_size(c.oid) > 0 AND indrelid IN (SELECT 'audit_logs'::regclass
          UNION SELECT partition FROM audit_logs_internal.partitions('audit_logs') WHERE lower = '-infinity')
        ORDER BY relfilenode::bigint`)
    const before = await files()
    await convert(db)
    expect((await files()).slice(0, before.length)).toEqual(before)
    expect(await db.sql(`SELECT count(*)::int FROM pg_index WHERE NOT indisvalid`)).toEqual([{ count: 0 }])
  })

  it('numbers entries on where it was', async () => {
    const db = await createDatabase()
    await write(db, 5)
    await partitionLog(db)
    await write(db, 1)
    await write(db, 1, `now() + interval '2 months'`)
    expect((await db.entries()).map(({ seq }) => Number(seq))).toEqual([1, 2, 3, 4, 5, 6, 7])
    await expect(
      db.sql(
        `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, seq) VALUES (gen_random_uuid(), 'a.b', 'x', 'user', 'a', 1)`,
      ),
    ).rejects.toMatchObject({ code: '428C9' })
  })

  it('without an entry begins with this month', async () => {
    const db = await createDatabase()
    expect(await convert(db)).toBe(true)
    expect(await partitionsOf(db)).toEqual(months(0, 12))
    expect(await convert(db)).toBe(false)
    await write(db, 1)
    expect((await db.entries()).map(({ seq }) => Number(seq))).toEqual([1])
  })

  it('that has entries of a time to come keeps them', async () => {
    const db = await createDatabase()
    await write(db, 1)
    await write(db, 1, `now() + interval '3 months'`)
    await convert(db)
    expect(await partitionsOf(db)).toEqual([`audit_logs_before_${month(4)}`, ...months(4, 12)])
    expect(await db.entries()).toHaveLength(2)
  })

  it('stays in its era: readers go on', async () => {
    const db = await createDatabase()
    const before = await readPosition(logOf(db))
    await write(db, 1)
    await partitionLog(db)
    const after = await readPosition(logOf(db))
    expect(after.eras.map(({ id }) => id)).toEqual(before.eras.map(({ id }) => id))
  })

  it('is as its model says, so that prisma migrate finds nothing to do, also with further months', async () => {
    const db = await createDatabase({ template: 'template0' })
    await db.sql(migration)
    const shipped = await readFile('prisma/schema.prisma', 'utf8')
    const schema = withPartitionedKey(shipped, { name: 'AuditLog' })
    expect(schema).toContain('@@id([id, timestamp])')
    await write(db, 1)
    await convert(db)
    const drift = async (model: string) => (await driftScript(db.url, model)).trim()
    expect(await drift(schema)).toBe('-- This is an empty migration.')
    await db.sql(`SELECT audit_logs_internal.create_partitions('audit_logs', 20, '2024-01-01')`)
    expect(await drift(schema)).toBe('-- This is an empty migration.')
    expect(await drift(shipped)).toContain('PRIMARY KEY')
  })

  it('is not changed by the migrations when they are applied again', async () => {
    const db = await createDatabase({ template: 'template0' })
    await db.sql(migration)
    await write(db, 1)
    await convert(db)
    const before = [await definition(db), await partitionsOf(db), await db.entries()]
    await db.sql(migration)
    expect([await definition(db), await partitionsOf(db), await db.entries()]).toEqual(before)
    const [row] = await db.sql(
      `SELECT prosrc LIKE '%_claim(%' AS claims FROM pg_proc WHERE proname = 'audit_logs_write'`,
    )
    expect(row).toEqual({ claims: true })
  })
})

describe('while eight clients write', { timeout: 120_000 }, () => {
  it('nothing is lost or doubled', async () => {
    const db = await createDatabase()
    const prisma = withAudit(createClient(db.url, { max: 9 }))
    const audit = prisma.$audit
    let isOver = false
    let count = 0
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      while (!isOver) {
        const name = `${writer} ${count++}`
        const event = { action: 'test.event', resource: { type: 'test', id: name } }
        if (writer % 4 === 0) await audit.record(event, { queue: true })
        else if (writer % 4 === 1) await audit.record(event)
        else if (writer % 4 === 2) await prisma.tag.create({ data: { name } })
        else
          await prisma.$transaction(async (tx) => {
            await tx.tag.create({ data: { name: `${name} a` } })
            await tx.tag.update({ where: { name: `${name} a` }, data: { name } })
          })
      }
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    await convert(db)
    await new Promise((resolve) => setTimeout(resolve, 500))
    isOver = true
    await Promise.all(writers)
    await audit.flush()
    const [numbers] =
      await db.sql(`SELECT count(*)::int AS entries, count(DISTINCT id)::int AS ids, count(DISTINCT seq)::int AS seqs,
      count(DISTINCT resource_id) FILTER (WHERE action = 'test.event')::int AS events,
      count(*) FILTER (WHERE action = 'tag.create')::int AS created, (SELECT count(*) FROM "Tag")::int AS tags FROM audit_logs`)
    const { entries, ids, seqs, events, created, tags } = numbers as Record<string, number>
    expect({ ids, seqs }).toEqual({ ids: entries, seqs: entries })
    expect(created).toBe(tags)
    expect((events ?? 0) + (tags ?? 0)).toBe(count)
    const [, second = ''] = await partitionsOf(db)
    expect(second).toMatch(/^audit_logs_\d{4}_\d\d$/)
  })
})

describe('a log that cannot become partitioned', () => {
  it.each([
    ['a view', 'CREATE VIEW mine AS SELECT id FROM audit_logs', 'the view public.mine'],
    ['a policy', 'CREATE POLICY mine ON audit_logs USING (true)', 'the policy mine'],
    ['a unique index', 'CREATE UNIQUE INDEX mine ON audit_logs (seq)', 'the unique index mine'],
    [
      'a foreign key',
      'CREATE TABLE mine (entry uuid REFERENCES audit_logs)',
      'the foreign key mine_entry_fkey of public.mine',
    ],
  ])('has %s, and is left as it is', async (_, sql, named) => {
    const db = await createDatabase()
    await db.sql(sql)
    await write(db, 1)
    const before = await definition(db)
    await expect(convert(db)).rejects.toMatchObject({
      code: 'AUDIT_NOT_MAINTAINED',
      cause: { cause: { message: expect.stringContaining(`${named} would be left at the old table`) } },
    })
    expect(await definition(db)).toEqual(before)
  })
})
