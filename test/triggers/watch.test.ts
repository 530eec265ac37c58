import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { brief, createWatched, who } from './watched.ts'

const { db, connect, watch, unwatch, entriesOf, recordedOf, recordedBy, version } = await createWatched(`
  CREATE TABLE item (id int PRIMARY KEY, name text, password text);
  CREATE VIEW items AS SELECT * FROM item;
  CREATE MATERIALIZED VIEW frozen AS SELECT * FROM item;
  CREATE SEQUENCE numbers;
  CREATE TABLE parent (id int PRIMARY KEY);
`)
const source = { role: 'postgres', application: null, address: '127.0.0.1' }

describe('audit_logs_watch', () => {
  it('says who began to watch, what, and how', async () => {
    const session = await connect()
    const [entry, ...others] = await entriesOf(() =>
      session.query(`
        BEGIN; SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}, "reason": "audit"}');
        SELECT audit_logs_watch('item', 'item', '{"redact": ["name"], "snapshot": "changed"}'); COMMIT`),
    )
    expect(others).toEqual([])
    expect({
      action: entry?.action,
      on: [entry?.resource_type, entry?.resource_id],
      ...who(entry as never),
    }).toEqual({
      action: 'auditLog.watch',
      on: ['auditLog', 'public.item'],
      actor_id: 'ada',
      actor_type: 'user',
      reason: 'audit',
      source,
      table: 'public.item',
      resource: 'item',
      options: { redact: ['name'], snapshot: 'changed' },
    })
  })

  it('changes nothing, says false and writes no entry, where everything was so already', async () => {
    await watch('item', 'item')
    expect(await recordedBy(async () => expect(await watch('item', 'item')).toBe(false))).toEqual([])
    expect(
      await recordedBy(async () =>
        expect(
          await watch('item', 'item', { redactSecrets: true, ignore: [], fields: { name: 'name' } }),
        ).toBe(false),
      ),
    ).toEqual([])
    const elsewhere = await connect()
    await elsewhere.query('SET quote_all_identifiers = on; SET search_path = pg_catalog')
    expect(
      (await elsewhere.query(`SELECT public.audit_logs_watch('public.item', 'item') AS renewed`)).rows,
    ).toEqual([{ renewed: false }])
  })

  it.each<[what: string, options: object, resource?: string]>([
    ['the resource', {}, 'thing'],
    ['redact', { redact: ['name'] }],
    ['redactSecrets', { redactSecrets: false }],
    ['ignore', { ignore: ['name'] }],
    ['fields', { fields: { name: 'title' } }],
    ['snapshot', { snapshot: 'changed' }],
    ['origin', { origin: true }],
  ])('renews the triggers when %s changed', async (_, options, resource = 'item') => {
    await watch('item', 'item')
    expect([await watch('item', resource, options), await watch('item', resource, options)]).toEqual([
      true,
      false,
    ])
    expect([await watch('item', 'item'), await watch('item', 'item')]).toEqual([true, false])
  })

  it.each([
    ['a column came', 'ALTER TABLE item ADD COLUMN more int'],
    ['a column was renamed', 'ALTER TABLE item RENAME COLUMN more TO less'],
    ['a column has another type', 'ALTER TABLE item ALTER less TYPE bigint'],
    ['a column went', 'ALTER TABLE item DROP COLUMN less'],
    [
      'the key is another one',
      'ALTER TABLE item DROP CONSTRAINT item_pkey; ALTER TABLE item ADD PRIMARY KEY (name)',
    ],
    [
      'a foreign key acts on it',
      'ALTER TABLE item ADD COLUMN parent int REFERENCES parent ON DELETE CASCADE',
    ],
    ['another one acts on it', 'ALTER TABLE item ADD COLUMN other int REFERENCES parent ON DELETE SET NULL'],
    ['none does', 'ALTER TABLE item DROP COLUMN parent, DROP COLUMN other'],
    [
      'it has another name',
      'ALTER TABLE item RENAME TO thing; ALTER TABLE thing RENAME TO item; ALTER TABLE item RENAME COLUMN password TO pass',
    ],
  ])('renews them when %s', async (_, migration) => {
    await watch('item', 'item')
    await db.sql(migration)
    expect([await watch('item', 'item'), await watch('item', 'item')]).toEqual([true, false])
  })

  it.each([
    ['were switched off', 'ALTER TABLE item DISABLE TRIGGER ALL'],
    ['fire on the origin only', 'ALTER TABLE item ENABLE TRIGGER "!audit_logs_row_update"'],
    [
      'do so because they were replaced',
      `CREATE OR REPLACE TRIGGER "!audit_logs_row_insert" AFTER INSERT ON item REFERENCING NEW TABLE AS __audit_after
        FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_internal."public.item"()`,
    ],
    [
      'call another function',
      `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE OR REPLACE TRIGGER "!audit_logs_row_insert" AFTER INSERT ON item FOR EACH STATEMENT EXECUTE FUNCTION nothing();
      ALTER TABLE item ENABLE ALWAYS TRIGGER "!audit_logs_row_insert"`,
    ],
    ['are gone: that of updates', 'DROP TRIGGER "!audit_logs_row_update" ON item'],
    ['are gone: that of TRUNCATE', 'DROP TRIGGER "!audit_logs_row_truncate" ON item'],
    ['are gone: that of statements', 'DROP TRIGGER "!audit_logs_statement" ON item'],
    ['are gone, with the function', 'DROP FUNCTION audit_logs_internal."public.item"() CASCADE'],
    ['are off: that of statements', 'ALTER TABLE item DISABLE TRIGGER "!audit_logs_statement"'],
  ])('repairs triggers that %s', async (_, damage) => {
    await watch('item', 'item')
    await db.sql(damage)
    expect([await watch('item', 'item'), await watch('item', 'item')]).toEqual([true, false])
    const entries = await recordedOf(
      `INSERT INTO item (id, name) VALUES (1, 'a'); UPDATE item SET name = 'b'; TRUNCATE item`,
    )
    expect(entries.map(({ action }) => action)).toEqual(['item.create', 'item.update', 'item.truncate'])
  })

  it('repairs those of a table that referential actions reach, one by one', async () => {
    await db.sql(
      'CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE ON UPDATE CASCADE)',
    )
    await watch('tree', 'tree')
    const names = await db.sql<{ tgname: string }>(
      `SELECT tgname FROM pg_trigger WHERE tgrelid = 'tree'::regclass AND NOT tgisinternal ORDER BY 1`,
    )
    expect(names).toHaveLength(9)
    for (const { tgname } of names) {
      await db.sql(`DROP TRIGGER "${tgname}" ON tree`)
      expect([await watch('tree', 'tree'), await watch('tree', 'tree')], tgname).toEqual([true, false])
    }
  })
})

describe('audit_logs_watch refuses', () => {
  const refused = (table: string | null, resource: string | null, options: unknown = {}) =>
    expect(db.sql('SELECT audit_logs_watch($1, $2, $3)', [table, resource, JSON.stringify(options)])).rejects

  it.each([
    ['nowhere', '42P01', 'relation "nowhere" does not exist'],
    ['items', 'ZA004', 'public.items cannot be watched: it is not a table'],
    ['frozen', 'ZA004', 'public.frozen cannot be watched: it is not a table'],
    ['numbers', 'ZA004', 'public.numbers cannot be watched: it is not a table'],
    ['audit_logs', 'ZA004', 'public.audit_logs cannot be watched: it is the audit log itself'],
    [null, 'ZA004', 'a table and its resource must be given to watch it'],
  ])('the table %s', async (table, code, message) => {
    await refused(table, 'item').toMatchObject({ code, message })
  })

  it('a temporary table', async () => {
    const session = await connect()
    await session.query('CREATE TEMP TABLE passing (id int)')
    await expect(session.query(`SELECT audit_logs_watch('passing', 'passing')`)).rejects.toMatchObject({
      code: 'ZA004',
      message: expect.stringMatching(/^pg_temp_\d+\.passing cannot be watched: it is a temporary table$/),
    })
  })

  it.each([[''], ['a b'], ['a.b'], ['x'.repeat(90)], [null]])('the resource %j', async (resource) => {
    await refused('item', resource).toMatchObject({ code: 'ZA004' })
  })

  it.each([
    [[], 'they are not an object'],
    [{ redacted: ['name'] }, 'redacted is not one of them'],
    [{ redact: ['nickname'] }, 'the table has no column for the field nickname'],
    [{ ignore: ['nickname'] }, 'the table has no column for the field nickname'],
    [{ fields: { nickname: 'x' } }, 'the table has no column for the field nickname'],
    [{ redact: 'name' }, 'redact is not an array of texts'],
    [{ ignore: [1] }, 'ignore is not an array of texts'],
    [{ fields: { name: 1 } }, 'fields is not an object of texts'],
    [{ redactSecrets: 'no' }, 'redactSecrets is not true or false'],
    [{ origin: 1 }, 'origin is not true or false'],
    [{ snapshot: 'none' }, 'snapshot is neither full nor changed'],
    [{ link: {} }, 'link does not name a resource and a relation for each of the columns A and B'],
  ])('the options %j', async (options, problem) => {
    await refused('item', 'item', options).toMatchObject({
      code: 'ZA004',
      message: `the options for public.item cannot be used: ${problem}`,
    })
  })
})

describe('audit_logs_unwatch', () => {
  it('takes everything away, says who did it, and false where there was nothing', async () => {
    await watch('item', 'item')
    const [entry, ...others] = await entriesOf(async () => expect(await unwatch('item')).toBe(true))
    expect(others).toEqual([])
    expect({ action: entry?.action, ...who(entry as never) }).toEqual({
      action: 'auditLog.unwatch',
      actor_id: 'postgres:postgres',
      actor_type: 'system',
      source,
      table: 'public.item',
      resource: 'item',
    })
    expect(
      await recordedOf(`INSERT INTO item (id, name) VALUES (2, 'b'); DELETE FROM item; TRUNCATE item`),
    ).toEqual([])
    expect(await recordedBy(async () => expect(await unwatch('item')).toBe(false))).toEqual([])
    expect(
      await db.sql(`SELECT FROM pg_trigger WHERE tgrelid = 'item'::regclass AND NOT tgisinternal`),
    ).toEqual([])
    expect(
      await db.sql(
        `SELECT FROM pg_proc WHERE pronamespace = 'audit_logs_internal'::regnamespace AND proname LIKE 'public.item%'`,
      ),
    ).toEqual([])
  })

  it('takes away what was left of damaged triggers', async () => {
    await watch('item', 'item')
    await db.sql(
      'DROP TRIGGER "!audit_logs_row_update" ON item; DROP TRIGGER "!audit_logs_statement" ON item',
    )
    expect([await unwatch('item'), await unwatch('item')]).toEqual([true, false])
  })

  it('is undone with its transaction', async () => {
    await watch('item', 'item')
    await db.sql(`BEGIN; SELECT audit_logs_unwatch('item'); ROLLBACK`)
    expect(brief(await recordedOf(`INSERT INTO item (id, name) VALUES (3, 'c')`))).toEqual(['item.create c'])
  })
})

describe('pg_dump and restore', () => {
  const run = promisify(execFile)

  it('bring the triggers along, in the same state', { timeout: 60_000 }, async ({ skip }) => {
    const pgDump = '/usr/bin/pg_dump'
    if (!existsSync(pgDump)) skip('there is no pg_dump here')
    const [, major] = /(\d+)\./.exec((await run(pgDump, ['--version'])).stdout) ?? []
    if (Number(major) < version) skip(`pg_dump is of version ${major}, the server of ${version}`)
    const from = await createWatched(`
      CREATE SCHEMA other; CREATE TABLE other.a (id int PRIMARY KEY, token text, x float8);
      CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES other.a ON DELETE CASCADE) PARTITION BY RANGE (id);
      CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (9)`)
    await from.watch('other.a', 'a')
    await from.watch('b', 'b', { snapshot: 'changed' })
    await from.db.sql(`INSERT INTO other.a VALUES (1, 't', 0.1); INSERT INTO b VALUES (1, 1)`)
    const dump = (await run(pgDump, ['--no-owner', from.db.url], { maxBuffer: 2 ** 28 })).stdout
    const to = await createDatabase({ template: 'template0' })
    // only psql reads the data of COPY
    const child = execFile('/usr/bin/psql', ['-qX', '-v', 'ON_ERROR_STOP=1', to.url])
    child.stdin?.end(dump)
    const code = await new Promise((resolve) => child.on('exit', resolve))
    expect(code).toBe(0)
    const states = `SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`
    expect(await to.sql(states)).toEqual(await from.db.sql(states))
    const [{ count } = { count: 0 }] = await to.sql<{ count: number }>('SELECT count(*)::int FROM audit_logs')
    expect(count).toBe(4)
    await to.sql(
      'SET session_replication_role = replica; DELETE FROM other.a; SET session_replication_role = origin',
    )
    await to.sql('DELETE FROM b')
    expect(await to.sql(`SELECT action, resource_id AS id FROM audit_logs ORDER BY seq OFFSET 4`)).toEqual([
      { action: 'a.delete', id: '1' },
      { action: 'b.delete', id: '1' },
    ])
    expect(
      await to.sql(
        `SELECT audit_logs_watch('other.a', 'a') AS a, audit_logs_watch('b', 'b', '{"snapshot": "changed"}') AS b`,
      ),
    ).toEqual([{ a: false, b: false }])
  })
})
