import { describe, expect, it } from 'vitest'
import { brief, createWatched } from './watched.ts'

const { db, connect, watch, unwatch, recordedOf, recordedBy } = await createWatched('')

/** Tables with these names, watched under them, after everything of an earlier test is gone. */
async function tables(sql: string, ...names: string[]) {
  await db.sql(
    `DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s; ${sql}; RESET search_path`,
  )
  for (const name of names) await watch(`s.${name}`, name)
}

describe('three levels of referential actions, started by psql', () => {
  const levels = `
    CREATE TABLE org (id int PRIMARY KEY);
    CREATE TABLE team (id int PRIMARY KEY, org int REFERENCES org ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE task (id int PRIMARY KEY, team int REFERENCES team ON DELETE CASCADE);
    CREATE TABLE step (id int PRIMARY KEY, task int DEFAULT 0 REFERENCES task ON DELETE SET NULL);
    INSERT INTO org VALUES (1), (2); INSERT INTO team VALUES (11, 1), (12, 2); INSERT INTO task VALUES (21, 11), (22, 11), (23, 12);
    INSERT INTO step VALUES (31, 21), (32, 23)`
  const expected = [
    'org.delete 1',
    'team.delete 11 because org.delete',
    'task.delete 21 because org.delete',
    'task.delete 22 because org.delete',
    'step.update 31 [task] because org.delete',
  ]

  it('are entries of their own, with the cause', async () => {
    await tables(levels, 'org', 'team', 'task', 'step')
    expect(brief(await recordedOf('DELETE FROM s.org WHERE id = 1'))).toEqual(expected)
  })

  it('where tables in between are not watched', async () => {
    await tables(levels, 'step')
    expect(brief(await recordedOf('DELETE FROM s.org WHERE id = 1'))).toEqual(expected.slice(-1))
  })

  it('and a change of the key', async () => {
    await tables(levels, 'org', 'team', 'task', 'step')
    expect(brief(await recordedOf('UPDATE s.org SET id = 9 WHERE id = 1'))).toEqual([
      'org.update 1 [id]',
      'team.update 11 [org] because org.update',
    ])
  })

  it('have the cause of the inner statement, when a trigger or a function started them', async () => {
    await tables(
      `${levels};
      CREATE TABLE log (id int PRIMARY KEY);
      CREATE FUNCTION s.tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM s.team WHERE id = 12; RETURN NULL; END $$;
      CREATE TRIGGER tidy AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION s.tidy()`,
      ...['org', 'team', 'task', 'step', 'log'],
    )
    expect(brief(await recordedOf('INSERT INTO s.log VALUES (1)'))).toEqual([
      'log.create 1',
      'team.delete 12',
      'task.delete 23 because team.delete',
      'step.update 32 [task] because team.delete',
    ])
    expect(
      brief(
        await recordedOf(
          `DO $$ BEGIN UPDATE s.org SET id = 9 WHERE id = 1; DELETE FROM s.org WHERE id = 9; END $$`,
        ),
      ),
    ).toEqual([
      'org.update 1 [id]',
      'team.update 11 [org] because org.update',
      'org.delete 9',
      ...expected.slice(1),
    ])
  })
})

describe('a row that one statement changes more than once', () => {
  it('by two foreign keys has one entry, and statements in one function do not mix', async () => {
    await tables(
      `CREATE TABLE person (id int PRIMARY KEY);
      CREATE TABLE post (id int PRIMARY KEY, author int REFERENCES person ON DELETE SET NULL, editor int REFERENCES person ON DELETE SET NULL, stars int);
      INSERT INTO person VALUES (1), (2); INSERT INTO post VALUES (1, 1, 1, 0), (2, 2, 2, 0)`,
      ...['person', 'post'],
    )
    const entries = await recordedOf(`DO $$ BEGIN
      UPDATE s.post SET stars = 1 WHERE id = 2;
      DELETE FROM s.person WHERE id = 1;
      UPDATE s.post SET stars = 0 WHERE id = 2;
      UPDATE s.post SET stars = 1 WHERE id = 2;
      DELETE FROM s.person WHERE id = 2; END $$`)
    expect(brief(entries)).toEqual([
      'post.update 2 [stars]',
      'person.delete 1',
      'post.update 1 [author, editor] because person.delete',
      'post.update 2 [stars]',
      'post.update 2 [stars]',
      'person.delete 2',
      'post.update 2 [author, editor] because person.delete',
    ])
  })

  it('and deletes by another key is a delete', async () => {
    await tables(
      `CREATE TABLE person (id int PRIMARY KEY);
      CREATE TABLE post (id int PRIMARY KEY, author int REFERENCES person ON DELETE SET NULL, editor int REFERENCES person ON DELETE CASCADE);
      INSERT INTO person VALUES (1); INSERT INTO post VALUES (1, 1, 1)`,
      ...['person', 'post'],
    )
    expect(await recordedOf('DELETE FROM s.person')).toEqual([
      { action: 'person.delete', id: '1', before: { id: 1 } },
      { action: 'post.delete', id: '1', before: { id: 1, author: 1, editor: 1 }, cause: 'person.delete' },
    ])
  })

  it('has an entry for each change, where row-level security hides it from the role that watches', async () => {
    await tables(
      `CREATE TABLE person (id int PRIMARY KEY);
      CREATE TABLE post (id int PRIMARY KEY, author int REFERENCES person ON DELETE SET NULL, editor int REFERENCES person ON DELETE SET NULL, owner int REFERENCES person ON DELETE CASCADE);
      INSERT INTO person VALUES (1); INSERT INTO post VALUES (1, 1, 1);
      DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT ALL ON SCHEMA s, public, audit_logs_internal TO keeper; GRANT ALL ON audit_logs TO keeper;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit_logs_internal TO keeper;
      ALTER TABLE person OWNER TO keeper; ALTER TABLE post OWNER TO keeper`.replaceAll(
        'ON audit_logs',
        'ON public.audit_logs',
      ),
    )
    const keeper = await connect()
    await keeper.query(
      `SET ROLE keeper; SELECT audit_logs_watch('s.person', 'person'); SELECT audit_logs_watch('s.post', 'post')`,
    )
    await db.sql('ALTER TABLE s.post ENABLE ROW LEVEL SECURITY; ALTER TABLE s.post FORCE ROW LEVEL SECURITY')
    expect(brief(await recordedOf('DELETE FROM s.person'))).toEqual([
      'person.delete 1',
      'post.update 1 [author] because person.delete',
      'post.update 1 [editor] because person.delete',
    ])
    await db.sql('DROP SCHEMA s CASCADE; DROP OWNED BY keeper')
    await keeper.end()
    await db.sql('DROP ROLE keeper')
  })
})

describe('a table that refers to itself', () => {
  const tree = `CREATE TABLE node (id int PRIMARY KEY, parent int REFERENCES node ON DELETE CASCADE ON UPDATE CASCADE, touched boolean);
    INSERT INTO node VALUES (1, 1), (2, 1), (3, 2)`

  it('cascades to any depth', async () => {
    await tables(tree, 'node')
    expect(brief(await recordedOf('DELETE FROM s.node WHERE id = 2'))).toEqual([
      'node.delete 2',
      'node.delete 3 because node.delete',
    ])
  })

  it('records an update of a key under the old one, once for each row', async () => {
    await tables(tree, 'node')
    expect(await recordedOf('UPDATE s.node SET id = 9 WHERE id = 1')).toEqual([
      {
        action: 'node.update',
        id: '1',
        before: { id: 1, parent: 1, touched: null },
        after: { id: 9, parent: 9, touched: null },
        changed: ['id', 'parent'],
      },
      {
        action: 'node.update',
        id: '2',
        before: { id: 2, parent: 1, touched: null },
        after: { id: 2, parent: 9, touched: null },
        changed: ['parent'],
        cause: 'node.update',
      },
    ])
  })

  it('and has a BEFORE UPDATE trigger records an update of a key, too', async () => {
    await tables(
      `${tree};
      CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := true; RETURN NEW; END $$;
      CREATE TRIGGER touch BEFORE UPDATE ON node FOR EACH ROW EXECUTE FUNCTION s.touch()`,
      'node',
    )
    expect(await recordedOf('UPDATE s.node SET id = 9 WHERE id = 1')).toEqual([
      {
        action: 'node.update',
        id: '1',
        before: { id: 1, parent: 1, touched: null },
        after: { id: 9, parent: 9, touched: true },
        changed: ['id', 'parent', 'touched'],
      },
      {
        action: 'node.update',
        id: '2',
        before: { id: 2, parent: 1, touched: null },
        after: { id: 2, parent: 9, touched: true },
        changed: ['parent', 'touched'],
        cause: 'node.update',
      },
    ])
  })
})

describe('composite keys', () => {
  it('cascade two levels, and generated columns are those of the row', async () => {
    await tables(
      `CREATE TABLE house (code text PRIMARY KEY);
      CREATE TABLE shelf (house text REFERENCES house ON UPDATE CASCADE, number int, label text GENERATED ALWAYS AS (house || number::text) STORED, PRIMARY KEY (house, number));
      CREATE TABLE box (id int PRIMARY KEY, house text, number int, FOREIGN KEY (house, number) REFERENCES shelf ON UPDATE CASCADE);
      INSERT INTO house VALUES ('a'); INSERT INTO shelf VALUES ('a', 1); INSERT INTO box VALUES (7, 'a', 1)`,
      ...['house', 'shelf', 'box'],
    )
    expect(await recordedOf(`UPDATE s.house SET code = 'b'`)).toEqual([
      { action: 'house.update', id: 'a', before: { code: 'a' }, after: { code: 'b' }, changed: ['code'] },
      {
        action: 'shelf.update',
        id: '["a","1"]',
        before: { house: 'a', number: 1, label: 'a1' },
        after: { house: 'b', number: 1, label: 'b1' },
        changed: ['house', 'label'],
        cause: 'house.update',
      },
      {
        action: 'box.update',
        id: '7',
        before: { id: 7, house: 'a', number: 1 },
        after: { id: 7, house: 'b', number: 1 },
        changed: ['house'],
        cause: 'house.update',
      },
    ])
  })
})

describe('deferred constraints', () => {
  it('check at COMMIT and have acted at once', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)`,
      ...['a', 'b'],
    )
    expect(
      brief(
        await recordedOf(
          'BEGIN; INSERT INTO s.b VALUES (1, 1); INSERT INTO s.a VALUES (1); DELETE FROM s.a; COMMIT',
        ),
      ),
    ).toEqual(['b.create 1', 'a.create 1', 'a.delete 1', 'b.delete 1 because a.delete'])
    await expect(db.sql('INSERT INTO s.b VALUES (1, 1)')).rejects.toMatchObject({ code: '23503' })
  })
})

describe('triggers of the application in a cascade', () => {
  it('that make a soft delete of a delete are recorded as what they do', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int, gone boolean DEFAULT false, FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE);
      CREATE FUNCTION s.soft() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE s.b SET gone = true, a = NULL WHERE id = OLD.id; RETURN NULL; END $$;
      CREATE TRIGGER soft BEFORE DELETE ON b FOR EACH ROW EXECUTE FUNCTION s.soft();
      INSERT INTO a VALUES (1); INSERT INTO b VALUES (7, 1)`,
      ...['a', 'b'],
    )
    expect(await recordedOf('DELETE FROM s.b')).toEqual([
      {
        action: 'b.update',
        id: '7',
        before: { id: 7, a: 1, gone: false },
        after: { id: 7, a: null, gone: true },
        changed: ['a', 'gone'],
      },
    ])
    await db.sql('UPDATE s.b SET a = 1, gone = false')
    expect(brief(await recordedOf('DELETE FROM s.a'))).toEqual(['a.delete 1', 'b.update 7 [a, gone]'])
  })

  it('keep a row that a cascade would take, and there is no entry of it', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
      CREATE FUNCTION s.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON b FOR EACH ROW EXECUTE FUNCTION s.keep();
      INSERT INTO a VALUES (1); INSERT INTO b VALUES (7, 1)`,
      ...['a', 'b'],
    )
    expect(brief(await recordedOf('DELETE FROM s.a'))).toEqual(['a.delete 1'])
  })
})

describe('row-level security', () => {
  it('hides nothing from the log: rows that the caller can’t see are cascaded away, and recorded', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, owner text);
      INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1, 'visitor'), (2, 1, 'other');
      DO $$ BEGIN CREATE ROLE visitor; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT USAGE ON SCHEMA s TO visitor; GRANT ALL ON ALL TABLES IN SCHEMA s TO visitor;
      ALTER TABLE b ENABLE ROW LEVEL SECURITY; ALTER TABLE b FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON b USING (owner = current_user)`,
      ...['a', 'b'],
    )
    const visitor = await connect()
    await visitor.query('SET ROLE visitor')
    expect((await visitor.query('SELECT id FROM s.b')).rows).toEqual([{ id: 1 }])
    expect(brief(await recordedBy(() => visitor.query('DELETE FROM s.a')))).toEqual([
      'a.delete 1',
      'b.delete 1 because a.delete',
      'b.delete 2 because a.delete',
    ])
    await visitor.end()
    await db.sql('DROP OWNED BY visitor; DROP ROLE visitor')
  })
})

describe('a condition that is not the same twice', () => {
  it('deletes one row, and records that one', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
      INSERT INTO a SELECT generate_series(1, 50); INSERT INTO b SELECT n, n FROM generate_series(1, 50) AS n`,
      ...['a', 'b'],
    )
    const entries = await recordedOf(
      'DELETE FROM s.a WHERE id = (SELECT id FROM s.a ORDER BY random() LIMIT 1)',
    )
    const id = entries[0]?.id
    expect(brief(entries)).toEqual([`a.delete ${id}`, `b.delete ${id} because a.delete`])
    expect(await db.sql('SELECT count(*)::int FROM s.a')).toEqual([{ count: 49 }])
  })
})

describe('unwatching', () => {
  it('of a table that others reach leaves them recorded, with their cause', async () => {
    await tables(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1)`,
      ...['a', 'b'],
    )
    await unwatch('s.a')
    expect(brief(await recordedOf('DELETE FROM s.a'))).toEqual(['b.delete 1 because a.delete'])
    await unwatch('s.b')
    expect(await db.sql(`SELECT FROM pg_trigger WHERE tgname LIKE '%!audit%'`)).toEqual([])
  })
})
