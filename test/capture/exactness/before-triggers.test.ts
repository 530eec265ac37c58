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

describe('a BEFORE UPDATE trigger', () => {
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
