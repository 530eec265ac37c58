import { beforeEach, expect } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { createClient, createDatabase, type Entry } from '../../support/database.ts'

/** A raw statement, and what it must leave. */
export interface Case {
  sql: string
  values?: unknown[]
  /** The affected rows. */
  count: number
  entries: string[]
}

/** `tag.update 1 name`: what happened to which record, and its changed fields. */
export function outline(entries: readonly Entry[]): string[] {
  return entries.map(({ action, resource_id, details }) =>
    [action, resource_id, ...(details.changed ?? []), ...(details.reason ? [details.reason] : [])].join(' '),
  )
}

const tables = ['Tag', 'Country', 'Translation', 'Stamped', 'Reading', 'Größe ü', 'base', 'derived']

/** An audited and an unaudited client on a database where every test finds the same few rows. */
export async function createRaw() {
  const db = await createDatabase()
  const prisma = withAudit(createClient(db.url))
  const plain = createClient(db.url)
  const version = await db.serverVersion()

  await db.sql(`
    CREATE TABLE "Größe ü" (
      "schlüssel" text PRIMARY KEY, "wert" text, "set" text, "where" text, "from" text, "returning" text,
      "old" text, "new" text, "n" text, "op" text, "values" text, "__audit_op" text, "it's" text, "a""b" text)`)
  await db.sql(`
    CREATE TABLE base (id int PRIMARY KEY, name text);
    CREATE TABLE derived (extra text) INHERITS (base);
    CREATE VIEW tag_view AS SELECT * FROM "Tag";
    CREATE TABLE ruled (id int PRIMARY KEY, name text);
    CREATE RULE ruled_insert AS ON INSERT TO ruled DO INSTEAD NOTHING;
    CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO "Reading" VALUES (random()::text, 1) RETURNING 1';
    CREATE FUNCTION stable_one() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
    CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN INSERT INTO "Reading" VALUES (random()::text, 1); COMMIT; END';
    CREATE PROCEDURE writes_too() LANGUAGE sql AS 'INSERT INTO "Reading" VALUES (random()::text, 1)'`)

  /** Three tags, two countries, one translation, one stamped row, one reading, in every test. */
  async function reset(): Promise<void> {
    await db.sql(`
      TRUNCATE "Tag", "Country", "Translation", "Stamped", "Reading", "Größe ü", base, derived RESTART IDENTITY CASCADE;
      INSERT INTO "Tag" (name) VALUES ('a'), ('b'), ('c');
      INSERT INTO "Country" VALUES ('DE', 'Germany', 80), ('FR', 'France', 60);
      INSERT INTO "Translation" VALUES ('hello', 'en', 'Hello', 1);
      INSERT INTO "Stamped" (counter) VALUES (1), (2);
      INSERT INTO "Reading" VALUES ('outside', 1.5);
      INSERT INTO "Größe ü" ("schlüssel", wert) VALUES ('ä', 'eins');
      INSERT INTO base VALUES (1, 'one'); INSERT INTO derived VALUES (2, 'two', 'x')`)
  }
  beforeEach(reset)

  /** The rows of every table, without the times that a trigger stamps. */
  async function contents(): Promise<unknown> {
    const all = await Promise.all(
      tables.map((table) => db.sql(`SELECT to_jsonb(t) - 'stamped_at' AS row FROM "${table}" t ORDER BY 1`)),
    )
    return Object.fromEntries(all.map((rows, index) => [tables[index], rows.map((row) => row.row)]))
  }

  /**
   * Runs a statement with the unaudited and the audited client from the same start: result and rows must be equal; then
   * compares the entries.
   */
  async function compare(
    method: '$executeRawUnsafe' | '$queryRawUnsafe',
    { sql, values = [], entries }: Case,
  ) {
    const expected = await plain[method](sql, ...values)
    const expectedContents = await contents()
    await reset()
    let actual: unknown
    const written = await db.changesOf(async () => {
      actual = await prisma[method](sql, ...values)
    })
    expect(actual).toEqual(expected)
    expect(await contents()).toEqual(expectedContents)
    expect(outline(written)).toEqual(entries)
    expect(written.every((entry) => entry.details.operation === method)).toBe(true)
    return { result: expected, written }
  }

  return { db, prisma, plain, version, contents, compare }
}
