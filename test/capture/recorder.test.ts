import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuditOptions } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { migration } from '../support/migration.ts'
import { recorded } from '../support/recorded.ts'
import { createLogged } from './statement-log.ts'

// On PostgreSQL 18 a statement of a few rows records them by a function that the log's migration made. Where it can't,
// it inserts its entries itself, and the entries are the same.

const db = await createDatabase()
const version = await db.serverVersion()

/** A client, and what it sends and records. */
function audited(options: AuditOptions<PrismaClient> = {}, url = db.url, on: Database = db) {
  const { prisma, log } = createLogged({ connectionString: url, max: 1 }, options)
  return {
    prisma,
    sentBy: async (work: () => PromiseLike<unknown>) => (await log.during(work)).map(({ sql }) => sql),
    recordedBy: async (work: () => PromiseLike<unknown>) => (await on.changesOf(work)).map(recorded),
  }
}

const calls = expect.stringMatching(/RETURNING [\s\S]*"audit_logs_record"\(/)
const inserts = expect.stringMatching(/INSERT INTO "\w+"/)

let number = 0
const country = () => ({ code: (++number).toString(36).padStart(2, '0'), name: 'Chad' })

describe.runIf(version >= 18)('a statement of a few rows', () => {
  const { prisma, sentBy, recordedBy } = audited()

  it('is itself, and returns the call as well', async () => {
    const { code } = await prisma.country.create({ data: country() })
    const sent = await sentBy(async () => {
      await prisma.country.create({ data: country() })
      await prisma.country.update({ where: { code }, data: { name: 'Tchad' } })
      await prisma.country.upsert({
        where: { code },
        create: { code, name: 'Ciad' },
        update: { name: 'Ciad' },
      })
      await prisma.country.delete({ where: { code } })
    })
    const row = (of: string) =>
      `pg_catalog.jsonb_build_object('code', ${of}."code", 'name', ${of}."name", 'population', ${of}."population"::text)`
    const own = '"public"."Country"."code", "public"."Country"."name", "public"."Country"."population"'
    const shape = 'CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Country" END'
    // the table has no triggers, and the statement makes sure of it
    const [key] = await db.sql<{ key: string }>(`SELECT md5('public."Country"') AS key`)
    const noted = `pg_catalog.current_setting('prisma_extension_audit.watched_${key?.key}', true)`
    const guard = `CASE WHEN pg_catalog.textne(${noted}, '') THEN "public"."audit_logs_context"(NULL, '${key?.key}', '') END`
    const [before, after] = ['"__audit_old"', '"__audit_new"']
    const rows = `WITH (OLD AS ${before}, NEW AS ${after}) `
    const name = `pg_catalog.jsonb_build_object('name', ${after}."name")`
    const changed = `pg_catalog.array_remove(ARRAY[CASE WHEN ROW(${before}."name")::record *<> ROW(${after}."name")::record THEN 'name' END], NULL)`
    const record = (parameter: number, ...[id, old, now, fields]: string[]) =>
      `"public"."audit_logs_record"('country', ${id}, ${old}, ${now}, ${fields}, $${parameter}::pg_catalog.jsonb)`
    const returning = (sql: string | undefined) => sql?.slice(sql.indexOf('\nRETURNING ') + 11)
    const id = (of: string) => `pg_catalog.left((pg_catalog.to_jsonb(${of}."code") #>> '{}'), 255)`
    const isNew = `${before}.tableoid IS NULL`
    const ifThere = (value: string) => `CASE WHEN NOT (${isNew}) THEN ${value} END`

    expect(sent.map(returning)).toEqual([
      `${own}, ${guard}, ${record(4, id('"Country"'), 'NULL', row('"Country"'), 'NULL')}, ${shape}`,
      `${rows}${own}, ${guard}, ${record(3, id(before), row(before), name, changed)}, ${shape}`,
      `${rows}${own}, ${guard}, ${record(
        6,
        `CASE WHEN ${isNew} THEN ${id(after)} ELSE ${id(before)} END`,
        ifThere(row(before)),
        `CASE WHEN ${isNew} THEN ${row(after)} ELSE ${name} END`,
        ifThere(changed),
      )}, ${shape}`,
      `${own}, ${guard}, ${record(2, id('"Country"'), row('"Country"'), 'NULL', 'NULL')}, ${shape}`,
    ])
  })

  it('gives what it gives without audit', async () => {
    const { code, name } = await prisma.country.create({ data: country() })
    expect(await prisma.$queryRaw`UPDATE "Country" SET name = 'x' WHERE code = ${code}`).toEqual([])
    expect(
      await prisma.$queryRaw`UPDATE "Country" SET name = ${name} WHERE code = ${code} RETURNING *`,
    ).toEqual([{ code, name, population: 0n }])
    expect(
      await prisma.$queryRaw`DELETE FROM "Country" WHERE code = ${code} RETURNING 1 AS code, name, name AS "case"`,
    ).toEqual([{ code: 1, name, case: name }])
  })

  it('names nothing that a column could be called', async () => {
    const names = ['before', 'after', 'changed', 'context', 'resource', 'resource_id', 'old', 'new', 'moment']
    const taken = [...names, 'audit_logs_record', 'public', 'pg_catalog', '__audit_old', '__audit_row']
    await db.sql(
      `CREATE TABLE "audit_logs_iso" (${taken.map((name) => `"${name}" text`).join(', ')}, at timestamp)`,
    )
    const entries = await recordedBy(async () => {
      await prisma.$queryRaw`INSERT INTO "audit_logs_iso" (before, at) VALUES ('a', '2026-01-02') RETURNING after`
      await prisma.$queryRaw`UPDATE "audit_logs_iso" SET before = 'b', changed = 'c', "__audit_old" = 'd' RETURNING changed`
    })
    expect(entries).toMatchObject([
      { action: 'audit_logs_iso.create', after: { before: 'a', at: '2026-01-02T00:00:00.000Z' } },
      {
        before: { before: 'a', changed: null, at: '2026-01-02T00:00:00.000Z' },
        after: { before: 'b', changed: 'c', __audit_old: 'd', at: '2026-01-02T00:00:00.000Z' },
        changed: ['before', 'changed', '__audit_old'],
      },
    ])
  })

  it('records a table of more columns than a call takes arguments', async () => {
    const columns = Array.from({ length: 120 }, (_, index) => `c${index}`)
    await db.sql(`CREATE TABLE wide (${columns.map((name) => `${name} int`).join(', ')})`)
    const entries = await recordedBy(async () => {
      await prisma.$queryRaw`INSERT INTO wide (c0) VALUES (0) RETURNING c0`
      await prisma.$queryRaw`UPDATE wide SET c119 = 1 RETURNING c0`
    })
    const row = { ...Object.fromEntries(columns.map((name) => [name, null])), c0: 0 }
    expect(entries).toMatchObject([
      { after: row },
      { before: row, after: { ...row, c119: 1 }, changed: ['c119'] },
    ])
  })

  it('repeats in the after-state what the database computes', async () => {
    await db.sql(
      'CREATE TABLE computed (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED)',
    )
    const entries = await recordedBy(async () => {
      await prisma.$queryRaw`INSERT INTO computed VALUES (1, 1) RETURNING id`
      await prisma.$queryRaw`UPDATE computed SET a = 5 RETURNING id`
    })
    expect(entries[1]).toMatchObject({
      before: { id: 1, a: 1, twice: 2 },
      after: { id: 1, a: 5, twice: 10 },
      changed: ['a', 'twice'],
    })
  })

  it('repeats in the after-state what the trigger of an inheriting table may change', async () => {
    await db.sql(`CREATE TABLE parent (id int, a int, stamp int); CREATE TABLE child () INHERITS (parent);
      CREATE FUNCTION stamp_child() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp := 7; RETURN NEW; END';
      CREATE TRIGGER stamp BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION stamp_child();
      INSERT INTO child VALUES (1, 1)`)
    const entries = await recordedBy(() => prisma.$queryRaw`UPDATE parent SET a = 2 RETURNING id`)
    expect(entries).toMatchObject([
      { before: { id: 1, a: 1, stamp: null }, after: { id: 1, a: 2, stamp: 7 }, changed: ['a', 'stamp'] },
    ])
  })

  it('leaves no entry of what is undone: a transaction, a savepoint, a failed statement', async () => {
    const [kept, undone] = [country(), country()]
    const entries = await recordedBy(async () => {
      await prisma.$transaction(async (tx) => {
        await tx.country.create({ data: kept })
        await tx.$executeRaw`SAVEPOINT here`
        await tx.country.create({ data: undone })
        await tx.country.update({ where: { code: kept.code }, data: { name: 'undone' } })
        await tx.$executeRaw`ROLLBACK TO SAVEPOINT here`
        await tx.country.update({ where: { code: kept.code }, data: { name: 'kept' } })
      })
      await prisma
        .$transaction(async (tx) => {
          await tx.country.delete({ where: { code: kept.code } })
          throw new Error('no')
        })
        .catch(() => {})
      const twice = prisma.$queryRaw`INSERT INTO "Country" VALUES (${undone.code}, 'x'), (${undone.code}, 'x') RETURNING code`
      await expect(twice).rejects.toThrow()
    })
    expect(entries.map(({ action, id, after }) => [action, id, after?.name])).toEqual([
      ['country.create', kept.code, 'Chad'],
      ['country.update', kept.code, 'kept'],
    ])
  })

  it('has an entry for what ON CONFLICT did, and none where it did nothing', async () => {
    const { code } = await prisma.country.create({ data: country() })
    const entries = await recordedBy(async () => {
      await prisma.$queryRaw`INSERT INTO "Country" VALUES (${code}, 'a') ON CONFLICT DO NOTHING RETURNING code`
      await prisma.$queryRaw`INSERT INTO "Country" VALUES (${code}, 'b', 1), ('ZY', 'z', 0)
        ON CONFLICT (code) DO UPDATE SET population = excluded.population RETURNING code`
      await prisma.$queryRaw`INSERT INTO "Country" VALUES (${code}, 'b', 1)
        ON CONFLICT (code) DO UPDATE SET population = excluded.population RETURNING code`
    })
    expect(entries).toMatchObject([
      {
        action: 'country.update',
        id: code,
        before: { code, population: '0' },
        after: { code, name: 'Chad', population: '1' },
        changed: ['population'],
      },
      { action: 'country.create', id: 'ZY', after: { code: 'ZY', name: 'z', population: '0' } },
    ])
    expect(entries[1]).not.toHaveProperty('changed')
  })
})

describe.runIf(version >= 18)('inserts its entries itself', () => {
  const write = async (client: PrismaClient) => {
    const { code } = await client.country.create({ data: country() })
    await client.country.update({ where: { code }, data: { name: 'Tchad' } })
  }
  const actions = [{ action: 'country.create' }, { action: 'country.update', changed: ['name'] }]

  it.each([
    ['is not there', 'DROP FUNCTION audit_logs_record'],
    ['for timestamps is not there', 'DROP FUNCTION audit_logs_iso'],
    [
      'takes other parameters',
      'DROP FUNCTION audit_logs_record; CREATE FUNCTION audit_logs_record(a jsonb) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN END $$',
    ],
  ])('where the function %s', async (_, definition) => {
    const own = await createDatabase()
    await own.sql(definition)
    const { prisma, sentBy, recordedBy } = audited({}, own.url, own)
    await prisma.$queryRaw`SELECT 1`
    expect(await sentBy(() => write(prisma))).toEqual([inserts, inserts])
    expect(await recordedBy(() => write(prisma))).toMatchObject(actions)
  })

  it('where the role may not execute it', async () => {
    const own = await createDatabase()
    const role = `app_${randomUUID().slice(0, 8)}`
    await own.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
      REVOKE EXECUTE ON FUNCTION audit_logs_record FROM PUBLIC`)
    onTestFinished(() => own.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`).then())
    const url = Object.assign(new URL(own.url), { username: role, password: 'secret' })
    const { prisma, sentBy, recordedBy } = audited({}, url.toString(), own)
    await prisma.$queryRaw`SELECT 1`
    expect(await sentBy(() => write(prisma))).toEqual([inserts, inserts])
    expect(await recordedBy(() => write(prisma))).toMatchObject(actions)
  })

  it('where the function writes to another log of the same name', async () => {
    const own = await createDatabase()
    // made for the search_path, which leads elsewhere now
    await own.sql(`CREATE SCHEMA other; SET search_path = other; ${migration} RESET search_path`)
    const { prisma, recordedBy } = audited({ table: 'other.audit_logs' }, own.url, own)
    expect(await recordedBy(() => write(prisma))).toEqual([])
    expect(await own.sql('SELECT action FROM other.audit_logs ORDER BY seq')).toEqual(
      actions.map(({ action }) => ({ action })),
    )
  })

  it('from the next statement on, once the function is dropped', async () => {
    const own = await createDatabase()
    const { prisma, sentBy, recordedBy } = audited({}, own.url, own)
    expect(await sentBy(() => write(prisma))).toEqual([calls, calls])
    await own.sql('DROP FUNCTION audit_logs_record')
    expect(await recordedBy(() => write(prisma))).toMatchObject(actions)
    expect(await sentBy(() => write(prisma))).toEqual([inserts, inserts])
  })

  it('after a transaction that found the function dropped, and failed', async () => {
    const own = await createDatabase()
    const { prisma, recordedBy } = audited({}, own.url, own)
    await write(prisma)
    await own.sql('DROP FUNCTION audit_logs_record')
    const attempt = () => prisma.$transaction((tx) => write(tx as PrismaClient))
    expect(await recordedBy(() => expect(attempt()).rejects.toThrow())).toEqual([])
    expect(await recordedBy(attempt)).toMatchObject(actions)
  })

  it('where only a count is asked for, as of many rows', async () => {
    const { prisma, sentBy } = audited()
    await prisma.$queryRaw`SELECT 1`
    expect(
      await sentBy(async () => {
        await prisma.country.createMany({ data: [country(), country()] })
        await prisma.country.updateMany({ data: { name: 'x' } })
        await prisma.$executeRaw`DELETE FROM "Country"`
      }),
    ).toEqual([inserts, inserts, inserts])
  })
})
