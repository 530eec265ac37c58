import { describe, expect, it } from 'vitest'
import { brief, createWatched } from './watched.ts'

const { db, connect, watch, recordedOf, recordedBy, version } = await createWatched(`
  CREATE TABLE item (id int PRIMARY KEY, name text UNIQUE, note text);
  CREATE VIEW items AS SELECT id, name FROM item WHERE id < 1000;
`)
await watch('item', 'item')

const empty = () => db.sql('DELETE FROM item')
const item = (id: number, name: string | null, note: string | null = null) => ({ id, name, note })

describe('every way to write', () => {
  it('INSERT, UPDATE, DELETE of many rows, in their order', async () => {
    const entries = await recordedOf(`
      INSERT INTO item SELECT n, 'n' || n FROM generate_series(1, 3) AS n;
      UPDATE item SET note = name WHERE id > 1;
      UPDATE item SET note = note;
      DELETE FROM item WHERE id = 2;
      DELETE FROM item WHERE id = 99`)
    expect(entries).toEqual([
      { action: 'item.create', id: '1', after: item(1, 'n1') },
      { action: 'item.create', id: '2', after: item(2, 'n2') },
      { action: 'item.create', id: '3', after: item(3, 'n3') },
      {
        action: 'item.update',
        id: '2',
        before: item(2, 'n2'),
        after: item(2, 'n2', 'n2'),
        changed: ['note'],
      },
      {
        action: 'item.update',
        id: '3',
        before: item(3, 'n3'),
        after: item(3, 'n3', 'n3'),
        changed: ['note'],
      },
      { action: 'item.delete', id: '2', before: item(2, 'n2', 'n2') },
    ])
    await empty()
  })

  it('an update of the key is recorded under the old one', async () => {
    await db.sql(`INSERT INTO item VALUES (1, 'a')`)
    expect(await recordedOf('UPDATE item SET id = 7')).toEqual([
      { action: 'item.update', id: '1', before: item(1, 'a'), after: item(7, 'a'), changed: ['id'] },
    ])
    await empty()
  })

  it('INSERT … ON CONFLICT, as what happened', async () => {
    await db.sql(`INSERT INTO item VALUES (1, 'a')`)
    const entries = await recordedOf(`
      INSERT INTO item VALUES (1, 'x'), (2, 'b') ON CONFLICT DO NOTHING;
      INSERT INTO item VALUES (1, 'x', 'y'), (3, 'c', 'z') ON CONFLICT (id) DO UPDATE SET note = excluded.note`)
    expect(entries).toEqual([
      { action: 'item.create', id: '2', after: item(2, 'b') },
      // AFTER triggers of updates and inserts fire in the order of the rows
      { action: 'item.update', id: '1', before: item(1, 'a'), after: item(1, 'a', 'y'), changed: ['note'] },
      { action: 'item.create', id: '3', after: item(3, 'c', 'z') },
    ])
    await empty()
  })

  it('CTEs that write', async () => {
    await db.sql(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`)
    const entries = await recordedOf(`
      WITH gone AS (DELETE FROM item WHERE id = 1 RETURNING *), changed AS (UPDATE item SET note = 'u' WHERE id = 2)
      INSERT INTO item SELECT id + 10, name || '!' FROM gone`)
    expect(brief(entries).sort()).toEqual(['item.create 11', 'item.delete 1', 'item.update 2 [note]'])
    await empty()
  })

  it('COPY', async () => {
    const entries = await recordedOf(`COPY item FROM PROGRAM 'printf "1\\ta\\t\\\\\\\\N\\n2\\tb\\tc\\n"'`)
    expect(entries).toEqual([
      { action: 'item.create', id: '1', after: item(1, 'a') },
      { action: 'item.create', id: '2', after: item(2, 'b', 'c') },
    ])
    await empty()
  })

  it('a view', async () => {
    const entries = await recordedOf(`
      INSERT INTO items VALUES (1, 'a'); UPDATE items SET name = 'b'; DELETE FROM items`)
    expect(brief(entries)).toEqual(['item.create 1', 'item.update 1 [name]', 'item.delete 1'])
  })

  it('a view with an INSTEAD OF trigger, and a rule', async () => {
    await db.sql(`
      CREATE VIEW shouting AS SELECT upper(name) AS name FROM item;
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item VALUES (1, lower(NEW.name)); RETURN NEW; END $$;
      CREATE TRIGGER shout INSTEAD OF INSERT ON shouting FOR EACH ROW EXECUTE FUNCTION shout();
      CREATE VIEW ruled AS SELECT * FROM item;
      CREATE RULE ruled AS ON DELETE TO ruled DO INSTEAD UPDATE item SET note = 'ruled' WHERE id = OLD.id`)
    expect(await recordedOf(`INSERT INTO shouting VALUES ('ABC'); DELETE FROM ruled`)).toEqual([
      { action: 'item.create', id: '1', after: item(1, 'abc') },
      {
        action: 'item.update',
        id: '1',
        before: item(1, 'abc'),
        after: item(1, 'abc', 'ruled'),
        changed: ['note'],
      },
    ])
    await empty()
  })

  it('a function, and DO', async () => {
    await db.sql(
      `CREATE FUNCTION add(id int) RETURNS int LANGUAGE sql AS $$ INSERT INTO item VALUES (id, 'f') RETURNING id $$`,
    )
    const entries = await recordedOf(
      `SELECT add(1); DO $$ BEGIN UPDATE item SET note = 'x'; UPDATE item SET note = 'y'; UPDATE item SET note = 'x'; END $$`,
    )
    expect(entries.map(({ action, after }) => [action, after.note])).toEqual([
      ['item.create', null],
      ['item.update', 'x'],
      ['item.update', 'y'],
      ['item.update', 'x'],
    ])
    await empty()
  })

  it('a procedure that commits on its way', async () => {
    await db.sql(`
      CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO item VALUES (1, 'a'); COMMIT;
          INSERT INTO item VALUES (2, 'b'); ROLLBACK;
          INSERT INTO item VALUES (3, 'c'); COMMIT;
        END $$`)
    expect(brief(await recordedOf('CALL steps()'))).toEqual(['item.create 1', 'item.create 3'])
    await empty()
  })

  it('a cursor, and a prepared statement', async () => {
    await db.sql(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`)
    const entries = await recordedOf(`
      BEGIN;
      DECLARE c CURSOR FOR SELECT * FROM item WHERE id = 2 FOR UPDATE; FETCH c; UPDATE item SET note = 'c' WHERE CURRENT OF c;
      PREPARE p AS DELETE FROM item WHERE id = $1; EXECUTE p (1); DEALLOCATE p;
      COMMIT`)
    expect(brief(entries)).toEqual(['item.update 2 [note]', 'item.delete 1'])
    await empty()
  })

  it.runIf(version >= 15)('MERGE', async () => {
    await db.sql(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`)
    const entries = await recordedOf(`
      MERGE INTO item AS t USING (VALUES (1, 'x'), (2, NULL), (3, 'c')) AS s(id, name) ON t.id = s.id
      WHEN MATCHED AND s.name IS NULL THEN DELETE
      WHEN MATCHED THEN UPDATE SET name = s.name
      WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)`)
    expect(brief(entries).sort()).toEqual(['item.create 3', 'item.delete 2', 'item.update 1 [name]'])
    await empty()
  })

  it('what is rolled back is not recorded, to a savepoint either', async () => {
    const entries = await recordedOf(`
      BEGIN; INSERT INTO item VALUES (1, 'a'); SAVEPOINT s; INSERT INTO item VALUES (2, 'b'); ROLLBACK TO s;
      INSERT INTO item VALUES (3, 'c'); COMMIT;
      BEGIN; INSERT INTO item VALUES (4, 'd'); ROLLBACK`)
    expect(brief(entries)).toEqual(['item.create 1', 'item.create 3'])
    await empty()
  })

  it.each(['REPEATABLE READ', 'SERIALIZABLE'])('%s', async (level) => {
    const entries = await recordedOf(`
      BEGIN ISOLATION LEVEL ${level}; SELECT FROM item; INSERT INTO item VALUES (1, 'a'); UPDATE item SET note = 'n'; COMMIT`)
    expect(brief(entries)).toEqual(['item.create 1', 'item.update 1 [note]'])
    await empty()
  })

  it('session_replication_role = replica', async () => {
    const replica = await connect()
    await replica.query('SET session_replication_role = replica')
    expect(brief(await recordedBy(() => replica.query(`INSERT INTO item VALUES (1, 'a')`)))).toEqual([
      'item.create 1',
    ])
    expect(await recordedBy(() => replica.query('TRUNCATE item'))).toEqual([
      { action: 'item.truncate', id: null, rows: 1 },
    ])
  })

  it('but not with the option origin: there the origin’s entries come by replication', async () => {
    await db.sql('CREATE TABLE received (id int PRIMARY KEY)')
    await watch('received', 'received', { origin: true })
    const replica = await connect()
    await replica.query('SET session_replication_role = replica')
    expect(
      await recordedBy(() => replica.query('INSERT INTO received VALUES (1); TRUNCATE received')),
    ).toEqual([])
    expect(brief(await recordedOf('INSERT INTO received VALUES (2)'))).toEqual(['received.create 2'])
  })

  it('a table with triggers of the application: the row is recorded as it was stored, and what they write', async () => {
    await db.sql(`
      CREATE TABLE stamped (id int PRIMARY KEY, name text, stamp text);
      CREATE TABLE elsewhere (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text);
      CREATE FUNCTION stamp_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO elsewhere (name) VALUES (TG_OP); NEW.stamp := 'before'; RETURN NEW; END $$;
      CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp_row();
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE stamped SET name = NEW.name || '!' WHERE id = NEW.id AND name NOT LIKE '%!'; RETURN NULL; END $$;
      CREATE TRIGGER again AFTER INSERT OR UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION again()`)
    await watch('stamped', 'stamped')
    await watch('elsewhere', 'elsewhere')
    const row = (name: string) => ({ id: 1, name, stamp: 'before' })
    const entries = await recordedOf(`INSERT INTO stamped VALUES (1, 'a'); UPDATE stamped SET name = 'b'`)
    expect(entries).toEqual([
      // a BEFORE trigger's statement is over before the row is written
      { action: 'elsewhere.create', id: '1', after: { id: 1, name: 'INSERT' } },
      { action: 'stamped.create', id: '1', after: row('a') },
      { action: 'elsewhere.create', id: '2', after: { id: 2, name: 'UPDATE' } },
      { action: 'stamped.update', id: '1', before: row('a'), after: row('a!'), changed: ['name'] },
      { action: 'elsewhere.create', id: '3', after: { id: 3, name: 'UPDATE' } },
      { action: 'stamped.update', id: '1', before: row('a!'), after: row('b'), changed: ['name'] },
      { action: 'elsewhere.create', id: '4', after: { id: 4, name: 'UPDATE' } },
      { action: 'stamped.update', id: '1', before: row('b'), after: row('b!'), changed: ['name'] },
    ])
  })
})
