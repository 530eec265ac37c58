import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { composed } from '../scripts/migrations.mjs'
import { applyMigrations, driftScript } from '../scripts/schema-engine.ts'
import { logMigrations, newestLogMigration } from '../src/cli/log-migrations.ts'
import { withAudit, withAuditContext } from '../src/index.ts'
import { schemaDataModel } from '../src/models/schema-data-model.ts'
import { resolveOptions } from '../src/options.ts'
import { watchSql } from '../src/triggers/watch-sql.ts'
import { watchedTables } from '../src/triggers/watched-tables.ts'
import { attacksOn, expectRefusedToOwner, expectRefusedToReplica } from './support/attacks.ts'
import { createClient, createDatabase, type Database } from './support/database.ts'
import { folders, migration, migrations } from './support/migration.ts'
import { unique } from './support/unique.ts'

const db = await createDatabase()
const version = await db.serverVersion()

/** Everything that defines the log, as PostgreSQL describes it. */
async function definition(database: Database): Promise<unknown> {
  const [row] = await database.sql<{ definition: unknown }>(`
    SELECT json_build_object(
      'columns', (SELECT json_agg(json_build_array(attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
          (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)) ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
      'constraints', (SELECT json_agg(pg_get_constraintdef(oid) ORDER BY conname)
        FROM pg_constraint WHERE conrelid = c.oid AND contype <> 'n'),
      'indexes', (SELECT json_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid::regclass::text)
        FROM pg_index WHERE indrelid = c.oid),
      'triggers', (SELECT json_agg(json_build_array(pg_get_triggerdef(oid), tgenabled) ORDER BY tgname)
        FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
    ) AS definition FROM pg_class c WHERE c.oid = 'audit_logs'::regclass`)
  return row?.definition
}

async function insertEntry(client: Pick<pg.Pool, 'query'> = db.pool, columns: Record<string, unknown> = {}) {
  const all = {
    id: randomUUID(),
    action: 'a.b',
    actor_id: 'x',
    actor_type: 'user',
    resource_type: 'a',
    ...columns,
  }
  const names = Object.keys(all)
  await client.query(
    `INSERT INTO audit_logs (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(all),
  )
  return all.id
}

// after a change of these: node scripts/migrations.mjs
it.each(Object.entries(composed))('%s is what prisma/functions makes of it', async (name, compose) => {
  expect(await readFile(`prisma/migrations/${name}/migration.sql`, 'utf8')).toBe(compose())
})

describe('the table', () => {
  it('has the columns of the contract, in its order', async () => {
    const { columns } = (await definition(db)) as { columns: unknown }
    expect(columns).toEqual([
      ['id', 'uuid', true, '', null],
      ['timestamp', 'timestamp(6) with time zone', true, '', 'clock_timestamp()'],
      ['action', 'character varying(100)', true, '', null],
      ['actor_id', 'character varying(255)', true, '', null],
      ['actor_type', 'character varying(50)', true, '', null],
      ['actor_email', 'character varying(255)', false, '', null],
      ['resource_type', 'character varying(100)', true, '', null],
      ['resource_id', 'character varying(255)', false, '', null],
      ['outcome', 'character varying(20)', true, '', `'success'::character varying`],
      ['reason', 'text', false, '', null],
      ['details', 'jsonb', false, '', null],
      ['request_id', 'character varying(255)', false, '', null],
      ['ip', 'inet', false, '', null],
      ['user_agent', 'text', false, '', null],
      ['organization_id', 'character varying(255)', false, '', null],
      ['seq', 'bigint', true, 'a', null],
      ['transaction_id', 'bigint', true, '', '((pg_current_xact_id())::text)::bigint'],
    ])
  })

  it('has the indexes of the contract', async () => {
    const { indexes } = (await definition(db)) as { indexes: string[] }
    const shapes = indexes.map((index) => index.replace(/^.* USING /, '').replaceAll('"', ''))
    expect(shapes.sort()).toEqual([
      'brin (timestamp)',
      'brin (transaction_id)',
      'btree ((((transaction_id)::text)::xid8), seq)',
      'btree (action, timestamp DESC)',
      'btree (actor_id, timestamp DESC)',
      'btree (id)',
      'btree (organization_id, timestamp DESC) WHERE (organization_id IS NOT NULL)',
      'btree (resource_type, resource_id, timestamp DESC)',
      "gin (jsonb_set('{}'::jsonb, ARRAY[(resource_type)::text], (details -> 'ids'::text)) jsonb_path_ops) WHERE ((resource_id IS NULL) AND ((action)::text ~~ '%.read'::text))",
    ])
  })

  it('takes only known actor types and outcomes', async () => {
    await expect(insertEntry(db.pool, { actor_type: 'robot' })).rejects.toMatchObject({ code: '23514' })
    await expect(insertEntry(db.pool, { outcome: 'maybe' })).rejects.toMatchObject({ code: '23514' })
    for (const actor_type of ['user', 'system', 'api_key']) await insertEntry(db.pool, { actor_type })
    for (const outcome of ['success', 'failure']) await insertEntry(db.pool, { outcome })
  })

  it('numbers and stamps entries by itself; nobody gives seq', async () => {
    await expect(insertEntry(db.pool, { seq: 1 })).rejects.toMatchObject({ code: '428C9' })
    const id = await insertEntry()
    const [row] = await db.sql(
      `SELECT abs(extract(epoch FROM clock_timestamp() - timestamp)) < 60 AS now, seq = (SELECT max(seq) FROM audit_logs) AS last,
        transaction_id > 0 AS transaction FROM audit_logs WHERE id = $1`,
      [id],
    )
    expect(row).toEqual({ now: true, last: true, transaction: true })
  })
})

describe('applying the migrations', () => {
  it('again changes nothing, and keeps the entries', async () => {
    const id = await insertEntry()
    const before = await definition(db)
    await db.sql(migration)
    await db.sql(migration)
    expect(await definition(db)).toEqual(before)
    expect(await db.sql('SELECT id FROM audit_logs WHERE id = $1', [id])).toEqual([{ id }])
  })

  it('with a tool that cuts it at every semicolon gives the same', async () => {
    const bare = await createDatabase({ template: 'template0' })
    for (const statement of migration.split(';')) await bare.sql(statement)
    expect(await definition(bare)).toEqual(await definition(db))
    await insertEntry(bare.pool)
    await expect(bare.sql('DELETE FROM audit_logs')).rejects.toMatchObject({ code: 'ZA001' })
  })

  it('with prisma migrate gives the same', async () => {
    const bare = await createDatabase({ template: 'template0' })
    expect(await applyMigrations(bare.url, 'prisma/migrations')).toEqual(folders)
    expect(await applyMigrations(bare.url, 'prisma/migrations')).toEqual([])
    expect(await definition(bare)).toEqual(await definition(db))
  })

  it('leaves no drift against the shipped schema after each, nor once triggers record a table', async () => {
    const bare = await createDatabase({ template: 'template0' })
    const shipped = await readFile('prisma/schema.prisma', 'utf8')
    const drift = async (schema: string) => (await driftScript(bare.url, schema)).trim()
    for (const one of migrations) {
      await bare.sql(one)
      expect(await drift(shipped)).toBe('-- This is an empty migration.')
    }
    const schema = `${shipped}
      model Post {
        id   Int   @id
        tags Tag[]
      }
      model Tag {
        id    Int    @id
        posts Post[]
      }`
    const dataModel = schemaDataModel([schema])
    await bare.sql(await drift(schema))
    for (const table of watchedTables(dataModel, resolveOptions({}, dataModel), 'public')) {
      await bare.sql(watchSql({ name: 'audit_logs' }, table))
    }
    expect(await drift(schema)).toBe('-- This is an empty migration.')
  })

  it('repairs a log whose triggers were dropped or switched off', async () => {
    const bare = await createDatabase({ template: 'template0' })
    await bare.sql(migration)
    await insertEntry(bare.pool)
    await bare.sql(
      'ALTER TABLE audit_logs DISABLE TRIGGER ALL; DROP TRIGGER audit_logs_refuse_delete ON audit_logs',
    )
    await bare.sql('GRANT ALL ON audit_logs TO PUBLIC')
    await bare.sql(migration)
    expect(await definition(bare)).toEqual(await definition(db))
    const [row] = await bare.sql(`SELECT string_agg(privilege_type, ',' ORDER BY privilege_type) AS granted
      FROM pg_class, aclexplode(relacl) WHERE oid = 'audit_logs'::regclass AND grantee = 0 AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')`)
    expect(row).toEqual({ granted: null })
  })

  it('works in a schema of its own, by search_path', async () => {
    const bare = await createDatabase({ template: 'template0' })
    await bare.sql(`CREATE SCHEMA "my app"; SET search_path = "my app"; ${migration} RESET search_path`)
    expect(await bare.sql(`SELECT to_regclass('audit_logs') AS elsewhere`)).toEqual([{ elsewhere: null }])
    await expect(bare.sql('TRUNCATE "my app".audit_logs')).rejects.toMatchObject({
      code: 'ZA001',
      message: expect.stringContaining('TRUNCATE on "my app".audit_logs is refused'),
    })
  })

  it('tells the number of the last one', async () => {
    expect(await db.sql('SELECT audit_logs_version() AS version')).toEqual([{ version: newestLogMigration }])
    expect((await logMigrations({ name: 'audit_logs' })).map(({ sql }) => sql)).toEqual(migrations)
  })

  it('has no semicolon inside a string or a body', () => {
    const text = /'(?:[^']|'')*'/g
    const code = migration.replace(/--.*$/gm, '')
    expect((code.match(text) ?? []).filter((string) => string.includes(';'))).toEqual([])
    expect(code.replace(text, '')).not.toMatch(/\$\w*\$/)
  })
})

describe('an entry cannot be changed or removed', () => {
  const statements = attacksOn('audit_logs', { version, key: 'id' })

  it.each(statements)('by %s: SQLSTATE ZA001', async (_, statement) => {
    await insertEntry()
    const before = await db.entries()
    await expect(db.sql(statement)).rejects.toMatchObject({
      code: 'ZA001',
      message: expect.stringMatching(
        /(UPDATE|DELETE|TRUNCATE) on public\.audit_logs is refused: the audit log is append-only/,
      ),
      hint: expect.stringContaining('Entries are evidence'),
    })
    expect(await db.entries()).toEqual(before)
  })

  it.each(statements)('by %s under session_replication_role = replica either', (_, statement) =>
    expectRefusedToReplica(db, statement),
  )

  it.each(statements)('by %s of the owner of the table, who is no superuser', (_, statement) =>
    expectRefusedToOwner(db, ['audit_logs', '"Reading"'], statement),
  )

  it('by a Prisma client, audited or not', async () => {
    const id = await insertEntry()
    for (const client of [createClient(db.url), withAudit(createClient(db.url))]) {
      for (const write of [
        () => client.auditLog.update({ where: { id }, data: { action: 'forged' } }),
        () => client.auditLog.updateMany({ data: { action: 'forged' } }),
        () => client.auditLog.delete({ where: { id } }),
        () => client.auditLog.deleteMany(),
        () => client.$executeRaw`TRUNCATE audit_logs`,
      ]) {
        await expect(write()).rejects.toThrow(/ZA001|the audit log is append-only/)
      }
    }
    expect(await db.sql('SELECT action FROM audit_logs WHERE id = $1', [id])).toEqual([{ action: 'a.b' }])
  })

  it('but it can be added, also where its id may be there already', async () => {
    const id = await insertEntry()
    await db.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type) VALUES ($1, 'other', 'x', 'user', 'a')
       ON CONFLICT DO NOTHING`,
      [id],
    )
    expect(await db.sql('SELECT action FROM audit_logs WHERE id = $1', [id])).toEqual([{ action: 'a.b' }])
    if (version >= 15) {
      await db.sql(`MERGE INTO audit_logs l USING (SELECT gen_random_uuid() AS id) s ON s.id = l.id WHEN NOT MATCHED
        THEN INSERT (id, action, actor_id, actor_type, resource_type) VALUES (s.id, 'merged', 'x', 'user', 'a')`)
    }
  })
})

describe('an application role with INSERT on the documented columns, and SELECT', () => {
  const role = `app_${randomUUID().slice(0, 8)}`
  const url = new URL(db.url)
  url.username = role
  url.password = 'secret'
  const asRole = new pg.Pool({ connectionString: url.toString(), max: 1 })
  asRole.on('error', () => {})

  const setUp = db.sql(`
    CREATE ROLE ${role} LOGIN PASSWORD 'secret';
    GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO ${role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
    REVOKE ALL ON audit_logs FROM ${role};
    GRANT SELECT ON audit_logs TO ${role};
    GRANT INSERT (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
      request_id, ip, user_agent, organization_id) ON audit_logs TO ${role}`)
  afterAll(async () => {
    await asRole.end()
    await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('can use the library in full', async () => {
    await setUp
    const prisma = withAudit(createClient(url.toString()))
    await prisma.$audit.verify()
    const since = await db.lastSeq()
    await withAuditContext(
      { actor: { id: 'ada', type: 'user' }, ip: '::1', metadata: { a: 1 } },
      async () => {
        const name = unique('tag')
        const { id } = await prisma.post.create({ data: { title: 't', tags: { create: { name } } } })
        await prisma.tag.upsert({ where: { name }, create: { name }, update: { name: `${name}!` } })
        await prisma.stamped.create({ data: {} })
        await prisma.stamped.updateMany({ data: { counter: 1 } })
        await prisma.post.delete({ where: { id } })
        await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('tag')})`
        await prisma.$executeRaw`TRUNCATE "Reading"`
      },
    )
    expect((await db.entries(since)).map((entry) => entry.action)).toEqual([
      'post.create',
      'tag.create',
      'post.connect',
      'tag.connect',
      'tag.update',
      'stamped.create',
      'stamped.update',
      'post.delete',
      'post.disconnect',
      'tag.disconnect',
      'tag.create',
      'raw.execute',
    ])
    expect(await prisma.auditLog.count()).toBeGreaterThan(0)
  })

  it.each(['timestamp', 'seq', 'transaction_id'])('cannot set %s: nobody backdates', async (column) => {
    await setUp
    const values: Record<string, unknown> = { timestamp: new Date(0), seq: 1, transaction_id: 1 }
    await expect(
      asRole.query(
        `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, ${column}) OVERRIDING SYSTEM VALUE
         VALUES (gen_random_uuid(), 'a.b', 'x', 'user', 'a', $1)`,
        [values[column]],
      ),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it.each([
    'UPDATE audit_logs SET action = action',
    'DELETE FROM audit_logs',
    'TRUNCATE audit_logs',
    'ALTER TABLE audit_logs DISABLE TRIGGER ALL',
    'DROP TRIGGER audit_logs_refuse_delete ON audit_logs',
    'DROP TABLE audit_logs',
    `CREATE OR REPLACE FUNCTION audit_logs_immutable() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    'SET session_replication_role = replica',
    `SELECT setval('audit_logs_seq_seq', 1)`,
  ])('cannot get around it: %s', async (statement) => {
    await setUp
    await expect(asRole.query(statement)).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|ZA001)$/),
    })
  })
})
