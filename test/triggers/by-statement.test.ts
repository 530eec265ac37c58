import { beforeEach, describe, expect, it } from 'vitest'
import { brief, createWatched } from './watched.ts'

const { db, connect, watch, recordedOf, recordedBy } = await createWatched('')

/** Makes tables anew and has them watched. */
async function tables(setUp: string, ...names: string[]): Promise<void> {
  await db.sql(`DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s, public; ${setUp}`)
  for (const name of names) await watch(`s.${name}`, name)
}

/** How the rows of a table are recorded, event by event. */
async function levels(table: string): Promise<string[]> {
  const rows = await db.sql<{ level: string; events: string }>(
    `SELECT DISTINCT CASE WHEN tgtype & 1 = 1 THEN 'row' ELSE 'statement' END AS level,
      concat_ws(' ', CASE WHEN tgtype & 4 > 0 THEN 'insert' END, CASE WHEN tgtype & 16 > 0 THEN 'update' END,
        CASE WHEN tgtype & 8 > 0 THEN 'delete' END) AS events
     FROM pg_trigger WHERE tgrelid = $1::regclass AND tgname LIKE '!audit\\_logs\\_row%' AND tgtype & 32 = 0
     ORDER BY 1, 2`,
    [`s.${table}`],
  )
  return rows.map(({ level, events }) => `${level}: ${events}`)
}

const item = 'CREATE TABLE item (id int PRIMARY KEY, name text, at timestamptz);'
const byStatement = ['statement: delete', 'statement: insert', 'statement: update']

describe('many rows', () => {
  beforeEach(() => tables(item, 'item'))

  it('have an entry each, in the order in which they changed', async () => {
    expect(
      await recordedOf(`INSERT INTO s.item VALUES (2, 'b'), (1, 'a'), (3, NULL);
        UPDATE s.item SET id = id + 10, name = upper(name); DELETE FROM s.item WHERE id > 11`),
    ).toEqual([
      { action: 'item.create', id: '2', after: { id: 2, name: 'b', at: null } },
      { action: 'item.create', id: '1', after: { id: 1, name: 'a', at: null } },
      { action: 'item.create', id: '3', after: { id: 3, name: null, at: null } },
      ...[
        [2, 'b', 'B'],
        [1, 'a', 'A'],
      ].map(([id, before, after]) => ({
        action: 'item.update',
        id: String(id),
        before: { id, name: before, at: null },
        after: { id: Number(id) + 10, name: after, at: null },
        changed: ['id', 'name'],
      })),
      {
        action: 'item.update',
        id: '3',
        before: { id: 3, name: null, at: null },
        after: { id: 13, name: null, at: null },
        changed: ['id'],
      },
      { action: 'item.delete', id: '12', before: { id: 12, name: 'B', at: null } },
      { action: 'item.delete', id: '13', before: { id: 13, name: null, at: null } },
    ])
  })

  it('have none where nothing tracked changed', async () => {
    await watch('s.item', 'item', { ignore: ['at'] })
    await db.sql(`INSERT INTO s.item VALUES (1, 'a'), (2, 'b'), (3, 'c')`)
    expect(
      brief(await recordedOf(`UPDATE s.item SET at = now(), name = CASE id WHEN 2 THEN 'x' ELSE name END`)),
    ).toEqual(['item.update 2 [name]'])
    expect(await recordedOf('UPDATE s.item SET name = name; DELETE FROM s.item WHERE id = 9')).toEqual([])
  })

  it('show what changed only, with that snapshot', async () => {
    await watch('s.item', 'item', { snapshot: 'changed' })
    expect(
      await recordedOf(`INSERT INTO s.item VALUES (1, 'a'), (2, 'b'); UPDATE s.item SET name = 'c'`),
    ).toEqual([
      { action: 'item.create', id: '1', after: { id: 1, name: 'a', at: null } },
      { action: 'item.create', id: '2', after: { id: 2, name: 'b', at: null } },
      { action: 'item.update', id: '1', before: { name: 'a' }, after: { name: 'c' }, changed: ['name'] },
      { action: 'item.update', id: '2', before: { name: 'b' }, after: { name: 'c' }, changed: ['name'] },
    ])
  })

  it('of an upsert are creates and updates', async () => {
    await db.sql(`INSERT INTO s.item VALUES (1, 'a'), (2, 'b')`)
    expect(
      brief(
        await recordedOf(
          `INSERT INTO s.item VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, 'z') ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
        ),
      ).toSorted(),
    ).toEqual(['item.create 3', 'item.create 4', 'item.update 1 [name]', 'item.update 2 [name]'])
  })

  it('are exact by a plan that was made for few', async () => {
    const count = 3_000
    await db.sql(`INSERT INTO s.item SELECT i, 'a' FROM generate_series(1, ${count}) AS i`)
    const session = await connect()
    for (let n = 0; n < 7; n++) await session.query(`UPDATE s.item SET name = 'b${n}' WHERE id < 3`)
    const entries = await recordedBy(() => session.query(`UPDATE s.item SET name = id::text`))
    expect(entries.map(({ id, before, after }) => [id, before.id, after.name])).toEqual(
      entries.map(({ id }) => [id, Number(id), id]),
    )
    expect(new Set(entries.map(({ id }) => id)).size).toBe(count)
  })

  it('are recorded by the columns that there are, when a migration changed them', async () => {
    await db.sql(`ALTER TABLE s.item DROP COLUMN at, ADD COLUMN token text, ADD COLUMN price numeric(6, 2)`)
    expect(
      await recordedOf(`INSERT INTO s.item VALUES (1, 'a', 't', 1), (2, 'b', NULL, 2);
        UPDATE s.item SET price = 3; DELETE FROM s.item`),
    ).toEqual([
      { action: 'item.create', id: '1', after: { id: 1, name: 'a', token: '[redacted]', price: '1.00' } },
      { action: 'item.create', id: '2', after: { id: 2, name: 'b', token: null, price: '2.00' } },
      ...[
        { id: 1, name: 'a', token: '[redacted]', price: '1.00' },
        { id: 2, name: 'b', token: null, price: '2.00' },
      ].map((before) => ({
        ...{ action: 'item.update', id: String(before.id), before },
        ...{ after: { ...before, price: '3.00' }, changed: ['price'] },
      })),
      { action: 'item.delete', id: '1', before: { id: 1, name: 'a', token: '[redacted]', price: '3.00' } },
      { action: 'item.delete', id: '2', before: { id: 2, name: 'b', token: null, price: '3.00' } },
    ])
  })
})

describe('once a statement', () => {
  it('goes for a table that nothing changes again', async () => {
    await tables(item, 'item')
    expect(await levels('item')).toEqual(byStatement)
  })

  it('goes for one that referential actions reach, with their cause', async () => {
    await tables(
      `CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
      INSERT INTO parent VALUES (1), (2), (3); INSERT INTO child SELECT i, i % 3 + 1 FROM generate_series(1, 6) AS i`,
      ...['parent', 'child'],
    )
    expect(await levels('child')).toEqual(byStatement)
    expect(brief(await recordedOf(`UPDATE s.parent SET id = 7 WHERE id = 1; DELETE FROM s.parent`))).toEqual([
      'parent.update 1 [id]',
      'child.update 3 [parent] because parent.update',
      'child.update 6 [parent] because parent.update',
      ...['parent.delete 2', 'parent.delete 3', 'parent.delete 7'],
      ...[1, 4, 2, 5, 3, 6].map((id) => `child.delete ${id} because parent.delete`),
    ])
    expect(brief(await recordedOf(`INSERT INTO s.child VALUES (8), (9); DELETE FROM s.child`))).toEqual([
      ...['child.create 8', 'child.create 9', 'child.delete 8', 'child.delete 9'],
    ])
  })

  it('has one entry for a row that two foreign keys change, among many', async () => {
    await tables(
      `CREATE TABLE person (id int PRIMARY KEY);
      CREATE TABLE post (a int, b int, author int REFERENCES person ON DELETE SET NULL ON UPDATE CASCADE,
        editor int REFERENCES person ON DELETE SET NULL ON UPDATE CASCADE, PRIMARY KEY (a, b));
      INSERT INTO person VALUES (1), (2);
      INSERT INTO post VALUES (1, 1, 1, 1), (1, 2, 1, 2), (2, 1, 2, 1), (2, 2, 2, 2)`,
      ...['person', 'post'],
    )
    expect(await levels('post')).toEqual(byStatement)
    expect(brief(await recordedOf('UPDATE s.person SET id = 9 WHERE id = 1')).toSorted()).toEqual([
      'person.update 1 [id]',
      'post.update ["1","1"] [author, editor] because person.update',
      'post.update ["1","2"] [author] because person.update',
      'post.update ["2","1"] [editor] because person.update',
    ])
    expect(
      (await recordedOf('DELETE FROM s.person WHERE id = 9')).filter(({ id }) => id === '["1","1"]'),
    ).toEqual([
      {
        action: 'post.update',
        id: '["1","1"]',
        before: { a: 1, b: 1, author: 9, editor: 9 },
        after: { a: 1, b: 1, author: null, editor: null },
        changed: ['author', 'editor'],
        cause: 'person.delete',
      },
    ])
    expect(brief(await recordedOf('UPDATE s.post SET a = 5, b = b + 5 WHERE a = 2'))).toEqual([
      'post.update ["2","1"] [a, b]',
      'post.update ["2","2"] [a, b]',
    ])
  })

  it.each([
    [
      'an AFTER ROW trigger of the application’s',
      ['row: insert update delete'],
      `${item} CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE s.item SET name = 'touched' WHERE id = NEW.id AND name <> 'touched'; RETURN NULL; END $$;
      CREATE TRIGGER touch AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch()`,
    ],
    [
      'a foreign key to itself',
      ['row: update delete', 'statement: insert'],
      'CREATE TABLE item (id int PRIMARY KEY, up int REFERENCES item ON DELETE CASCADE)',
    ],
    [
      'one foreign key that sets a column and another that deletes',
      ['row: update delete', 'statement: insert'],
      `CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE item (id int PRIMARY KEY, a int REFERENCES parent ON DELETE SET NULL, b int REFERENCES parent ON DELETE CASCADE)`,
    ],
    [
      'several foreign keys one of which is part of its key',
      ['row: update delete', 'statement: insert'],
      `CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE item (id int PRIMARY KEY REFERENCES parent ON UPDATE CASCADE, b int REFERENCES parent ON UPDATE CASCADE)`,
    ],
    [
      'a BEFORE trigger on a table that its changes reach',
      ['row: update delete', 'statement: insert'],
      `${item} CREATE TABLE child (id int PRIMARY KEY REFERENCES item ON UPDATE CASCADE);
      CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
      CREATE TRIGGER before BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION before()`,
    ],
    [
      'partitions',
      ['row: insert update delete'],
      'CREATE TABLE item (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE item_1 PARTITION OF item DEFAULT',
    ],
    [
      'a table that inherits from it',
      ['row: insert update delete'],
      `${item} CREATE TABLE heir () INHERITS (item)`,
    ],
  ])('does not go for a table with %s', async (_, expected, setUp) => {
    await tables(setUp, 'item')
    expect(await levels('item')).toEqual(expected)
  })

  it('ends where a trigger came, when the table is watched again', async () => {
    await tables(item, 'item')
    await db.sql(`CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE s.item SET name = 'touched' WHERE id = NEW.id; RETURN NULL; END $$;
      CREATE TRIGGER touch AFTER INSERT ON s.item FOR EACH ROW EXECUTE FUNCTION s.touch()`)
    expect([await watch('s.item', 'item'), await watch('s.item', 'item')]).toEqual([true, false])
    expect(brief(await recordedOf(`INSERT INTO s.item VALUES (1, 'a'), (2, 'b')`))).toEqual([
      ...['item.create 1', 'item.update 1 [name]', 'item.create 2', 'item.update 2 [name]'],
    ])
    await db.sql('DROP TRIGGER touch ON s.item')
    expect([await watch('s.item', 'item'), await watch('s.item', 'item')]).toEqual([true, false])
    expect(await levels('item')).toEqual(byStatement)
  })
})

it('records what logical replication applies, which fires no trigger of statements, by a trigger for each row', async () => {
  await tables(item)
  await db.sql(`CREATE SUBSCRIPTION copy CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)`)
  try {
    await db.sql(`INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
      SELECT oid, 's.item'::regclass, 'r' FROM pg_subscription WHERE subname = 'copy'`)
    await watch('s.item', 'item')
    expect(await levels('item')).toEqual(['row: insert update delete'])
  } finally {
    await db.sql(`ALTER SUBSCRIPTION copy SET (slot_name = NONE); DROP SUBSCRIPTION copy`)
  }
})
