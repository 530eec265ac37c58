import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { PrismaClient } from '../../generated/client/client.ts'
import { createClient, createDatabase, type Database } from '../../support/database.ts'
import { emptyingScript } from '../../support/empty-tables.ts'
import { outcome } from '../../support/outcome.ts'

const setUp = `
  ALTER TABLE "Tag" ADD CONSTRAINT tag_short CHECK (length(name) < 100);
  CREATE TABLE booking (id int PRIMARY KEY, room int4range, EXCLUDE USING gist (room WITH &&));
  CREATE TABLE late (id int PRIMARY KEY, tag int REFERENCES "Tag" DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE guarded (id int PRIMARY KEY, note text);
  CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF coalesce(NEW.note, OLD.note) = 'skip' THEN RETURN NULL; END IF;
    IF coalesce(NEW.note, OLD.note) = 'refuse' THEN
      RAISE EXCEPTION 'guarded says no' USING ERRCODE = 'GU001', HINT = 'ask nicely', DETAIL = 'a detail';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END $$;
  CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
  CREATE VIEW tags AS SELECT * FROM "Tag";
  CREATE FUNCTION add_tag(text) RETURNS int LANGUAGE sql AS $$ INSERT INTO "Tag" (name) VALUES ($1) RETURNING id $$;
  CREATE TABLE parted (id int, name text) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
  CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
`

/** Two clones of one database, one audited and one not: the same calls must give the same on both. */
export async function createTwins() {
  const [plainDb, auditedDb] = [await createDatabase(), await createDatabase()]
  const plain = createClient(plainDb.url)
  const audited = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: auditedDb.url }) }))
  afterAll(() => audited.$disconnect())

  const both = async (sql: string) => {
    await Promise.all([plainDb.sql(sql), auditedDb.sql(sql)])
  }

  let empty = ''
  beforeAll(async () => {
    await both(setUp)
    empty = await emptyingScript(plainDb)
  })

  beforeEach(() =>
    both(`
      ${empty}
      INSERT INTO "Tag" (name) VALUES ('a'), ('b'), ('c');
      INSERT INTO users (id, email, name, created_at, updated_at)
        SELECT n, 'u' || n || '@x.org', 'User ' || n, '2026-01-01', '2026-01-01' FROM generate_series(1, 3) AS n;
      INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'one', 1), ('p2', 'two', 1), ('p3', 'three', 2);
      INSERT INTO "Comment" (text, "postId", "userId") VALUES ('c1', 'p1', 1), ('c2', 'p1', 2), ('c3', 'p2', NULL);
      INSERT INTO "_PostToTag" VALUES ('p1', 1), ('p1', 2);
      INSERT INTO "Warehouse" VALUES ('ZH', 'Zürich');
      INSERT INTO "Shelf" VALUES ('ZH', 1, NULL);
      INSERT INTO "Box" VALUES (1, 'ZH', 1, 'x');
      INSERT INTO "Country" VALUES ('CH', 'Swiss', 8);
      INSERT INTO guarded VALUES (1, 'plain');
      SELECT setval(pg_get_serial_sequence('users', 'id'), 3);
    `),
  )

  /** A call that must do the same with and without audit, to the caller and to the database. */
  function same(
    name: string,
    work: (client: PrismaClient) => PromiseLike<unknown>,
    failsWith?: string,
  ): void {
    it(name, async () => {
      const expected = await outcome(() => work(plain))
      const actual = await outcome(() => work(audited as unknown as PrismaClient))
      expect(actual).toEqual(expected)
      const [wanted, found] = await Promise.all([contents(plainDb), contents(auditedDb)])
      expect(found).toEqual(wanted)
      const { error } = expected as { error?: { code?: string; name?: string } }
      if (failsWith === undefined) expect(error).toBeUndefined()
      else expect([error?.code, error?.name]).toContain(failsWith)
    })
  }

  /** A failing call: the code that Prisma gives without audit, which the audited client must give too. */
  const sameError = (code: string, name: string, work: (client: PrismaClient) => PromiseLike<unknown>) =>
    same(`${code}: ${name}`, work, code)

  return { auditedDb, plain, audited, same, sameError, version: await plainDb.serverVersion() }
}

/** The rows of every table that the calls write to. */
async function contents({ sql }: Database): Promise<unknown> {
  const tables = ['Tag', 'users', 'Post', 'Comment', '_PostToTag', 'Warehouse', 'Shelf', 'Box', 'Country']
  const more = [
    'Reading',
    'Stamped',
    'Translation',
    'Status',
    'booking',
    'late',
    'guarded',
    'parted',
    'Category',
  ]
  const queries = [...tables, ...more, 'Everything'].map(
    (table) =>
      `SELECT '${table}' AS name, coalesce(jsonb_agg(to_jsonb(t) ORDER BY t::text), '[]') AS rows FROM "${table}" AS t`,
  )
  return sql(`${queries.join(' UNION ALL ')} ORDER BY name`)
}
