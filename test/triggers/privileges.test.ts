import type pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { unique } from '../support/unique.ts'
import { brief, createWatched, recorded, who } from './watched.ts'

const { db, connect, watch, entriesOf, recordedBy } = await createWatched(`
  CREATE TABLE item (id int PRIMARY KEY, name text, secret text);
  CREATE TABLE child (id int PRIMARY KEY, item int REFERENCES item ON DELETE CASCADE, again int REFERENCES item ON DELETE SET NULL);
  INSERT INTO item VALUES (100, 'kept', 's'); INSERT INTO child VALUES (100, 100, NULL);
`)
await watch('item', 'item', { redact: ['secret'] })
await watch('child', 'child')

// roles are the server's, not the database's
const [app, reporter] = [`app_${db.url.slice(-12)}`, `reporter_${db.url.slice(-12)}`]
await db.sql(`
  CREATE ROLE ${app} LOGIN PASSWORD 'app'; GRANT ALL ON item, child TO ${app}; GRANT CREATE ON SCHEMA public TO ${app};
  CREATE ROLE ${reporter} LOGIN PASSWORD 'reporter'; GRANT EXECUTE ON FUNCTION audit_logs_write_as_owner(jsonb) TO ${reporter}`)
afterAll(async () => {
  for (const role of [app, reporter]) await db.sql(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
})
const as = async (role: string, password: string): Promise<pg.Client> => {
  const url = new URL(db.url)
  url.username = role
  url.password = password
  return connect({ connectionString: url.toString() })
}
const client = await as(app, 'app')
const reporting = await as(reporter, 'reporter')
const denied = { code: '42501' }

/** Runs statements in a transaction that is undone. */
const undone = async (session: pg.Client, sql: string) => {
  await session.query('BEGIN')
  try {
    return await session.query(sql)
  } finally {
    await session.query('ROLLBACK')
  }
}

describe('a role without any privilege on the log', () => {
  it('makes changes that are recorded, with its name', async () => {
    const entries = await entriesOf(() =>
      client.query(
        `INSERT INTO item VALUES (1, 'a', 's'); UPDATE item SET name = 'b' WHERE id = 1; INSERT INTO child VALUES (1, 1, 1); DELETE FROM item WHERE id = 1`,
      ),
    )
    expect(brief(entries.map(recorded))).toEqual([
      'item.create 1',
      'item.update 1 [name]',
      'child.create 1',
      'item.delete 1',
      'child.delete 1 because item.delete',
    ])
    expect(who(entries[0] as never)).toEqual({
      actor_id: `postgres:${app}`,
      actor_type: 'system',
      source: { role: app, application: null, address: '127.0.0.1' },
    })
  })

  it('says who acts, in a context of its transaction and in one that a statement carries', async () => {
    const entries = await entriesOf(async () => {
      await client.query(
        `BEGIN; SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}}'); INSERT INTO item VALUES (2, 'a'); COMMIT`,
      )
      await client.query(
        `DELETE FROM item WHERE id = 2 AND (SELECT audit_logs_context('{"actor_id": "bob", "actor_type": "user", "details": {}}', NULL, NULL))`,
      )
      await client.query(`SELECT audit_logs_version(), audit_logs_next_context(NULL)`)
    })
    expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada', 'bob'])
  })

  it.each([
    ['read', 'SELECT FROM audit_logs'],
    ['count', 'SELECT count(*) FROM audit_logs'],
    [
      'write',
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type) VALUES (gen_random_uuid(), 'a.b', 'x', 'user', 'a')`,
    ],
    ['change', `UPDATE audit_logs SET actor_id = 'x'`],
    ['remove', 'DELETE FROM audit_logs'],
    ['empty', 'TRUNCATE audit_logs'],
    ['copy', 'COPY audit_logs TO STDOUT'],
    ['lock', 'LOCK audit_logs IN SHARE MODE'],
  ])('can’t %s entries', async (_, sql) => {
    await expect(undone(client, sql)).rejects.toMatchObject(denied)
  })

  it.each([
    ['write events', `SELECT audit_logs_write_as_owner('[]')`],
    ['call what is internal', 'SELECT audit_logs_internal.attribution()'],
    [
      'call what writes entries',
      `SELECT audit_logs_internal.record_own('public.audit_logs', 'a.b', 'c', '{}')`,
    ],
    [
      'attach a trigger function to a table of its own',
      `CREATE TEMP TABLE own (id int PRIMARY KEY, name text, secret text);
      CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION audit_logs_internal."public.item"()`,
    ],
    [
      'attach that of statements',
      `CREATE TEMP TABLE own (id int);
      CREATE TRIGGER own BEFORE INSERT ON own FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_internal.statement_begins('a b c d')`,
    ],
    ['watch a table of its own', `CREATE TABLE own (id int); SELECT audit_logs_watch('own', 'item')`],
    ['unwatch', `SELECT audit_logs_unwatch('item')`],
    ['switch triggers off', 'ALTER TABLE item DISABLE TRIGGER ALL'],
    ['drop them', 'DROP TRIGGER "!audit_logs_row_update" ON item'],
    ['switch them off as a replica does', 'SET session_replication_role = replica'],
    [
      'replace their functions',
      `CREATE OR REPLACE FUNCTION audit_logs_internal."public.item"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
    ],
  ])('can’t %s', async (_, sql) => {
    await expect(undone(client, sql)).rejects.toMatchObject(denied)
  })

  it('is told why it may not watch', async () => {
    await expect(
      undone(client, `CREATE TABLE own (id int); SELECT audit_logs_watch('own', 'own')`),
    ).rejects.toMatchObject({
      message: `the role ${app} may not watch tables: triggers write to the log with the privileges of whoever made them`,
      hint: 'Watch tables with the role that owns the log.',
    })
  })

  it('attaches none with USAGE on their schema either', async () => {
    await db.sql(`GRANT USAGE ON SCHEMA audit_logs_internal TO ${app}`)
    await expect(
      undone(
        client,
        `CREATE TEMP TABLE own (id int PRIMARY KEY, name text, secret text);
        CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION audit_logs_internal."public.item"()`,
      ),
    ).rejects.toMatchObject(denied)
    await db.sql(`REVOKE USAGE ON SCHEMA audit_logs_internal FROM ${app}`)
  })
})

describe('settings that a role sets by hand', () => {
  const moment = `extract(epoch FROM statement_timestamp())`
  /** A change in a function that has set something first, as the settings of a statement are read within it. */
  const after = (settings: string, change: string) =>
    recordedOf(`DO $do$ BEGIN ${settings} ${change} END $do$`)
  const recordedOf = (sql: string) => recordedBy(() => client.query(sql))
  const set = (name: string, value: string) =>
    `PERFORM set_config('prisma_extension_audit.${name}', ${value}, true);`

  it('can say another actor, as a client of that role may, but nothing of what the database sees itself', async () => {
    const forged = JSON.stringify({
      actor_id: 'eve',
      actor_type: 'user',
      resource_type: 'x',
      action: 'x.y',
      outcome: 'failure',
      database: { source: { role: 'postgres' } },
      details: {
        operation: 'update',
        metadata: { a: 1 },
        before: 1,
        after: 2,
        changed: ['x'],
        cause: 'a.b',
        source: { role: 'x' },
        rows: 1,
        target: 3,
      },
    })
    const entries = await entriesOf(() =>
      client.query(
        `DO $$ BEGIN ${set('context', `${moment} || ' ' || '${forged}'`)} INSERT INTO item VALUES (10, 'a'); DELETE FROM item WHERE id = 10; END $$`,
      ),
    )
    const said = { operation: 'update', metadata: { a: 1 } }
    expect(
      entries.map((entry) => ({
        ...recorded(entry),
        actor: entry.actor_id,
        outcome: entry.outcome,
        source: entry.details.source,
      })),
    ).toEqual([
      {
        action: 'item.create',
        id: '10',
        actor: 'eve',
        outcome: 'success',
        source: undefined,
        ...said,
        after: { id: 10, name: 'a', secret: null },
      },
      {
        action: 'item.delete',
        id: '10',
        actor: 'eve',
        outcome: 'success',
        source: undefined,
        ...said,
        before: { id: 10, name: 'a', secret: null },
      },
    ])
  })

  it.each([
    ['no details', '{"actor_id": "eve", "actor_type": "user"}'],
    ['details that are null', '{"actor_id": "eve", "actor_type": "user", "details": null}'],
  ])('can’t hide the row by %s', async (_, forged) => {
    const entries = await after(
      set('context', `${moment} || ' ' || '${forged}'`),
      `UPDATE item SET name = '${unique('n')}' WHERE id = 100;`,
    ).catch(() => 'refused')
    if (entries !== 'refused')
      expect(entries).toMatchObject([{ action: 'item.update', after: { id: 100 }, changed: ['name'] }])
  })

  it('make a change fail, where they are no context, and leave none without an entry', async () => {
    for (const forged of ['{}', 'x', '[]', '{"actor_id": "eve", "actor_type": "robot"}']) {
      await expect(after(set('next', `'${forged}'`), 'INSERT INTO item VALUES (11);')).rejects.toThrow()
    }
    expect(await db.sql('SELECT FROM item WHERE id = 11')).toEqual([])
  })

  it('can’t switch recording off', async () => {
    const names = [
      'context',
      'next',
      'transaction',
      'statement_0',
      'statement_1',
      'statement_2',
      'truncated',
      'passed_links',
    ]
    const values = [
      `${moment} || ' item.update 0 {}'`,
      `${moment} || ' x ' || ${moment} || ' {"item": {"100": "100"}}'`,
    ]
    for (const value of values) {
      const settings = names
        .slice(3)
        .map((name) => set(name, value))
        .join('\n')
      const name = unique('n')
      const entries = await after(settings, `UPDATE item SET name = '${name}' WHERE id = 100;`)
      expect(entries).toMatchObject([{ action: 'item.update', id: '100', after: { name } }])
    }
  })
})

describe('a role that may write events', () => {
  const event = (action: string, more: object = {}) => ({
    id: crypto.randomUUID(),
    action,
    actor_id: 'eve',
    actor_type: 'user',
    resource_type: action.split('.')[0],
    outcome: 'success',
    ...more,
  })
  const write = (...events: object[]) =>
    reporting.query('SELECT * FROM audit_logs_write_as_owner($1)', [JSON.stringify(events)])

  it('writes those that are none of data', async () => {
    const entries = await entriesOf(() =>
      write(event('user.login', { details: { method: 'password' } }), event('report.export')),
    )
    expect(entries.map(({ action, details }) => [action, details])).toEqual([
      ['user.login', { method: 'password' }],
      ['report.export', null],
    ])
  })

  it.each(['create', 'update', 'delete', 'connect', 'disconnect', 'truncate'])(
    'tells a %s: the entry says that nobody saw it',
    async (verb) => {
      const entries = await entriesOf(() =>
        write(
          event(`item.${verb}`, { details: { after: { id: 1 }, operation: 'create' } }),
          event(`item.${verb}`),
        ),
      )
      expect(entries.map(({ details }) => details)).toEqual([
        { after: { id: 1 }, operation: 'logDataChange' },
        { operation: 'logDataChange' },
      ])
    },
  )

  it.each([
    ['about the log itself', event('auditLog.watch'), 'an event cannot be about the audit log itself'],
    [
      'about the log as a resource',
      event('x.y', { resource_type: 'auditLog' }),
      'an event cannot be about the audit log itself',
    ],
    [
      'with details that are none',
      event('item.update', { details: [{}] }),
      'the details of an event are not an object',
    ],
  ])('writes none %s', async (_, wrong, message) => {
    await expect(write(wrong)).rejects.toMatchObject({ code: 'ZA005', message })
  })

  it('says neither when, nor in which order or transaction', async () => {
    const before = await db.now()
    const [entry] = await entriesOf(() =>
      write(event('user.login', { timestamp: '2000-01-01', seq: 1, transaction_id: 1 })),
    )
    expect(entry?.timestamp.getTime()).toBeGreaterThanOrEqual(new Date(before).getTime())
    expect(Number(entry?.seq)).toBeGreaterThan(1)
    expect(Number(entry?.transaction_id)).toBeGreaterThan(1)
  })

  it('can’t read, change or write entries otherwise', async () => {
    for (const sql of [
      'SELECT FROM audit_logs',
      `UPDATE audit_logs SET actor_id = 'x'`,
      'DELETE FROM audit_logs',
      `SELECT audit_logs_write('[]'), 1/0`,
    ]) {
      await expect(undone(reporting, sql)).rejects.toBeDefined()
    }
  })
})
