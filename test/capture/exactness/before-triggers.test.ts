import { beforeEach, describe, expect, it } from 'vitest'
import { briefSorted, recorded } from '../../support/recorded.ts'
import { createAudited } from '../audited.ts'

const { db, prisma, recordedBy, empty } = await createAudited({
  setUp: `
    CREATE TABLE folder (id int PRIMARY KEY, name text);
    CREATE TABLE file (id int PRIMARY KEY, folder int REFERENCES folder ON DELETE CASCADE, name text, deleted boolean);
    CREATE TABLE page (id int PRIMARY KEY, file int REFERENCES file ON DELETE CASCADE);
    CREATE TABLE stroke (page int REFERENCES page ON DELETE CASCADE, color text);
    -- a file called kept stays, one called soft is only marked, any other goes
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF OLD.name = 'kept' THEN RETURN NULL; END IF;
      IF OLD.name = 'soft' THEN UPDATE file SET deleted = true, folder = NULL WHERE id = OLD.id; RETURN NULL; END IF;
      RETURN OLD;
    END $$;
    CREATE TRIGGER keep BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION keep();

    CREATE TABLE memo (id int PRIMARY KEY, name text, deleted boolean);
    CREATE TABLE mark (id int, name text, deleted boolean);
    CREATE TABLE parted_memo (id int PRIMARY KEY, name text, deleted boolean) PARTITION BY RANGE (id);
    CREATE TABLE parted_memo_1 PARTITION OF parted_memo FOR VALUES FROM (0) TO (100);
    CREATE FUNCTION soften() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF OLD.name IN ('soft', 'moved') THEN
        EXECUTE format('UPDATE %I SET deleted = true, id = $2 WHERE id = $1', TG_TABLE_NAME)
          USING OLD.id, CASE WHEN OLD.name = 'moved' THEN OLD.id + 10 ELSE OLD.id END;
        RETURN NULL;
      END IF;
      RETURN OLD;
    END $$;
    CREATE TRIGGER soften BEFORE DELETE ON memo FOR EACH ROW EXECUTE FUNCTION soften();
    CREATE TRIGGER soften BEFORE DELETE ON mark FOR EACH ROW EXECUTE FUNCTION soften();
    CREATE TRIGGER soften BEFORE DELETE ON parted_memo FOR EACH ROW EXECUTE FUNCTION soften();
    CREATE FUNCTION keep_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RETURN CASE WHEN OLD.name <> 'frozen' THEN NEW END;
    END $$;
    CREATE TRIGGER keep_frozen BEFORE UPDATE OF name ON memo FOR EACH ROW EXECUTE FUNCTION keep_frozen();

    CREATE TABLE node (code text PRIMARY KEY, parent text REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL, version int DEFAULT 1);
    CREATE FUNCTION recode() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.version := OLD.version + 1;
      IF OLD.code LIKE 'v%' THEN NEW.code := 'v' || NEW.version; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER recode BEFORE UPDATE ON node FOR EACH ROW EXECUTE FUNCTION recode();

    CREATE TABLE label (node text REFERENCES node ON UPDATE CASCADE, text text);
  `,
})
beforeEach(empty)

const run = (sql: string) => () => prisma.$executeRawUnsafe(sql)

/** The entries in brief, also where the oracle knows more. */
async function entriesOf(sql: string): Promise<string[]> {
  const entries = await db.changesOf(run(sql))
  const notes = entries.filter(({ action }) => action === 'raw.execute')
  const others = entries.filter(({ action }) => action !== 'raw.execute').map(recorded)
  return [...briefSorted(others), ...notes.map(({ details }) => `raw.execute ${details.reason}`)]
}

describe('a BEFORE DELETE trigger of rows that a cascade reaches', () => {
  it('that keeps a row: it has no entry, nor has what is below it', async () => {
    await db.sql(`INSERT INTO folder VALUES (1, 'f');
      INSERT INTO file VALUES (1, 1, 'gone'), (2, 1, 'other'); INSERT INTO page VALUES (1, 1), (2, 2)`)
    await db.sql(`ALTER TABLE file DROP CONSTRAINT file_folder_fkey;
      ALTER TABLE file ADD CONSTRAINT file_folder_fkey FOREIGN KEY (folder) REFERENCES folder ON DELETE CASCADE`)
    const all = await recordedBy(run('DELETE FROM folder'))
    expect(briefSorted(all)).toEqual([
      'file.delete 1 because folder.delete',
      'file.delete 2 because folder.delete',
      'folder.delete 1',
      'page.delete 1 because folder.delete',
      'page.delete 2 because folder.delete',
    ])
    await db.sql(`INSERT INTO folder VALUES (1, 'f');
      INSERT INTO file VALUES (1, 1, 'kept'), (2, 1, 'other'); INSERT INTO page VALUES (1, 1), (2, 2)`)
    const some = await recordedBy(run('DELETE FROM folder'))
    expect(briefSorted(some)).toEqual([
      'file.delete 2 because folder.delete',
      'folder.delete 1',
      'page.delete 2 because folder.delete',
    ])
  })

  it('that marks a row instead: it is recorded as the update that it is', async () => {
    await db.sql(
      `INSERT INTO folder VALUES (1, 'f'); INSERT INTO file VALUES (1, 1, 'soft'); INSERT INTO page VALUES (1, 1)`,
    )
    const entries = await db.changesOf(run('DELETE FROM folder'))
    expect(briefSorted(entries.map(recorded))).toEqual([
      'file.update 1 [folder, deleted] because folder.delete',
      'folder.delete 1',
    ])
    expect(await db.sql('SELECT id, folder, deleted FROM file')).toEqual([
      { id: 1, folder: null, deleted: true },
    ])
  })

  it('says that rows without a key may be gone', async () => {
    await db.sql(`INSERT INTO folder VALUES (1, 'f'); INSERT INTO file VALUES (1, 1, 'kept');
      INSERT INTO page VALUES (1, 1); INSERT INTO stroke VALUES (1, 'red')`)
    expect(await entriesOf('DELETE FROM folder')).toEqual(['folder.delete 1', 'raw.execute trigger'])
  })
})

describe('a BEFORE DELETE trigger of the rows that a statement deletes', () => {
  const files = `INSERT INTO file VALUES (1, NULL, 'soft'), (2, NULL, 'kept'), (3, NULL, 'gone'); INSERT INTO page VALUES (1, 1), (3, 3)`

  it('that marks a row instead: it is recorded as the update that it is, one that it keeps has no entry', async () => {
    await db.sql(files)
    let count: unknown
    const entries = await db.changesOf(async () => {
      count = await prisma.$executeRawUnsafe('DELETE FROM file')
    })
    expect(count).toBe(1)
    expect(briefSorted(entries.map(recorded))).toEqual([
      'file.delete 3',
      'file.update 1 [deleted]',
      'page.delete 3 because file.delete',
    ])
  })

  it('returns the rows that the statement alone returns', async () => {
    await db.sql(files)
    const sql = `DELETE FROM file AS f USING (VALUES (1), (3)) AS v(id) WHERE f.id = v.id RETURNING *`
    expect(await prisma.$queryRawUnsafe(`DELETE FROM file WHERE id = 1 RETURNING id`)).toEqual([])
    expect(await prisma.$queryRawUnsafe(sql.replace('*', 'f.id'))).toEqual([{ id: 3 }])
  })

  it('where nothing follows, in a transaction, and where a condition is not the same twice', async () => {
    await db.sql(
      `INSERT INTO memo VALUES (1, 'soft'), (2, 'gone'); INSERT INTO parted_memo VALUES (1, 'soft'), (2, 'gone')`,
    )
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$queryRawUnsafe('DELETE FROM memo WHERE random() >= 0 RETURNING *')
        await tx.$queryRawUnsafe('DELETE FROM parted_memo RETURNING *')
      }),
    )
    expect(briefSorted(entries.map(recorded))).toEqual([
      'memo.delete 2',
      'memo.update 1 [deleted]',
      'parted_memo.delete 2',
      'parted_memo.update 1 [deleted]',
    ])
  })

  it('says that a row without a key, or one that is no longer found, was kept', async () => {
    await db.sql(`INSERT INTO mark VALUES (1, 'soft'), (2, 'gone'); INSERT INTO memo VALUES (1, 'moved')`)
    expect(await entriesOf('DELETE FROM mark')).toEqual(['mark.delete (no id)', 'raw.execute trigger'])
    expect(await entriesOf('DELETE FROM memo')).toEqual(['raw.execute trigger'])
  })
})

describe('a BEFORE UPDATE trigger', () => {
  it('that keeps a row as it is: it has no entry', async () => {
    await db.sql(`INSERT INTO memo VALUES (1, 'frozen'), (2, 'other')`)
    expect(await entriesOf('UPDATE memo SET name = name || 1')).toEqual(['memo.update 2 [name]'])
  })
  it('of a table that refers to itself, while its key changes', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', NULL), ('b', 'a'), ('c', 'b')`)
    expect(await entriesOf(`UPDATE node SET code = 'x' WHERE code = 'a'`)).toEqual([
      'node.update a [code, version]',
      'node.update b [parent, version] because node.update',
    ])
  })

  it('that changes the key of a row that an action reaches: one entry says that it was not found', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', NULL), ('v1', 'a')`)
    expect(await entriesOf(`UPDATE node SET code = 'x' WHERE code = 'a'`)).toEqual([
      'node.update a [code, version]',
      'raw.execute trigger',
    ])
  })

  it('that changes a key which the statement does not assign: one entry says that others may have followed', async () => {
    await db.sql(`INSERT INTO node VALUES ('v1', NULL); INSERT INTO label VALUES ('v1', 'l')`)
    expect(await entriesOf(`UPDATE node SET parent = NULL WHERE code = 'v1'`)).toEqual([
      'node.update v1 [code, version]',
      'raw.execute trigger',
    ])
    expect(await db.sql('SELECT node FROM label')).toEqual([{ node: 'v2' }])
  })

  it('that changes no key: nothing is said', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', NULL); INSERT INTO label VALUES ('a', 'l')`)
    expect(await entriesOf(`UPDATE node SET parent = NULL WHERE code = 'a'`)).toEqual([
      'node.update a [version]',
    ])
  })
})
