import { describe, expect, it } from 'vitest'
import { brief, createWatched } from './watched.ts'

const { db, watch, unwatch, recordedOf } = await createWatched('')

const odd = [
  ...[
    'a b',
    `o'brien`,
    'say "hi"',
    '100%',
    '%I %s %1$L',
    '$1 $body$',
    'back\\slash',
    'Ünïcode 🙂',
    'select',
    'OLD',
    'new',
    'tab\there',
  ],
  ...[
    'context',
    'operation',
    'row_id',
    'before',
    'after',
    'changed',
    'latest',
    'merged',
    'noted',
    'id',
    '{"json": [1]}',
    'a;b',
    '--',
    '/*',
  ],
]
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

describe('names', () => {
  it.each(odd.filter((name) => !['id', 'select'].includes(name)))(
    'of tables, schemas and columns may be %j',
    async (name) => {
      const table = `${quote(`s ${name}`)}.${quote(name)}`
      await db.sql(`
      CREATE SCHEMA ${quote(`s ${name}`)};
      CREATE TABLE ${table} (${quote(name)} text PRIMARY KEY, more int, up text REFERENCES ${table} ON DELETE SET NULL, up2 text REFERENCES ${table} ON DELETE SET NULL)`)
      const resource = name.replaceAll(/[\s.]/g, '_')
      await watch(table, resource, {
        fields: { [name]: `field ${name}`, up: `up ${name}` },
        ignore: ['more'],
        redact: ['up2'],
      })
      expect(
        await watch(table, resource, {
          fields: { [name]: `field ${name}`, up: `up ${name}` },
          ignore: ['more'],
          redact: ['up2'],
        }),
      ).toBe(false)
      const row = (key: string, up: string | null) => ({
        [`field ${name}`]: key,
        more: null,
        [`up ${name}`]: up,
        up2: up && '[redacted]',
      })
      expect(
        await recordedOf(`INSERT INTO ${table} VALUES ('a', NULL, NULL, NULL), ('b', NULL, 'a', 'a'); UPDATE ${table} SET more = 1; UPDATE ${table} SET more = NULL;
        DELETE FROM ${table} WHERE ${quote(name)} = 'a'; TRUNCATE ${table}`),
      ).toEqual([
        { action: `${resource}.create`, id: 'a', after: row('a', null) },
        { action: `${resource}.create`, id: 'b', after: row('b', 'a') },
        { action: `${resource}.delete`, id: 'a', before: row('a', null) },
        {
          action: `${resource}.update`,
          id: 'b',
          before: row('b', 'a'),
          after: row('b', null),
          changed: [`up ${name}`, 'up2'],
          cause: `${resource}.delete`,
        },
        { action: `${resource}.truncate`, id: null, rows: 1 },
      ])
      // drifted, too
      await db.sql(`ALTER TABLE ${table} ADD COLUMN ${quote(`${name} 2`)} int`)
      expect(await recordedOf(`INSERT INTO ${table} VALUES ('c', NULL, NULL, NULL, 7)`)).toEqual([
        { action: `${resource}.create`, id: 'c', after: { ...row('c', null), [`${name} 2`]: 7 } },
      ])
      const own = await db.sql(
        `SELECT count(*)::int FROM pg_proc WHERE pronamespace = 'audit_logs_internal'::regnamespace AND proname LIKE 's %'`,
      )
      expect(own).toEqual([{ count: 2 }])
      await unwatch(table)
      await db.sql(`DROP SCHEMA ${quote(`s ${name}`)} CASCADE`)
      expect(
        await db.sql(
          `SELECT proname FROM pg_proc WHERE pronamespace = 'audit_logs_internal'::regnamespace AND proname LIKE 's %'`,
        ),
      ).toEqual([])
    },
  )

  it('all at once in one table', async () => {
    await db.sql(
      `CREATE TABLE odd (${odd.map((name) => `${quote(name)} text`).join(', ')}, PRIMARY KEY (id, "a b"))`,
    )
    await watch('odd', 'odd')
    const values = odd.map((name) => literal(`v ${name}`))
    const entries = await recordedOf(
      `INSERT INTO odd VALUES (${values.join(', ')}); UPDATE odd SET ${odd
        .slice(2)
        .map((name) => `${quote(name)} = 'x'`)
        .join(', ')}`,
    )
    const before = Object.fromEntries(odd.map((name) => [name, `v ${name}`]))
    expect(entries).toEqual([
      { action: 'odd.create', id: '["v id","v a b"]', after: before },
      {
        action: 'odd.update',
        id: '["v id","v a b"]',
        before,
        after: Object.fromEntries(odd.map((name, index) => [name, index < 2 ? `v ${name}` : 'x'])),
        changed: odd.slice(2),
      },
    ])
  })

  it('longer than a function’s may be', async () => {
    const [schema, one, two] = ['s'.repeat(63), `${'t'.repeat(62)}1`, `${'t'.repeat(62)}2`]
    await db.sql(
      `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.${one} (id int PRIMARY KEY); CREATE TABLE ${schema}.${two} (id int PRIMARY KEY)`,
    )
    await watch(`${schema}.${one}`, 'one')
    await watch(`${schema}.${two}`, 'two')
    expect(
      brief(
        await recordedOf(
          `INSERT INTO ${schema}.${one} VALUES (1); INSERT INTO ${schema}.${two} VALUES (2); TRUNCATE ${schema}.${two}`,
        ),
      ),
    ).toEqual(['one.create 1', 'two.create 2', 'two.truncate -'])
    const [longest] = await db.sql<{ longest: number }>(
      `SELECT max(octet_length(proname)) AS longest FROM pg_proc WHERE pronamespace = 'audit_logs_internal'::regnamespace`,
    )
    expect(longest?.longest).toBeLessThanOrEqual(63)
    expect([
      await watch(`${schema}.${one}`, 'one'),
      await unwatch(`${schema}.${one}`),
      await unwatch(`${schema}.${two}`),
    ]).toEqual([false, true, true])
  })

  it('that are the same in two schemas', async () => {
    await db.sql(
      'CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.item (id int PRIMARY KEY); CREATE TABLE two.item (id int PRIMARY KEY)',
    )
    await watch('one.item', 'item')
    await watch('two.item', 'otherItem')
    expect(
      brief(await recordedOf('INSERT INTO one.item VALUES (1); INSERT INTO two.item VALUES (2)')),
    ).toEqual(['item.create 1', 'otherItem.create 2'])
  })
})

describe('keys', () => {
  const keyed = async (columns: string, values: string, options: object = {}) => {
    await db.sql(`DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (${columns})`)
    await watch('keyed', 'keyed', options)
    const entries = await recordedOf(`INSERT INTO keyed VALUES (${values})`)
    return entries[0]?.id
  }

  it.each([
    ['id int', '1', null],
    ['id text PRIMARY KEY', `repeat('é', 300)`, 'é'.repeat(255)],
    ['id text PRIMARY KEY', `''`, ''],
    ['a text, b int, PRIMARY KEY (b, a)', `'say "hi"\\', 7`, '["7","say \\"hi\\"\\\\"]'],
    [
      'a text, b text, PRIMARY KEY (a, b)',
      `repeat('a', 200), repeat('b', 200)`,
      `["${'a'.repeat(200)}","${'b'.repeat(200)}`.slice(0, 255),
    ],
    ['id bytea PRIMARY KEY', `'\\x00ff'`, 'AP8='],
    ['id timestamptz PRIMARY KEY', `'2026-01-02 03:04:05+02'`, '2026-01-02T01:04:05.000Z'],
    ['id date PRIMARY KEY', `'2026-01-02'`, '2026-01-02'],
    ['id numeric PRIMARY KEY', '1.50', '1.50'],
    ['id char(4) PRIMARY KEY', `'ab'`, 'ab  '],
    ['id float8 PRIMARY KEY', '0.1', '0.1'],
    ['id uuid PRIMARY KEY', `'6F9619FF-8B86-D011-B42D-00C04FC964FF'`, '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
    ['id int4range PRIMARY KEY', `'[1,2]'`, '[1,3)'],
    ['id inet PRIMARY KEY', `'10.0.0.1'`, '10.0.0.1'],
    ['id interval PRIMARY KEY', `'1 day'`, '1 day'],
    ['id int[] PRIMARY KEY', `'{1,2}'`, '[1, 2]'],
    ['id jsonb PRIMARY KEY', `'{"a": 1}'`, '{"a": 1}'],
  ])('%s: %s', async (columns, values, id) => {
    expect(await keyed(columns, values)).toBe(id)
  })

  it('that are redacted do not show in the id', async () => {
    expect(await keyed('token text PRIMARY KEY', `'t'`)).toBe('[redacted]')
    expect(await keyed('a int, token text, PRIMARY KEY (a, token)', `1, 't'`)).toBe('["1","[redacted]"]')
  })

  it('include no columns that an index only carries', async () => {
    expect(await keyed('a int, b int, PRIMARY KEY (a) INCLUDE (b)', '1, 2')).toBe('1')
  })
})

describe('tables', () => {
  it('of 700 columns', async () => {
    const columns = Array.from({ length: 700 }, (_, index) => `c${index}`)
    await db.sql(`CREATE TABLE wide (id int PRIMARY KEY, ${columns.map((name) => `${name} int`).join(', ')})`)
    await watch('wide', 'wide')
    const before = Object.fromEntries(columns.map((name) => [name, null]))
    expect(await recordedOf('INSERT INTO wide VALUES (1); UPDATE wide SET c0 = 1, c699 = 2')).toEqual([
      { action: 'wide.create', id: '1', after: { id: 1, ...before } },
      {
        action: 'wide.update',
        id: '1',
        before: { id: 1, ...before },
        after: { id: 1, ...before, c0: 1, c699: 2 },
        changed: ['c0', 'c699'],
      },
    ])
    await unwatch('wide')
  })

  it('without columns, and unlogged ones', async () => {
    await db.sql('CREATE TABLE nothing (); CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY)')
    await watch('nothing', 'nothing')
    await watch('unlogged', 'unlogged')
    expect(
      await recordedOf(
        'INSERT INTO nothing DEFAULT VALUES; INSERT INTO unlogged VALUES (1); DELETE FROM nothing',
      ),
    ).toEqual([
      { action: 'nothing.create', id: null, after: {} },
      { action: 'unlogged.create', id: '1', after: { id: 1 } },
      { action: 'nothing.delete', id: null, before: {} },
    ])
  })

  it('on another server', async ({ skip }) => {
    const available = await db.sql(`SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw'`)
    if (available.length === 0) skip('this server has no postgres_fdw')
    const url = new URL(db.url)
    await db.sql(`
      CREATE EXTENSION postgres_fdw; CREATE SCHEMA remote; CREATE TABLE remote.item (id int PRIMARY KEY, name text);
      CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${url.hostname}', port '${url.port}', dbname '${url.pathname.slice(1)}');
      CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user '${url.username}', password '${url.password}');
      CREATE FOREIGN TABLE foreign_item (id int, name text) SERVER loopback OPTIONS (schema_name 'remote', table_name 'item')`)
    expect([await watch('foreign_item', 'item'), await watch('foreign_item', 'item')]).toEqual([true, false])
    expect(
      await recordedOf(
        `INSERT INTO foreign_item VALUES (1, 'a'); UPDATE foreign_item SET name = 'b'; DELETE FROM foreign_item`,
      ),
    ).toEqual([
      { action: 'item.create', id: null, after: { id: 1, name: 'a' } }, // a foreign table has no key
      {
        action: 'item.update',
        id: null,
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'b' },
        changed: ['name'],
      },
      { action: 'item.delete', id: null, before: { id: 1, name: 'b' } },
    ])
    expect(await unwatch('foreign_item')).toBe(true)
  })
})

describe('TRUNCATE', () => {
  it('says how many rows went, of each table that it reaches', async () => {
    await db.sql(`
      CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent); CREATE TABLE none (id int);
      INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 1), (3, 2)`)
    for (const table of ['parent', 'child', 'none']) await watch(table, table)
    expect(await recordedOf('TRUNCATE none, parent CASCADE')).toEqual([
      { action: 'none.truncate', id: null, rows: 0 },
      { action: 'parent.truncate', id: null, rows: 2 },
      { action: 'child.truncate', id: null, rows: 3 },
    ])
  })

  it('says about how many above a hundred thousand', async () => {
    await db.sql('CREATE TABLE many (id int); INSERT INTO many SELECT generate_series(1, 100000)')
    await watch('many', 'many')
    expect(await recordedOf('TRUNCATE many')).toEqual([{ action: 'many.truncate', id: null, rows: 100_000 }])
    await unwatch('many')
    await db.sql('INSERT INTO many SELECT generate_series(1, 100002); ANALYZE many')
    await watch('many', 'many')
    expect(await recordedOf('TRUNCATE many')).toEqual([
      { action: 'many.truncate', id: null, rows: 100_002, estimated: true },
    ])
  })
})
