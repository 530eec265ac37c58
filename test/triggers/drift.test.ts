import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { brief, createWatched, type Recorded } from './watched.ts'

const { db, connect, watch, unwatch, recordedBy } = await createWatched('')

/** How a session stands to a table that changes under it. */
const sessions: [name: string, connect: () => Promise<pg.Client>][] = [
  ['a session that wrote before', () => connect()],
  ['a new session', () => connect()],
]

/**
 * Makes a table with one row and has it watched, writes to it on a connection, changes the table, and says what later writes
 * record: on that connection, where plans are cached, or on a new one.
 */
async function drift(
  isOld: boolean,
  {
    columns,
    row,
    options = {},
    migration,
    writes,
  }: {
    columns: string
    row: string
    options?: object
    migration: string
    writes: string[]
  },
): Promise<Recorded[]> {
  await db.sql(
    `DROP TABLE IF EXISTS item, renamed CASCADE; DROP SCHEMA IF EXISTS moved CASCADE; CREATE TABLE item (${columns})`,
  )
  await watch('item', 'item', options)
  const old = await connect()
  // often enough for every statement of the function to have a plan that stays
  for (let n = 0; n < 7; n++) {
    await old.query(`INSERT INTO item VALUES (${row})`)
    await old.query(`UPDATE item SET id = id`)
    await old.query('DELETE FROM item')
  }
  await old.query(`INSERT INTO item VALUES (${row})`)
  await db.sql(migration)
  const session = isOld ? old : await connect()
  const entries = await recordedBy(async () => {
    for (const write of writes) await session.query(write)
  })
  await Promise.all([old.end(), session.end()])
  return entries
}

describe.each(sessions.map(([name], index) => ({ name, isOld: index === 0 })))('$name', ({ isOld }) => {
  it('records the values of columns that came since', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, name text',
      row: `1, 'a'`,
      migration: `ALTER TABLE item ADD COLUMN price numeric DEFAULT 1.50, ADD COLUMN at timestamptz, ADD COLUMN bytes bytea`,
      writes: [
        `UPDATE item SET price = 2.50, at = '2026-01-02 03:04:05+02', bytes = 'x'`,
        `INSERT INTO item VALUES (2, 'b', 1, NULL, NULL)`,
        `DELETE FROM item WHERE id = 1`,
      ],
    })
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, name: 'a', price: '1.50', at: null, bytes: null },
        after: { id: 1, name: 'a', price: '2.50', at: '2026-01-02T01:04:05.000Z', bytes: 'eA==' },
        changed: ['price', 'at', 'bytes'],
      },
      { action: 'item.create', id: '2', after: { id: 2, name: 'b', price: '1', at: null, bytes: null } },
      {
        action: 'item.delete',
        id: '1',
        before: { id: 1, name: 'a', price: '2.50', at: '2026-01-02T01:04:05.000Z', bytes: 'eA==' },
      },
    ])
  })

  it('does not miss a column where others came and went before it', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, name text',
      row: `1, 'a'`,
      migration: `ALTER TABLE item ADD COLUMN one int, ADD COLUMN two int; ALTER TABLE item DROP COLUMN one, DROP COLUMN two;
        ALTER TABLE item ADD COLUMN three int`,
      writes: ['UPDATE item SET three = 3'],
    })
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, name: 'a', three: null },
        after: { id: 1, name: 'a', three: 3 },
        changed: ['three'],
      },
    ])
  })

  it('goes without a column that was dropped', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, name text, gone text',
      row: `1, 'a', 'x'`,
      migration: 'ALTER TABLE item DROP COLUMN gone',
      writes: [`UPDATE item SET name = 'b'`, 'DELETE FROM item', `INSERT INTO item VALUES (2, 'c')`],
    })
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'b' },
        changed: ['name'],
      },
      { action: 'item.delete', id: '1', before: { id: 1, name: 'b' } },
      { action: 'item.create', id: '2', after: { id: 2, name: 'c' } },
    ])
  })

  it('goes without the key when that was dropped', async () => {
    const entries = await drift(isOld, {
      columns: 'id int, code int PRIMARY KEY, name text',
      row: `1, 7, 'a'`,
      migration: 'ALTER TABLE item DROP COLUMN code',
      writes: [`UPDATE item SET name = 'b'`],
    })
    expect(entries).toMatchObject([{ action: 'item.update', id: null, after: { id: 1, name: 'b' } }])
  })

  it('calls a renamed column by its new name', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, name text, other int',
      row: `1, 'a', 2`,
      migration: 'ALTER TABLE item RENAME COLUMN name TO title',
      writes: [`UPDATE item SET title = 'b'`],
    })
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, title: 'a', other: 2 },
        after: { id: 1, title: 'b', other: 2 },
        changed: ['title'],
      },
    ])
  })

  it('leaves the field of a renamed column its name, where the options gave it one', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, login_count int, other int',
      row: '1, 0, 0',
      options: { fields: { login_count: 'loginCount' }, ignore: ['other'] },
      migration:
        'ALTER TABLE item RENAME COLUMN login_count TO logins; ALTER TABLE item RENAME COLUMN other TO more',
      writes: ['UPDATE item SET logins = 1', 'UPDATE item SET more = 1'],
    })
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, loginCount: 0, more: 0 },
        after: { id: 1, loginCount: 1, more: 0 },
        changed: ['loginCount'],
      },
    ])
  })

  it('records values by the rules of a column’s new type', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, number int, word text, moment timestamp(3), list int[], kind text',
      row: `1, 2, '2026-01-02', '2026-01-02 03:04:05', '{1}', 'low'`,
      migration: `CREATE TYPE kind AS ENUM ('low'); ALTER TABLE item ALTER id TYPE bigint, ALTER number TYPE bigint,
        ALTER word TYPE timestamp USING word::timestamp, ALTER moment TYPE timestamp(6), ALTER list TYPE bigint[], ALTER kind TYPE kind USING kind::kind`,
      writes: [`UPDATE item SET number = 9007199254740993, moment = '2026-01-02 03:04:05.000006'`],
    })
    await db.sql('DROP TABLE item; DROP TYPE kind')
    const row = { id: '1', word: '2026-01-02T00:00:00.000Z', list: ['1'], kind: 'low' }
    expect(entries).toEqual([
      {
        action: 'item.update',
        id: '1',
        before: { ...row, number: '2', moment: '2026-01-02T03:04:05.000Z' },
        after: { ...row, number: '9007199254740993', moment: '2026-01-02T03:04:05.000006Z' },
        changed: ['number', 'moment'],
      },
    ])
  })

  it('does not break a write where only the digits of a timestamp are more', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, moment timestamp(3)',
      row: `1, '2026-01-02 03:04:05'`,
      migration: 'ALTER TABLE item ALTER moment TYPE timestamp(6)',
      writes: [`UPDATE item SET moment = '2026-01-02 03:04:05.000006'`],
    })
    expect(entries).toMatchObject([{ after: { id: 1, moment: '2026-01-02T03:04:05.000006Z' } }])
  })

  it('cuts a key that can be longer now', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY',
      row: '1',
      migration: 'ALTER TABLE item ALTER id TYPE text USING id::text',
      writes: [`INSERT INTO item VALUES (repeat('x', 300))`],
    })
    expect(entries).toEqual([{ action: 'item.create', id: 'x'.repeat(255), after: { id: 'x'.repeat(300) } }])
  })

  describe('shows no redacted value', () => {
    it('of a column that was renamed', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY, password text, note text',
        row: `1, 'hunter2', 'n'`,
        options: { redact: ['note'] },
        migration: 'ALTER TABLE item RENAME password TO word; ALTER TABLE item RENAME note TO remark',
        writes: [`UPDATE item SET word = 'hunter3', remark = NULL`],
      })
      expect(entries).toEqual([
        {
          action: 'item.update',
          id: '1',
          before: { id: 1, word: '[redacted]', remark: '[redacted]' },
          after: { id: 1, word: '[redacted]', remark: null },
          changed: ['word', 'remark'],
        },
      ])
    })

    it('of two columns that swapped their names', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY, secret_note text, note text',
        row: `1, 'hunter2', 'n'`,
        options: { redact: ['secret_note'] },
        migration: `ALTER TABLE item RENAME note TO temporary; ALTER TABLE item RENAME secret_note TO note;
          ALTER TABLE item RENAME temporary TO secret_note`,
        writes: [`UPDATE item SET note = 'hunter3'`],
      })
      expect(entries).toEqual([
        {
          action: 'item.update',
          id: '1',
          // the number of one says so, the name of the other: in doubt neither is shown
          before: { id: 1, note: '[redacted]', secret_note: '[redacted]' },
          after: { id: 1, note: '[redacted]', secret_note: '[redacted]' },
          changed: ['note'],
        },
      ])
    })

    it('of two columns that swapped their names, one of which says secret', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY, password text, note text',
        row: `1, 'hunter2', 'n'`,
        migration: `ALTER TABLE item RENAME note TO temporary; ALTER TABLE item RENAME password TO note;
          ALTER TABLE item RENAME temporary TO password`,
        writes: [`UPDATE item SET note = 'hunter3', password = 'm'`],
      })
      expect(entries).toEqual([
        {
          action: 'item.update',
          id: '1',
          before: { id: 1, note: '[redacted]', password: '[redacted]' },
          after: { id: 1, note: '[redacted]', password: '[redacted]' },
          changed: ['note', 'password'],
        },
      ])
    })

    it('of a column that took over the name of a redacted one that was dropped', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY, password text, note text',
        row: `1, 'hunter2', 'n'`,
        migration: 'ALTER TABLE item DROP password; ALTER TABLE item RENAME note TO password',
        writes: [`UPDATE item SET password = 'hunter3'`],
      })
      expect(entries).toMatchObject([
        { before: { id: 1, password: '[redacted]' }, after: { id: 1, password: '[redacted]' } },
      ])
    })

    it('of a column that came since and whose name says secret', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY',
        row: '1',
        migration:
          'ALTER TABLE item ADD COLUMN "apiKey" text, ADD COLUMN api_token text, ADD COLUMN plain text',
        writes: [`UPDATE item SET "apiKey" = 'k', api_token = 't', plain = 'p'`],
      })
      expect(entries).toEqual([
        {
          action: 'item.update',
          id: '1',
          before: { id: 1, apiKey: null, api_token: null, plain: null },
          after: { id: 1, apiKey: '[redacted]', api_token: '[redacted]', plain: 'p' },
          changed: ['apiKey', 'api_token', 'plain'],
        },
      ])
    })

    it('but with redactSecrets false that of such a column', async () => {
      const entries = await drift(isOld, {
        columns: 'id int PRIMARY KEY, password text',
        row: `1, 'p'`,
        options: { redactSecrets: false },
        migration: 'ALTER TABLE item ADD COLUMN "apiKey" text',
        writes: [`UPDATE item SET "apiKey" = 'k'`],
      })
      expect(entries).toMatchObject([{ after: { id: 1, password: 'p', apiKey: 'k' } }])
    })
  })

  it('goes on under the table’s first resource, when the table or its schema has another name', async () => {
    const shape = {
      columns:
        'id int PRIMARY KEY, parent int REFERENCES item ON DELETE CASCADE, other int REFERENCES item ON DELETE SET NULL, password text',
      row: `1, NULL, NULL, 'p'`,
    }
    const writes = (name: string) => [
      `INSERT INTO ${name} VALUES (2, NULL, 1), (3, 1, 1)`,
      `UPDATE ${name} SET password = 'q' WHERE id = 1`,
      `DELETE FROM ${name} WHERE id = 1`,
    ]
    const expected = [
      'item.create 2',
      'item.create 3',
      'item.update 1 [password]',
      'item.delete 1',
      'item.delete 3 because item.delete',
      'item.update 2 [other] because item.delete',
    ]
    const renamed = await drift(isOld, {
      ...shape,
      migration: 'ALTER TABLE item RENAME TO renamed',
      writes: writes('renamed'),
    })
    expect(brief(renamed)).toEqual(expected)
    const moved = await drift(isOld, {
      ...shape,
      migration:
        'CREATE SCHEMA moved; ALTER TABLE item SET SCHEMA moved; ALTER TABLE moved.item RENAME COLUMN parent TO above',
      writes: writes('moved.item'),
    })
    expect(brief(moved)).toEqual(expected)
  })

  it('knows rows from those of another table that has taken the name', async () => {
    const entries = await drift(isOld, {
      columns:
        'id int PRIMARY KEY, one int REFERENCES item ON DELETE SET NULL, two int REFERENCES item ON DELETE SET NULL',
      row: '1, NULL, NULL',
      migration: `ALTER TABLE item RENAME TO renamed; CREATE TABLE item (id int PRIMARY KEY, one int, two int); INSERT INTO item VALUES (2, 7, 7)`,
      writes: ['INSERT INTO renamed VALUES (2, 1, NULL), (3, 1, 1)', 'DELETE FROM renamed WHERE id = 1'],
    })
    // the row itself can't be looked at any more, so each of its two changes has an entry
    expect(brief(entries)).toEqual([
      'item.create 2',
      'item.create 3',
      'item.delete 1',
      'item.update 2 [one] because item.delete',
      'item.update 3 [one] because item.delete',
      'item.update 3 [two] because item.delete',
    ])
  })

  it('records a key update once, in a table that refers to itself', async () => {
    const entries = await drift(isOld, {
      columns: 'id int PRIMARY KEY, parent int REFERENCES item ON UPDATE CASCADE',
      row: '1, 1',
      migration: 'ALTER TABLE item ADD COLUMN more int',
      writes: ['INSERT INTO item VALUES (2, 1, NULL)', 'UPDATE item SET id = 9 WHERE id = 1'],
    })
    expect(entries.map(({ action, id, after }) => ({ action, id, after }))).toEqual([
      { action: 'item.create', id: '2', after: { id: 2, parent: 1, more: null } },
      { action: 'item.update', id: '1', after: { id: 9, parent: 1, more: null } },
      { action: 'item.update', id: '2', after: { id: 2, parent: 9, more: null } },
      { action: 'item.update', id: '9', after: { id: 9, parent: 9, more: null } },
    ])
  })
})

describe('a table of links', () => {
  it.each([true, false])(
    'goes on, whatever its columns and itself are called (old session: %s)',
    async (isOld) => {
      await db.sql(`
      DROP TABLE IF EXISTS link, link2, post, topic;
      CREATE TABLE post (id int PRIMARY KEY); CREATE TABLE topic (id int PRIMARY KEY); INSERT INTO post VALUES (1), (2); INSERT INTO topic VALUES (7), (8);
      CREATE TABLE link ("A" int REFERENCES post ON DELETE CASCADE ON UPDATE CASCADE, "B" int REFERENCES topic ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY ("A", "B"))`)
      await watch('link', 'link', {
        link: { A: { resource: 'post', relation: 'topics' }, B: { resource: 'topic', relation: 'posts' } },
      })
      const old = await connect()
      await old.query('INSERT INTO link VALUES (1, 7)')
      await old.query('UPDATE link SET "B" = 8')
      await db.sql(
        'ALTER TABLE link RENAME "A" TO post_id; ALTER TABLE link RENAME TO link2; ALTER TABLE link2 ADD COLUMN at timestamptz',
      )
      const session = isOld ? old : await connect()
      const entries = await recordedBy(async () => {
        await session.query('INSERT INTO link2 VALUES (2, 7)')
        await session.query('UPDATE link2 SET post_id = 1 WHERE post_id = 2')
        await session.query('DELETE FROM topic WHERE id = 8')
      })
      expect(entries.map(({ action, id, target, cause }) => [action, id, target.id, cause])).toEqual([
        ['post.connect', '2', '7', undefined],
        ['topic.connect', '7', '2', undefined],
        ['post.disconnect', '2', '7', undefined],
        ['topic.disconnect', '7', '2', undefined],
        ['post.connect', '1', '7', undefined],
        ['topic.connect', '7', '1', undefined],
        ['post.disconnect', '1', '8', 'topic.delete'],
        ['topic.disconnect', '8', '1', 'topic.delete'],
      ])
    },
  )
})

describe('watching again', () => {
  it('makes a renamed table’s triggers new, and leaves no function behind', async () => {
    await db.sql('DROP TABLE IF EXISTS item, renamed CASCADE; CREATE TABLE item (id int PRIMARY KEY)')
    await watch('item', 'item')
    await db.sql('ALTER TABLE item RENAME TO renamed')
    expect(await watch('renamed', 'renamed')).toBe(true)
    expect(await watch('renamed', 'renamed')).toBe(false)
    const functions = () =>
      db.sql(
        `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'audit_logs_internal'::regnamespace AND proname ~ 'item|renamed'`,
      )
    expect(await functions()).toEqual([{ name: 'public.renamed' }, { name: 'public.renamed truncate' }])
    await unwatch('renamed')
    expect(await functions()).toEqual([])
  })

  it('keeps the functions of a renamed table and of one that took its name apart', async () => {
    await db.sql('DROP TABLE IF EXISTS item, renamed CASCADE; CREATE TABLE item (id int PRIMARY KEY)')
    await watch('item', 'first')
    await db.sql('ALTER TABLE item RENAME TO renamed; CREATE TABLE item (id int PRIMARY KEY, name text)')
    await watch('item', 'second')
    const entries = await recordedBy(() =>
      db.sql(
        `INSERT INTO renamed VALUES (1); INSERT INTO item VALUES (2, 'a'); TRUNCATE renamed; TRUNCATE item`,
      ),
    )
    expect(entries).toEqual([
      { action: 'first.create', id: '1', after: { id: 1 } },
      { action: 'second.create', id: '2', after: { id: 2, name: 'a' } },
      { action: 'first.truncate', id: null, rows: 1 },
      { action: 'second.truncate', id: null, rows: 1 },
    ])
    expect(await watch('item', 'second')).toBe(false)
    expect([await unwatch('renamed'), await unwatch('item')]).toEqual([true, true])
  })
})
