import { describe, expect, it } from 'vitest'
import { createWatched } from './watched.ts'

const { db, watch, recordedOf } = await createWatched('')

/** What a table of one row records, watched with these options. */
const recorded = async (columns: string, options: object, sql: string) => {
  await db.sql(`DROP TABLE IF EXISTS item; CREATE TABLE item (${columns})`)
  await watch('item', 'item', options)
  return recordedOf(sql)
}

const secrets = 'id int PRIMARY KEY, password text, "apiKey" text, note text'

describe('redact', () => {
  it('hides values, not that they are there or change', async () => {
    expect(
      await recorded(
        secrets,
        { redact: ['note'] },
        `INSERT INTO item VALUES (1, 'p', NULL, 'n'); UPDATE item SET password = NULL, "apiKey" = 'k', note = 'm'; DELETE FROM item`,
      ),
    ).toEqual([
      {
        action: 'item.create',
        id: '1',
        after: { id: 1, password: '[redacted]', apiKey: null, note: '[redacted]' },
      },
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, password: '[redacted]', apiKey: null, note: '[redacted]' },
        after: { id: 1, password: null, apiKey: '[redacted]', note: '[redacted]' },
        changed: ['password', 'apiKey', 'note'],
      },
      {
        action: 'item.delete',
        id: '1',
        before: { id: 1, password: null, apiKey: '[redacted]', note: '[redacted]' },
      },
    ])
  })

  it('knows secrets by the names of fields, and leaves them with redactSecrets false', async () => {
    expect(
      await recorded(
        secrets,
        { fields: { password: 'hint', note: 'otp' } },
        `INSERT INTO item VALUES (1, 'p', 'k', 'n')`,
      ),
    ).toEqual([
      {
        action: 'item.create',
        id: '1',
        after: { id: 1, hint: 'p', apiKey: '[redacted]', otp: '[redacted]' },
      },
    ])
    expect(
      await recorded(
        secrets,
        { redactSecrets: false, redact: ['note'] },
        `INSERT INTO item VALUES (1, 'p', 'k', 'n')`,
      ),
    ).toEqual([
      { action: 'item.create', id: '1', after: { id: 1, password: 'p', apiKey: 'k', note: '[redacted]' } },
    ])
  })

  it('takes a composite value whose parts are null for one, as it is stored', async () => {
    await db.sql('CREATE TYPE pair AS (x int, label text)')
    const insert = `INSERT INTO item VALUES (1, NULL), (2, ROW(NULL, NULL)), (3, ROW(1, NULL)), (4, ROW(1, 'a'))`
    const entries = await recorded('id int PRIMARY KEY, pair pair', { redact: ['pair'] }, insert)
    expect(entries.map(({ after }) => after.pair)).toEqual([null, '[redacted]', '[redacted]', '[redacted]'])
  })
})

describe('ignore', () => {
  it('has no entry where nothing else changed, and does not list the field', async () => {
    const columns = 'id int PRIMARY KEY, name text, seen int, updated_at int'
    expect(
      await recorded(
        columns,
        { fields: { updated_at: 'updatedAt' }, ignore: ['seen', 'updatedAt'] },
        `INSERT INTO item VALUES (1, 'a', 0, 0); UPDATE item SET seen = 1, updated_at = 1; UPDATE item SET seen = 2, name = 'b'`,
      ),
    ).toEqual([
      { action: 'item.create', id: '1', after: { id: 1, name: 'a', seen: 0, updatedAt: 0 } },
      {
        action: 'item.update',
        id: '1',
        before: { id: 1, name: 'a', seen: 1, updatedAt: 1 },
        after: { id: 1, name: 'b', seen: 2, updatedAt: 1 },
        changed: ['name'],
      },
    ])
    expect(
      await recorded(
        'id int PRIMARY KEY',
        { ignore: ['id'] },
        'INSERT INTO item VALUES (1); UPDATE item SET id = 2',
      ),
    ).toHaveLength(1)
  })
})

describe('snapshot changed', () => {
  it('keeps only what an update changed', async () => {
    expect(
      await recorded(
        'id int PRIMARY KEY, name text, password text, up int REFERENCES item ON DELETE SET NULL, up2 int REFERENCES item ON DELETE SET NULL',
        { snapshot: 'changed' },
        `INSERT INTO item VALUES (1, 'a', 'p', NULL, NULL), (2, 'b', 'q', 1, 1); UPDATE item SET password = 'r', name = 'c' WHERE id = 1; DELETE FROM item WHERE id = 1`,
      ),
    ).toEqual([
      {
        action: 'item.create',
        id: '1',
        after: { id: 1, name: 'a', password: '[redacted]', up: null, up2: null },
      },
      { action: 'item.create', id: '2', after: { id: 2, name: 'b', password: '[redacted]', up: 1, up2: 1 } },
      {
        action: 'item.update',
        id: '1',
        before: { name: 'a', password: '[redacted]' },
        after: { name: 'c', password: '[redacted]' },
        changed: ['name', 'password'],
      },
      {
        action: 'item.delete',
        id: '1',
        before: { id: 1, name: 'c', password: '[redacted]', up: null, up2: null },
      },
      {
        action: 'item.update',
        id: '2',
        before: { up: 1, up2: 1 },
        after: { up: null, up2: null },
        changed: ['up', 'up2'],
        cause: 'item.delete',
      },
    ])
  })
})

describe('link', () => {
  it('records both sides of a link, with the redacted key of one, and only those that are to be recorded', async () => {
    await db.sql(
      `CREATE TABLE post (id int PRIMARY KEY); CREATE TABLE topic (token text PRIMARY KEY); INSERT INTO post VALUES (1); INSERT INTO topic VALUES ('t')`,
    )
    const columns = '"A" int REFERENCES post ON DELETE CASCADE, "B" text REFERENCES topic ON DELETE CASCADE'
    const link = { A: { resource: 'post', relation: 'topics' }, B: { resource: 'topic', relation: 'posts' } }
    const writes = `INSERT INTO item VALUES (1, 't'); UPDATE item SET "A" = "A"; DELETE FROM post`
    expect(await recorded(columns, { link, redact: ['B'] }, writes)).toEqual([
      { action: 'post.connect', id: '1', relation: 'topics', target: { type: 'topic', id: '[redacted]' } },
      { action: 'topic.connect', id: '[redacted]', relation: 'posts', target: { type: 'post', id: '1' } },
      {
        action: 'post.disconnect',
        id: '1',
        relation: 'topics',
        target: { type: 'topic', id: '[redacted]' },
        cause: 'post.delete',
      },
      {
        action: 'topic.disconnect',
        id: '[redacted]',
        relation: 'posts',
        target: { type: 'post', id: '1' },
        cause: 'post.delete',
      },
    ])
    await db.sql('INSERT INTO post VALUES (1)')
    const one = { ...link, A: { ...link.A, recorded: false } }
    expect(await recorded(columns, { link: one }, writes)).toEqual([
      { action: 'topic.connect', id: 't', relation: 'posts', target: { type: 'post', id: '1' } },
      {
        action: 'topic.disconnect',
        id: 't',
        relation: 'posts',
        target: { type: 'post', id: '1' },
        cause: 'post.delete',
      },
    ])
  })

  it('of a model with itself, whose key changes, is disconnected and connected once', async () => {
    await db.sql('CREATE TABLE person (id int PRIMARY KEY); INSERT INTO person VALUES (1), (2)')
    const side = (relation: string) => ({ resource: 'person', relation })
    const entries = await recorded(
      '"A" int REFERENCES person ON UPDATE CASCADE, "B" int REFERENCES person ON UPDATE CASCADE, PRIMARY KEY ("A", "B")',
      { link: { A: side('friends'), B: side('friendOf') } },
      `INSERT INTO item VALUES (1, 2), (1, 1); UPDATE person SET id = id + 10`,
    )
    expect(
      entries
        .slice(4)
        .map(({ action, id, target, cause }) => `${action} ${id} → ${target.id} because ${cause}`)
        .sort(),
    ).toEqual([
      'person.connect 11 → 11 because person.update',
      'person.connect 11 → 11 because person.update',
      'person.connect 11 → 12 because person.update',
      'person.connect 12 → 11 because person.update',
      'person.disconnect 1 → 1 because person.update',
      'person.disconnect 1 → 1 because person.update',
      'person.disconnect 1 → 2 because person.update',
      'person.disconnect 2 → 1 because person.update',
    ])
  })
})
