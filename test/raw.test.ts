import * as runtime from '@prisma/client/runtime/client'
import { beforeEach, describe, expect, it } from 'vitest'
import { AuditError, withAudit, withAuditContext } from '../src/index.ts'
import { Prisma } from './generated/client/client.ts'
import { createClient, createDatabase, type Entry } from './support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
const plain = createClient(db.url)
const [{ version } = { version: 0 }] = await db.sql<{ version: number }>(
  `SELECT current_setting('server_version_num')::int / 10000 AS version`,
)

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

/** What was done; the entry of a failure inside a transaction may come later. */
async function entriesOf(work: () => PromiseLike<unknown>, read = db.changes): Promise<Entry[]> {
  const since = await db.lastSeq()
  await work()
  return read(since)
}
const allEntriesOf = (work: () => PromiseLike<unknown>) => entriesOf(work, db.entries)

/** `tag.update 1 name`: what happened to which record, and its changed fields. */
function steps(entries: readonly Entry[]): string[] {
  return entries.map(({ action, resource_id, details }) =>
    [action, resource_id, ...(details.changed ?? []), ...(details.reason ? [details.reason] : [])].join(' '),
  )
}

const tables = ['Tag', 'Country', 'Translation', 'Stamped', 'Reading', 'Größe ü', 'base', 'derived']

/** The rows of every table, without the times that a trigger stamps. */
async function contents(): Promise<unknown> {
  const all = await Promise.all(
    tables.map((table) => db.sql(`SELECT to_jsonb(t) - 'stamped_at' AS row FROM "${table}" t ORDER BY 1`)),
  )
  return Object.fromEntries(all.map((rows, index) => [tables[index], rows.map((row) => row.row)]))
}

interface Case {
  sql: string
  values?: unknown[]
  /** The affected rows. */
  count: number
  entries: string[]
}

/**
 * Runs a statement with the unaudited and the audited client from the same start: result and rows must be equal; then
 * compares the entries.
 */
async function compare(method: '$executeRawUnsafe' | '$queryRawUnsafe', { sql, values = [], entries }: Case) {
  const expected = await plain[method](sql, ...values)
  const expectedContents = await contents()
  await reset()
  let actual: unknown
  const written = await entriesOf(async () => {
    actual = await prisma[method](sql, ...values)
  })
  expect(actual).toEqual(expected)
  expect(await contents()).toEqual(expectedContents)
  expect(steps(written)).toEqual(entries)
  expect(written.every((entry) => entry.details.operation === method)).toBe(true)
  return { result: expected, written }
}

const captured: Record<string, Case> = {
  UPDATE: {
    sql: `UPDATE "Tag" SET name = name || '!' WHERE id < 3`,
    count: 2,
    entries: ['tag.update 1 name', 'tag.update 2 name'],
  },
  'UPDATE without WHERE': {
    sql: `UPDATE "Tag" SET name = name || '!'`,
    count: 3,
    entries: ['tag.update 1 name', 'tag.update 2 name', 'tag.update 3 name'],
  },
  'UPDATE of no row': { sql: `UPDATE "Tag" SET name = 'x' WHERE false`, count: 0, entries: [] },
  'UPDATE that changes nothing': { sql: `UPDATE "Tag" SET name = name`, count: 3, entries: [] },
  'UPDATE of the key': {
    sql: `UPDATE "Country" SET code = 'XX' WHERE code = 'DE'`,
    count: 1,
    entries: ['country.update DE code'],
  },
  'UPDATE with parameters used twice and in no order': {
    sql: 'UPDATE "Tag" SET name = $2 || $1 WHERE name = $3 OR name = $1 || $3',
    values: ['x', 'y', 'a'],
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with an alias': {
    sql: `UPDATE "Tag" AS t SET name = t.name || '!' WHERE t.id = 1`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with an alias without AS': {
    sql: `UPDATE "Tag" t SET name = t.name || '!' WHERE t.id = 1`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with the aliases old and new': {
    sql: `UPDATE "Tag" AS old SET name = new.name || '!' FROM (SELECT 1 AS id, 'z' AS name) AS new WHERE old.id = new.id`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE of a table in a schema': {
    sql: `UPDATE public."Tag" SET name = 'x' WHERE "Tag".id = 1`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE ONLY': { sql: `UPDATE ONLY base SET name = 'x'`, count: 1, entries: ['base.update 1 name'] },
  'UPDATE ONLY with parentheses': {
    sql: `UPDATE ONLY (base) AS b SET name = 'x'`,
    count: 1,
    entries: ['base.update 1 name'],
  },
  'UPDATE FROM': {
    sql: `UPDATE "Tag" t SET name = v.name FROM (VALUES (1, 'x'), (2, 'y')) AS v(id, name) WHERE v.id = t.id`,
    count: 2,
    entries: ['tag.update 1 name', 'tag.update 2 name'],
  },
  'UPDATE FROM with joins': {
    sql: `UPDATE "Country" c SET name = t.name FROM "Tag" t JOIN "Stamped" s ON s.id = t.id LEFT JOIN "Reading" r ON false WHERE t.id = 1 AND c.code = 'DE'`,
    count: 1,
    entries: ['country.update DE name'],
  },
  'UPDATE FROM itself': {
    sql: `UPDATE "Tag" SET name = "Tag".name || o.name FROM "Tag" o WHERE o.id = "Tag".id + 1`,
    count: 2,
    entries: ['tag.update 1 name', 'tag.update 2 name'],
  },
  'UPDATE FROM that meets a row three times': {
    sql: `UPDATE "Tag" SET name = 'x' FROM generate_series(1, 3) WHERE id = 1`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with IS DISTINCT FROM': {
    sql: `UPDATE "Tag" SET name = 'x' WHERE name IS NOT DISTINCT FROM 'a' AND id IS DISTINCT FROM 7`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with subqueries': {
    sql: `UPDATE "Tag" SET name = (SELECT name FROM "Country" WHERE code = 'FR') WHERE id IN (SELECT min(id) FROM "Tag")`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE of several columns at once': {
    sql: `UPDATE "Country" SET (name, population) = ('x', 1) WHERE code = 'DE'`,
    count: 1,
    entries: ['country.update DE name population'],
  },
  'UPDATE of several columns from a subquery': {
    sql: `UPDATE "Country" SET (name, population) = (SELECT name, id FROM "Tag" WHERE id = 2) WHERE code = 'DE'`,
    count: 1,
    entries: ['country.update DE name population'],
  },
  'UPDATE to the default': {
    sql: `UPDATE "Country" SET population = DEFAULT`,
    count: 2,
    entries: ['country.update DE population', 'country.update FR population'],
  },
  'UPDATE with a WITH clause that reads': {
    sql: `WITH RECURSIVE s(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM s WHERE id < 2) UPDATE "Tag" SET name = 'x' || s.id FROM s WHERE s.id = "Tag".id`,
    count: 2,
    entries: ['tag.update 1 name', 'tag.update 2 name'],
  },
  'UPDATE with a CTE called update': {
    sql: `WITH update AS (SELECT 1 AS id), set AS (SELECT 'x' AS name) UPDATE "Tag" SET name = set.name FROM update, set WHERE update.id = "Tag".id`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE of a table with a BEFORE UPDATE trigger': {
    sql: `UPDATE "Stamped" SET counter = counter + 10 WHERE counter < 2`,
    count: 1,
    entries: ['stamped.update 1 counter stampedAt'],
  },
  'UPDATE … FROM of a table with a BEFORE UPDATE trigger': {
    sql: `UPDATE "Stamped" s SET counter = t.id + $1 FROM "Tag" t, generate_series(1, 2) AS g WHERE t.id = s.id AND t.name = $2`,
    values: [10, 'a'],
    count: 1,
    entries: ['stamped.update 1 counter stampedAt'],
  },
  'UPDATE with a WITH clause, of a table with a BEFORE UPDATE trigger': {
    sql: `WITH s AS (SELECT id FROM "Tag" WHERE id = 2) UPDATE "Stamped" SET counter = 9 WHERE id IN (SELECT id FROM s)`,
    count: 1,
    entries: ['stamped.update 2 counter stampedAt'],
  },
  'UPDATE of one row of a queue': {
    sql: `UPDATE "Stamped" SET counter = 9 WHERE id = (SELECT id FROM "Stamped" ORDER BY counter DESC LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    count: 1,
    entries: ['stamped.update 2 counter stampedAt'],
  },
  'UPDATE of a table without a primary key': {
    sql: `UPDATE "Reading" SET value = 2`,
    count: 1,
    entries: ['reading.update  value'],
  },
  DELETE: { sql: `DELETE FROM "Tag" WHERE id = 1`, count: 1, entries: ['tag.delete 1'] },
  'DELETE without WHERE': {
    sql: `DELETE FROM "Tag"`,
    count: 3,
    entries: ['tag.delete 1', 'tag.delete 2', 'tag.delete 3'],
  },
  'DELETE with an alias': {
    sql: `DELETE FROM "Tag" AS t WHERE t.id = $1`,
    values: [2],
    count: 1,
    entries: ['tag.delete 2'],
  },
  'DELETE USING': {
    sql: `DELETE FROM "Country" c USING "Tag" t, (VALUES (1), (2)) AS v(id) WHERE t.id = v.id AND c.code = 'DE'`,
    count: 1,
    entries: ['country.delete DE'],
  },
  'DELETE with a WITH clause that reads': {
    sql: `WITH old AS (SELECT id FROM "Tag" WHERE id > 1) DELETE FROM "Tag" WHERE id IN (SELECT id FROM old)`,
    count: 2,
    entries: ['tag.delete 2', 'tag.delete 3'],
  },
  'DELETE ONLY': { sql: 'DELETE FROM ONLY base', count: 1, entries: ['base.delete 1'] },
  'INSERT of several rows': {
    sql: `INSERT INTO "Tag" (name) VALUES ('x'), ($1)`,
    values: ['y'],
    count: 2,
    entries: ['tag.create 4', 'tag.create 5'],
  },
  'INSERT without a column list': {
    sql: `INSERT INTO "Country" VALUES ('IT', 'Italy', DEFAULT)`,
    count: 1,
    entries: ['country.create IT'],
  },
  'INSERT DEFAULT VALUES': {
    sql: `INSERT INTO "Stamped" DEFAULT VALUES`,
    count: 1,
    entries: ['stamped.create 3'],
  },
  'INSERT … SELECT': {
    sql: `INSERT INTO "Tag" (name) SELECT name || '2' FROM "Tag" ORDER BY id`,
    count: 3,
    entries: ['tag.create 4', 'tag.create 5', 'tag.create 6'],
  },
  'INSERT … TABLE': {
    sql: `WITH v(name) AS (VALUES ('x')) INSERT INTO "Tag" (name) TABLE v`,
    count: 1,
    entries: ['tag.create 4'],
  },
  'INSERT with an alias': {
    sql: `INSERT INTO "Tag" AS t (name) VALUES ('x')`,
    count: 1,
    entries: ['tag.create 4'],
  },
  'INSERT with a WITH clause that reads': {
    sql: `WITH insert AS (SELECT 'x' AS name) INSERT INTO "Tag" (name) SELECT name FROM insert`,
    count: 1,
    entries: ['tag.create 4'],
  },
  'INSERT … ON CONFLICT DO NOTHING': {
    sql: `INSERT INTO "Tag" (name) VALUES ('a'), ('x') ON CONFLICT DO NOTHING`,
    count: 1,
    entries: ['tag.create 5'],
  },
  'INSERT … ON CONFLICT (…) DO NOTHING': {
    sql: `INSERT INTO "Tag" (name) VALUES ('a') ON CONFLICT (name) DO NOTHING`,
    count: 0,
    entries: [],
  },
  'INSERT … ON CONFLICT (…) DO UPDATE': {
    sql: `INSERT INTO "Country" VALUES ('DE', 'x', 1), ('IT', 'y', 2) ON CONFLICT (code) DO UPDATE SET name = excluded.name`,
    count: 2,
    entries: ['country.update DE name', 'country.create IT'],
  },
  'INSERT … ON CONFLICT … DO UPDATE … WHERE': {
    sql: `INSERT INTO "Country" AS c VALUES ('DE', 'x', 1), ('FR', 'y', 1) ON CONFLICT (code) DO UPDATE SET population = c.population + 1 WHERE c.population > 70`,
    count: 1,
    entries: ['country.update DE population'],
  },
  'INSERT … ON CONFLICT ON CONSTRAINT … DO UPDATE': {
    sql: `INSERT INTO "Tag" (id, name) VALUES (1, $1) ON CONFLICT ON CONSTRAINT "Tag_pkey" DO UPDATE SET name = excluded.name || '!'`,
    values: ['x'],
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'INSERT … ON CONFLICT on two columns': {
    sql: `INSERT INTO "Translation" VALUES ('hello', 'en', 'Hi', 1), ('hello', 'de', 'Hallo', 1) ON CONFLICT (language, key) DO UPDATE SET text = excluded.text, revision = "Translation".revision + 1`,
    count: 2,
    entries: ['translation.update ["hello","en"] text revision', 'translation.create ["hello","de"]'],
  },
  'INSERT … ON CONFLICT that changes nothing': {
    sql: `INSERT INTO "Country" VALUES ('DE', 'x') ON CONFLICT (code) DO UPDATE SET name = "Country".name`,
    count: 1,
    entries: [],
  },
  'INSERT … ON CONFLICT of a table with a BEFORE UPDATE trigger': {
    sql: `INSERT INTO "Stamped" (id, counter) VALUES (1, 5), (7, 7) ON CONFLICT (id) DO UPDATE SET counter = excluded.counter`,
    count: 2,
    entries: ['stamped.update 1 counter stampedAt', 'stamped.create 7'],
  },
  'a table and columns in UTF-8, with names that are keywords': {
    sql: `UPDATE "Größe ü" AS "ö" SET "wert" = '🦆 SET ä WHERE', "set" = 's', "where" = 'w', "from" = 'f', "returning" = 'r', "old" = 'o', "new" = 'nn', "n" = 'n', "op" = 'op', "values" = 'v', "__audit_op" = 'x', "it's" = 'i', "a""b" = 'ab' WHERE "ö"."schlüssel" = 'ä' /* ü */`,
    count: 1,
    entries: [`Größe ü.update ä wert set where from returning old new n op values __audit_op it's a"b`],
  },
  'comments at the start, inside and at the end': {
    sql: `-- first 'one'\n/* UPDATE x /* nested */ */ UPDATE -- SET\n "Tag" /* SET */ SET -- WHERE ; \n name = /* 'x' */ 'y' -- RETURNING\n WHERE /* ( */ id = 1 /* ) */ -- last`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'a comment of sqlcommenter': {
    sql: `UPDATE "Tag" SET name = 'y' WHERE id = 1 /*action='x%20y',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'a comment that is switched on and off': {
    sql: `UPDATE "Tag" SET name = 'y' --/*\n WHERE id = 1 --*/`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'a comment that opens in a string': {
    sql: `UPDATE "Tag" SET name = 'a /* b' WHERE id = 1 /* c */`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'a semicolon at the end': {
    sql: `UPDATE "Tag" SET name = 'y' WHERE id = 1;`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'a semicolon, a comment and empty lines at the end': {
    sql: `\n\n  UPDATE "Tag" SET name = 'y' WHERE id = 1 ; -- done\n /* really */ \n\n`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'strings with comments, parameters, keywords and semicolons inside': {
    sql: `UPDATE "Tag" SET name = '-- $1 /* ; RETURNING '' WHERE' || E'\\' $2 --' || $$ ' $1 ; -- /* $$ || $q$ $$ $q$ || U&'\\0041' || $1 WHERE id = 1`,
    values: ['z'],
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'lower case, and no more space than needed': {
    sql: `update"Tag"set"name"='y'where"id"=1`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
}

describe('a writing statement is captured row by row, with the count and the rows of the plain client', () => {
  it.each(Object.keys(captured))('$executeRaw: %s', async (name) => {
    const one = captured[name] as Case
    const { result } = await compare('$executeRawUnsafe', one)
    expect(result).toBe(one.count)
  })

  it.each(Object.keys(captured))('$queryRaw without RETURNING gives no rows: %s', async (name) => {
    const { result } = await compare('$queryRawUnsafe', captured[name] as Case)
    expect(result).toEqual([])
  })
})

describe('RETURNING gives what it gives without the audit', () => {
  const update = `UPDATE "Tag" AS t SET name = name || '!' WHERE id < 3`
  const updated = ['tag.update 1 name', 'tag.update 2 name']
  const lists = [
    ...[
      '*',
      't.*',
      'id',
      '"id"',
      't.id',
      't.id AS x',
      'id x',
      'id AS "Ünï"',
      'id AS "a""b"',
      'id, id',
      'name, id',
    ],
    ...[
      'id + 1',
      'count_up.x',
      '1',
      `'x'`,
      'NULL',
      'true',
      '-id',
      'id = 1',
      'id IN (1, 2)',
      'name IS NULL',
      'NOT true',
    ],
    ...['name::text', 'CAST(id AS text)', '1::int', `'a'::text`, '(1 + 2)::int8', `date '2020-01-01'`],
    ...[
      `date '2020-01-01'::text`,
      'lower(name)',
      'pg_catalog.upper(name)',
      `name || '?'`,
      `concat(name, id) AS both`,
    ],
    ...[
      'coalesce(name, $$z$$)',
      'nullif(name, $$b$$)',
      'greatest(1, id)',
      'least(1, id)',
      'current_user',
      'current_date',
    ],
    ...['localtimestamp IS NULL', 'session_user', 'extract(year from now())::int', 'position($$a$$ in name)'],
    ...[
      'CASE WHEN true THEN 1 ELSE 2 END',
      'CASE WHEN true THEN 1 ELSE 2::int END',
      'CASE WHEN true THEN 1 END',
    ],
    ...[
      `CASE WHEN true THEN 'x' ELSE name END`,
      '(CASE WHEN true THEN 1 ELSE 2 END)::int8',
      'ROW(1, 2)::text',
    ],
    ...['array[1, 2]', '(array[1, 2])[1]', '(SELECT 1)', '(SELECT 1 AS one)', '(SELECT max(id) FROM "Tag")'],
    ...['exists(SELECT 1)', 'array(SELECT 1)', 'name COLLATE "C"', `trim(both 'a' from name)`],
    ...[
      `substring(name from 1 for 1)`,
      'to_jsonb(t)',
      `to_jsonb(t) ->> 'name'`,
      't::text',
      'pg_typeof(id)::text',
    ],
    ...[
      'tableoid::regclass::text',
      '(SELECT count(*) FROM "Tag" WHERE "Tag".id <= t.id)',
      'xmlelement(name foo)::text',
    ],
    ...(version >= 16 ? [`json_object('a': 1)`, 'json_array(1)', `JSON_OBJECT('a': id)::text`] : []),
    ...(version >= 17
      ? ['json_scalar(1)', `JSON_EXISTS(jsonb '{}', '$.a')`, `JSON_VALUE(jsonb '{}', '$.a')`]
      : []),
    ...(version >= 17 ? [`JSON_QUERY(jsonb '{}', '$.a')`, `json('{}')`] : []),
    ...(version >= 18
      ? [
          'old.name, new.name',
          'old.name AS was, new.name AS is',
          'WITH (OLD AS o, NEW AS n) o.name, n.name AS now',
          'WITH (OLD AS "Ö") "Ö".name, new.id',
          'WITH (NEW AS new2) new2.name, old.name',
          'old.*, new.*',
          'old::text, new::text',
          'old.ctid IS NULL, new.tableoid = old.tableoid',
        ]
      : []),
  ].filter((list) => list !== 'count_up.x')

  it.each(lists)('%s', async (list) => {
    await compare('$queryRawUnsafe', { sql: `${update} RETURNING ${list}`, count: 2, entries: updated })
  })

  const statements: Record<string, Case> = {
    'INSERT … RETURNING *': {
      sql: `INSERT INTO "Tag" (name) VALUES ('x'), ('y') RETURNING *`,
      count: 2,
      entries: ['tag.create 4', 'tag.create 5'],
    },
    'DELETE … RETURNING *': {
      sql: `DELETE FROM "Tag" WHERE id = 1 RETURNING *`,
      count: 1,
      entries: ['tag.delete 1'],
    },
    'DELETE … USING … RETURNING': {
      sql: `DELETE FROM "Tag" t USING "Country" c WHERE t.id = 1 AND c.code = 'DE' RETURNING t.id, c.name AS country, $1::int AS given;`,
      values: [7],
      count: 1,
      entries: ['tag.delete 1'],
    },
    'UPDATE … FROM … RETURNING of both': {
      sql: `UPDATE "Tag" t SET name = c.name FROM "Country" c WHERE t.id = 1 AND c.code = 'DE' RETURNING t.id, t.name, c.name, c.population`,
      count: 1,
      entries: ['tag.update 1 name'],
    },
    'UPDATE … FROM (…) old RETURNING old.name': {
      sql: `UPDATE "Tag" t SET name = 'new' FROM (SELECT id, name FROM "Tag" WHERE id = 1 FOR UPDATE) old WHERE t.id = old.id RETURNING t.id, old.name`,
      count: 1,
      entries: ['tag.update 1 name'],
    },
    'UPDATE … FROM (…) new RETURNING new.name': {
      sql: `UPDATE "Tag" t SET name = new.name FROM (VALUES (1, 'z')) AS new(id, name) WHERE t.id = new.id RETURNING new.name, t.name AS set`,
      count: 1,
      entries: ['tag.update 1 name'],
    },
    'UPDATE … AS old … RETURNING old.name': {
      sql: `UPDATE "Tag" AS old SET name = 'z' WHERE old.id = 1 RETURNING old.id, old.name`,
      count: 1,
      entries: ['tag.update 1 name'],
    },
    'UPDATE of a table with columns called old and new': {
      sql: `UPDATE "Größe ü" SET "new" = 'x' RETURNING "old", "new", "returning", '🦆' AS "🦆"`,
      count: 1,
      entries: ['Größe ü.update ä new'],
    },
    'UPDATE … RETURNING * of a table with a BEFORE UPDATE trigger': {
      sql: `UPDATE "Stamped" SET counter = 7 WHERE id = 1 RETURNING id, counter, stamped_at IS NOT NULL AS stamped`,
      count: 1,
      entries: ['stamped.update 1 counter stampedAt'],
    },
    'UPDATE … FROM … RETURNING of a table with a BEFORE UPDATE trigger': {
      sql: `UPDATE "Stamped" s SET counter = 7 FROM "Tag" t WHERE s.id = t.id AND t.id = 1 RETURNING s.id, counter, name, t.id AS tag`,
      count: 1,
      entries: ['stamped.update 1 counter stampedAt'],
    },
    'INSERT … ON CONFLICT DO UPDATE … RETURNING *': {
      sql: `INSERT INTO "Country" VALUES ('DE', 'x', 1), ('IT', 'y', 2) ON CONFLICT (code) DO UPDATE SET name = excluded.name RETURNING *`,
      count: 2,
      entries: ['country.update DE name', 'country.create IT'],
    },
    'INSERT … ON CONFLICT DO UPDATE … RETURNING an expression': {
      sql: `INSERT INTO "Country" AS c VALUES ('DE', 'x', 1) ON CONFLICT (code) DO UPDATE SET name = excluded.name RETURNING c.code || '?' AS q, (xmax::text <> '0') AS updated`,
      count: 1,
      entries: ['country.update DE name'],
    },
    'INSERT … ON CONFLICT DO NOTHING … RETURNING': {
      sql: `INSERT INTO "Tag" (name) VALUES ('a'), ('x') ON CONFLICT (name) DO NOTHING RETURNING id, name`,
      count: 1,
      entries: ['tag.create 5'],
    },
    'no row, so no row': {
      sql: `UPDATE "Tag" SET name = 'x' WHERE false RETURNING *`,
      count: 0,
      entries: [],
    },
  }

  it.each(Object.keys(statements))('%s', async (name) => {
    const one = statements[name] as Case
    const { result } = await compare('$queryRawUnsafe', one)
    expect(result).toHaveLength(one.count)
  })

  it.each(Object.keys(statements))('$executeRaw still gives the count: %s', async (name) => {
    const one = statements[name] as Case
    const { result } = await compare('$executeRawUnsafe', one)
    expect(result).toBe(one.count)
  })

  it('with every type of column', async () => {
    const values = `(1.5, 2, 3, 4.25, '5.10', '6.70'::money, 'high level', '2024-01-02 03:04:05.678', '2024-01-02 03:04:05.678901+02', '2024-01-02', '03:04:05', '{"a": [1]}', '\\x00ff', ARRAY[1, 2], ARRAY['x', NULL], ARRAY['{}']::jsonb[])`
    const sql = `INSERT INTO "Everything" (double, "bigint", "integer", "real", "decimal", money, level, "timestamp", timestamptz, date, time, jsonb, bytes, integers, texts, jsons) VALUES ${values} RETURNING *`
    const strip = (rows: unknown) => (rows as Record<string, unknown>[]).map(({ id: _, ...row }) => row)
    const [expected, actual] = [await plain.$queryRawUnsafe(sql), await prisma.$queryRawUnsafe(sql)]
    expect(strip(actual)).toEqual(strip(expected))
  })
})

describe('names that look like SQL', () => {
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const columns = [
    ...[
      '$1',
      '--',
      '/*',
      '*/',
      ';',
      "it's",
      'back\\slash',
      'a"b',
      'new\nline',
      '/*fold:0*/',
      '$q$',
      'ünï🦆',
      'NULL',
    ],
    ...['%s', '{0}', "E'\\x'", ' ', '$2::text', "'||'"],
  ]
  const table = `odd $1 -- \\ ' " /* ;`

  it('are names', async () => {
    await db.sql(`
      CREATE TABLE ${quote(table)} (${['$k int PRIMARY KEY', ...columns.map((name) => `${name} text`)]
        .map((column) =>
          column.replace(/^(.*) (int PRIMARY KEY|text)$/s, (_, name, type) => `${quote(name)} ${type}`),
        )
        .join(', ')});
      CREATE TABLE "odd child" (id int PRIMARY KEY, "f'k\\" int REFERENCES ${quote(table)} ON DELETE CASCADE ON UPDATE CASCADE)`)
    const values = (prefix: string) => columns.map((name) => prefix + name)
    const numbered = columns.map((_, index) => `$${index + 2}`)
    const key = quote('$k')
    const entries = await entriesOf(async () => {
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quote(table)} VALUES ($1, ${numbered})`,
        1,
        ...values('v'),
      )
      await prisma.$executeRawUnsafe(`INSERT INTO "odd child" VALUES (5, 1)`)
      await prisma.$executeRawUnsafe(
        `UPDATE ${quote(table)} SET ${columns.map((name, index) => `${quote(name)} = ${numbered[index]}`)} WHERE ${key} = $1`,
        1,
        ...values('w'),
      )
      const [row] = await prisma.$queryRawUnsafe<Record<string, string>[]>(
        `UPDATE ${quote(table)} SET ${quote('$1')} = 'z' WHERE ${key} = $1 RETURNING ${columns.map(quote)}`,
        1,
      )
      expect(Object.keys(row ?? {})).toEqual(columns)
      await prisma.$executeRawUnsafe(`UPDATE ${quote(table)} SET ${key} = $2 WHERE ${key} = $1`, 1, 2)
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quote(table)} (${key}, "--") VALUES ($1, $2) ON CONFLICT (${key}) DO UPDATE SET "--" = excluded."--" || $3`,
        ...[2, 'a', 'b'],
      )
      await prisma.$executeRawUnsafe(`DELETE FROM ${quote(table)} WHERE ${key} = $1`, 2)
    })
    expect(
      entries.map(({ action, resource_id, details }) => [action, resource_id, details.cause ?? null]),
    ).toEqual([
      [`${table}.create`, '1', null],
      ['odd child.create', '5', null],
      [`${table}.update`, '1', null],
      [`${table}.update`, '1', null],
      [`${table}.update`, '1', null],
      ['odd child.update', '5', `${table}.update`],
      [`${table}.update`, '2', null],
      [`${table}.delete`, '2', null],
      ['odd child.delete', '5', `${table}.delete`],
    ])
    expect(entries[2]?.details.changed).toEqual(columns)
    expect(entries[2]?.details.after).toEqual({
      $k: 1,
      ...Object.fromEntries(columns.map((name) => [name, `w${name}`])),
    })
  })
})

describe('tagged templates', () => {
  it('bind their values, Prisma.sql, Prisma.join and Prisma.empty included', async () => {
    const ids = [1, 2]
    const entries = await entriesOf(async () => {
      const where = Prisma.sql`id IN (${Prisma.join(ids)})`
      expect(
        await prisma.$executeRaw`UPDATE "Tag" SET name = name || ${'!'} WHERE ${where} ${Prisma.empty}`,
      ).toBe(2)
      const rows = await prisma.$queryRaw<unknown[]>(
        Prisma.sql`UPDATE ${Prisma.raw('"Tag"')} SET name = ${'z'} WHERE id = ${3} RETURNING id, name`,
      )
      expect(rows).toEqual([{ id: 3, name: 'z' }])
    })
    expect(steps(entries)).toEqual(['tag.update 1 name', 'tag.update 2 name', 'tag.update 3 name'])
    expect(entries.map((entry) => entry.details.operation)).toEqual([
      '$executeRaw',
      '$executeRaw',
      '$queryRaw',
    ])
  })

  it('bind values of every type', async () => {
    const when = new Date('2024-01-02T03:04:05.678Z')
    const sql = (client: typeof plain) =>
      client.$queryRaw`INSERT INTO "Everything" ("bigint", double, "decimal", "text", "boolean", "timestamp", jsonb, bytes, integers)
        VALUES (${9007199254740993n}, ${1.5}, ${new Prisma.Decimal('1.10')}, ${null}, ${true}, ${when}, ${{ a: 1 }}, ${Buffer.from([0, 255])}, ${[1, 2]})
        RETURNING "bigint", double, "decimal", "text", "boolean", "timestamp", jsonb, bytes, integers`
    const expected = await sql(plain)
    let actual: unknown
    const [entry] = await entriesOf(async () => {
      actual = await sql(prisma)
    })
    expect(actual).toEqual(expected)
    expect(entry?.details.after).toMatchObject({
      bigint: '9007199254740993',
      double: 1.5,
      decimal: '1.100000000000000000000000000000',
      text: null,
      boolean: true,
      timestamp: '2024-01-02T03:04:05.678Z',
      jsonb: { a: 1 },
      bytes: 'AP8=',
      integers: [1, 2],
    })
  })

  it('of one text run as often as one likes, with values and contexts of their own', async () => {
    const entries = await entriesOf(async () => {
      for (const [index, name] of ['x', 'y', 'z'].entries()) {
        await withAuditContext({ ...(index === 1 && { metadata: { index } }) }, async () => {
          await prisma.$executeRaw`UPDATE "Tag" SET name = ${name} WHERE id = ${index + 1}`
        })
      }
    })
    expect(entries.map(({ details }) => [details.after.name, details.metadata ?? null])).toEqual([
      ['x', null],
      ['y', { index: 1 }],
      ['z', null],
    ])
  })
})

describe('long statements', () => {
  it('with thousands of rows and parameters', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `long ${index}`)
    const entries = await entriesOf(async () => {
      expect(
        await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES ${Prisma.join(names.map((name) => Prisma.sql`(${name})`))}`,
      ).toBe(3_000)
      expect(await prisma.$executeRaw`DELETE FROM "Tag" WHERE name IN (${Prisma.join(names)})`).toBe(3_000)
    })
    expect(entries).toHaveLength(6_000)
    expect(entries.slice(0, 3_000).map((entry) => entry.details.after.name)).toEqual(names)
  })

  it('whose strings look like folded lists', async () => {
    const list = Array.from({ length: 500 }, (_, index) => `$${index + 1}`)
    const text = `/*fold:0*/ ${list.join(', ')} /*fold:1*/`
    const ids = Array.from({ length: 500 }, (_, index) => index + 1)
    const sql = `UPDATE "Country" SET name = '${text}' WHERE population IN (${list.join(',')}) AND code = 'DE'`
    await compare('$executeRawUnsafe', { sql, values: ids, count: 1, entries: ['country.update DE name'] })
    expect(await db.sql(`SELECT name FROM "Country" WHERE code = 'DE'`)).toEqual([{ name: text }])
  })
})

describe('a queue', () => {
  it('whose workers skip locked rows hands each job out once', async () => {
    await db.sql(`
      CREATE TABLE job (id serial PRIMARY KEY, state text DEFAULT 'new');
      CREATE TABLE job_log (job int REFERENCES job ON DELETE CASCADE);
      INSERT INTO job SELECT FROM generate_series(1, 60);
      INSERT INTO job_log SELECT id FROM job`)
    const taken: number[] = []
    const entries = await entriesOf(() =>
      Promise.all(
        Array.from({ length: 6 }, async () => {
          for (;;) {
            const [job] = await prisma.$queryRaw<{ id: number }[]>`UPDATE job SET state = 'taken'
              WHERE id = (SELECT id FROM job WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id`
            if (!job) return
            taken.push(job.id)
            await prisma.$queryRaw`DELETE FROM job WHERE id = ${job.id} RETURNING *`
          }
        }),
      ),
    )
    expect([...taken].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    for (const action of ['job.update', 'job.delete', 'job_log.delete']) {
      expect(entries.filter((entry) => entry.action === action)).toHaveLength(60)
    }
  })
})

describe('a statement that can not be captured row by row is recorded as raw.execute', () => {
  interface Uncapturable {
    /** Statements before it, in the same transaction, that are no matter here. */
    first?: string[]
    sql: string
    values?: unknown[]
    reason: string
    /** Its text in the log; that of `sql` where it has no values. */
    text?: string
    since?: number
    before?: number
  }
  const statements: Record<string, Uncapturable> = {
    'several statements': {
      sql: `INSERT INTO "Tag" (name) VALUES ('x'); UPDATE "Tag" SET name = 'y' WHERE id = 1`,
      reason: 'several-statements',
      text: 'INSERT INTO "Tag" (name) VALUES (?); UPDATE "Tag" SET name = ? WHERE id = ?',
    },
    MERGE: {
      sql: `MERGE INTO "Tag" t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT (name) VALUES ('y')`,
      reason: 'merge',
      text: 'MERGE INTO "Tag" t USING (SELECT ? AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET name = ? WHEN NOT MATCHED THEN INSERT (name) VALUES (?)',
      since: 15,
    },
    'a WITH clause that writes': {
      sql: `WITH gone AS (DELETE FROM "Tag" WHERE id = $1 RETURNING name) INSERT INTO "Reading" SELECT name, 2.5 FROM gone`,
      values: [1],
      reason: 'writing-cte',
      text: 'WITH gone AS (DELETE FROM "Tag" WHERE id = $1 RETURNING name) INSERT INTO "Reading" SELECT name, ? FROM gone',
    },
    'a WITH clause that writes before a SELECT': {
      sql: `WITH gone AS (DELETE FROM "Tag" RETURNING id) SELECT count(*) FROM gone`,
      reason: 'writing-cte',
    },
    'SELECT INTO': { sql: `SELECT id INTO made_by_select FROM "Tag"`, reason: 'select-into' },
    'a function that may write': { sql: 'SELECT writes()', reason: 'function' },
    'a function that may write, deep inside': {
      sql: `SELECT * FROM "Tag" WHERE id IN (SELECT public.writes() FROM "Country")`,
      reason: 'function',
    },
    'a function that may write in FROM': { sql: 'SELECT * FROM writes() AS w', reason: 'function' },
    'a function that may write in VALUES': { sql: 'VALUES (writes())', reason: 'function' },
    'COPY of a function that may write': {
      sql: `COPY (SELECT writes()) TO PROGRAM 'cat > /dev/null'`,
      reason: 'function',
      text: 'COPY (SELECT writes()) TO PROGRAM ?',
    },
    'a cursor over a function that may write': {
      sql: 'DECLARE one CURSOR FOR SELECT writes()',
      reason: 'function',
    },
    CALL: { sql: 'CALL writes_too()', reason: 'procedure' },
    DO: { sql: `DO $$ BEGIN DELETE FROM "Tag"; END $$`, reason: 'procedure', text: 'DO ?' },
    'COPY FROM': {
      sql: `COPY "Tag" (name) FROM PROGRAM 'echo x'`,
      reason: 'copy',
      text: 'COPY "Tag" (name) FROM PROGRAM ?',
    },
    TRUNCATE: { sql: 'TRUNCATE "Reading"', reason: 'truncate' },
    EXECUTE: {
      first: [`PREPARE change AS DELETE FROM "Tag" WHERE id = $1`],
      sql: 'EXECUTE change(1)',
      reason: 'prepared-statement',
      text: 'EXECUTE change(?)',
    },
    'EXPLAIN ANALYZE': { sql: `EXPLAIN ANALYZE DELETE FROM "Tag"`, reason: 'explain-analyze' },
    'EXPLAIN (ANALYZE)': { sql: `EXPLAIN (COSTS off, ANALYZE) DELETE FROM "Tag"`, reason: 'explain-analyze' },
    'EXPLAIN ANALYZE of a function that may write': {
      sql: 'EXPLAIN ANALYZE SELECT writes()',
      reason: 'explain-analyze',
    },
    'EXPLAIN ANALYZE of CREATE TABLE AS': {
      sql: 'EXPLAIN ANALYZE CREATE TABLE made_by_explain AS SELECT id FROM "Tag"',
      reason: 'explain-analyze',
    },
    'WHERE CURRENT OF': {
      first: ['DECLARE here CURSOR FOR SELECT * FROM "Tag" ORDER BY id FOR UPDATE', 'FETCH 1 FROM here'],
      sql: `UPDATE "Tag" SET name = 'x' WHERE CURRENT OF here`,
      reason: 'cursor',
      text: 'UPDATE "Tag" SET name = ? WHERE CURRENT OF here',
    },
    'CREATE TABLE': { sql: 'CREATE TABLE made (id int)', reason: 'definition' },
    'CREATE TABLE AS': { sql: 'CREATE TABLE made AS SELECT id FROM "Tag"', reason: 'definition' },
    'ALTER TABLE': {
      sql: `ALTER TABLE "Reading" ADD COLUMN note text DEFAULT 'x'`,
      reason: 'definition',
      text: 'ALTER TABLE "Reading" ADD COLUMN note text DEFAULT ?',
    },
    'DROP TABLE': { sql: 'DROP TABLE derived', reason: 'definition' },
    GRANT: { sql: 'GRANT SELECT ON "Tag" TO PUBLIC', reason: 'definition' },
    'CREATE INDEX': { sql: 'CREATE INDEX ON "Tag" (name)', reason: 'definition' },
    'REFRESH MATERIALIZED VIEW': {
      first: ['CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM "Tag"'],
      sql: 'REFRESH MATERIALIZED VIEW counted',
      reason: 'definition',
    },
    'a temporary table': {
      first: ['CREATE TEMPORARY TABLE brief (id int) ON COMMIT DROP'],
      sql: 'INSERT INTO brief VALUES (1)',
      reason: 'unknown-table',
      text: 'INSERT INTO brief VALUES (?)',
    },
    'a view': {
      sql: `UPDATE tag_view SET name = 'x' WHERE id = 1`,
      reason: 'not-a-table',
      text: 'UPDATE tag_view SET name = ? WHERE id = ?',
    },
    'a table with a rule': {
      sql: `INSERT INTO ruled VALUES (1, 'x')`,
      reason: 'rule',
      text: 'INSERT INTO ruled VALUES (?, ?)',
    },
    'RETURNING * beside another table': {
      sql: `UPDATE "Tag" t SET name = 'x' FROM "Country" c WHERE t.id = 1 AND c.code = 'DE' RETURNING *`,
      reason: 'returning-star',
      text: 'UPDATE "Tag" t SET name = ? FROM "Country" c WHERE t.id = ? AND c.code = ? RETURNING *',
    },
    'RETURNING the star of another table': {
      sql: `DELETE FROM "Tag" t USING "Country" c WHERE t.id = 1 RETURNING c.*`,
      reason: 'returning-star',
      text: 'DELETE FROM "Tag" t USING "Country" c WHERE t.id = ? RETURNING c.*',
    },
    'before 18: an upsert that does not say its keys in VALUES': {
      sql: `INSERT INTO "Country" SELECT code, 'x', 1 FROM "Country" ON CONFLICT (code) DO UPDATE SET name = excluded.name`,
      reason: 'upsert-without-values',
      text: 'INSERT INTO "Country" SELECT code, ?, ? FROM "Country" ON CONFLICT (code) DO UPDATE SET name = excluded.name',
      before: 18,
    },
    'before 18: an upsert by an expression': {
      first: ['CREATE UNIQUE INDEX ON "Tag" (lower(name))'],
      sql: `INSERT INTO "Tag" (name) VALUES ('A') ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name`,
      reason: 'upsert-without-values',
      text: 'INSERT INTO "Tag" (name) VALUES (?) ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name',
      before: 18,
    },
  }
  const names = Object.keys(statements).filter((name) => {
    const { since = 0, before = Infinity } = statements[name] as Uncapturable
    return version >= since && version < before
  })
  class Undo extends Error {}

  /** In a transaction that is undone, so that each starts alike; gives the result and the entries as it saw them. */
  async function attempt(client: typeof plain, { first = [], sql, values = [] }: Uncapturable) {
    let seen: { result: unknown; entries: Entry[] } | undefined
    const running = client.$transaction(async (tx) => {
      for (const statement of first) await tx.$executeRawUnsafe(statement)
      const [{ before } = { before: 0 }] = await tx.$queryRaw<
        { before: number }[]
      >`SELECT count(*)::int AS before FROM audit_logs`
      const result = await tx.$executeRawUnsafe(sql, ...values)
      const entries = await tx.$queryRawUnsafe<Entry[]>(
        `SELECT action, resource_type, resource_id, outcome, details FROM audit_logs ORDER BY seq OFFSET ${before}`,
      )
      seen = { result, entries }
      throw new Undo()
    })
    await expect(running).rejects.toThrow(Undo)
    return seen
  }

  it.each(names)('%s', async (name) => {
    const one = statements[name] as Uncapturable
    const since = await db.lastSeq()
    const expected = await attempt(plain, one)
    const actual = await attempt(prisma, one)
    expect(actual?.result).toEqual(expected?.result)
    expect(actual?.entries).toEqual([
      {
        action: 'raw.execute',
        resource_type: 'raw',
        resource_id: null,
        outcome: 'success',
        details: { operation: '$executeRawUnsafe', statement: one.text ?? one.sql, reason: one.reason },
      },
    ])
    expect(await db.changes(since)).toEqual([]) // undone with its transaction
  })

  const strict = withAudit(createClient(db.url), { uncapturable: 'throw' })

  it.each(names)("%s is refused before it runs, with uncapturable: 'throw'", async (name) => {
    const { first = [], sql, values = [], reason } = statements[name] as Uncapturable
    if (first.length > 0) return // these need statements that are refused themselves, or a transaction
    const before = await contents()
    const entries = await entriesOf(async () => {
      for (const run of [
        () => strict.$executeRawUnsafe(sql, ...values),
        () => strict.$queryRawUnsafe(sql, ...values),
        () => strict.$transaction([strict.$executeRawUnsafe(sql, ...values)]),
        () => strict.$transaction((tx) => tx.$executeRawUnsafe(sql, ...values)),
      ]) {
        const error = await run().then(undefined, (error: unknown) => error)
        expect(error).toBeInstanceOf(AuditError)
        expect(error).toMatchObject({ code: 'AUDIT_UNCAPTURABLE' })
        expect((error as AuditError).message).toContain(`(${reason}: `)
      }
    })
    expect(entries).toEqual([])
    expect(await contents()).toEqual(before)
    expect(
      await db.sql(`SELECT to_regclass('made') AS made, to_regclass('derived')::text AS derived`),
    ).toEqual([{ made: null, derived: 'derived' }])
  })

  it("syntax that nobody knows is refused with uncapturable: 'throw', and the server's error otherwise", async () => {
    await expect(strict.$executeRaw`UPDTE "Tag" SET name = 'x'`).rejects.toMatchObject({
      code: 'AUDIT_UNCAPTURABLE',
      message: expect.stringContaining('unknown-syntax'),
    })
    const entries = await allEntriesOf(() =>
      expect(prisma.$executeRaw`UPDTE "Tag" SET name = 'x'`).rejects.toMatchObject({ code: 'P2010' }),
    )
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([['raw.execute', 'failure']])
  })

  it("reads and captured writes run with uncapturable: 'throw'", async () => {
    const entries = await entriesOf(async () => {
      await strict.$queryRaw`SELECT 1`
      await strict.$executeRaw`UPDATE "Tag" SET name = 'x' WHERE id = 1`
      await strict.tag.deleteMany()
    })
    expect(entries).toHaveLength(4)
  })

  it('has the context of its call', async () => {
    const [entry] = await entriesOf(() =>
      withAuditContext(
        { actor: { id: 'ada', type: 'user' }, reason: 'clean up', metadata: { a: 1 } },
        () => prisma.$executeRaw`TRUNCATE "Reading"`,
      ),
    )
    expect(entry).toMatchObject({
      action: 'raw.execute',
      actor_id: 'ada',
      reason: 'clean up',
      details: {
        operation: '$executeRaw',
        statement: 'TRUNCATE "Reading"',
        reason: 'truncate',
        metadata: { a: 1 },
      },
    })
  })

  it('leaves the entry of a failure when it fails, and no other', async () => {
    const entries = await allEntriesOf(async () => {
      await expect(prisma.$executeRaw`TRUNCATE no_such_table`).rejects.toMatchObject({ code: 'P2010' })
      await expect(
        prisma.$executeRaw`WITH w AS (INSERT INTO "Tag" (name) VALUES ('a')) SELECT 1`,
      ).rejects.toMatchObject({ code: 'P2010' })
      await expect(
        prisma.$transaction([
          prisma.$executeRaw`TRUNCATE "Reading"`,
          prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES ('a')`,
        ]),
      ).rejects.toMatchObject({ code: 'P2010' })
    })
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual(
      Array(3).fill(['raw.execute', 'failure']),
    )
    expect(await db.sql('SELECT sensor FROM "Reading"')).toHaveLength(1)
  })

  it('commits with its statement, under the same transaction id as what comes with it', async () => {
    const entries = await entriesOf(() =>
      prisma.$transaction([prisma.$executeRaw`TRUNCATE "Reading"`, prisma.tag.delete({ where: { id: 1 } })]),
    )
    expect(steps(entries)).toEqual(['raw.execute  truncate', 'tag.delete 1'])
    expect(entries[0]?.transaction_id).toBe(entries[1]?.transaction_id)
  })

  it('keeps words apart where a comment stood between them', async () => {
    const [entry] = await entriesOf(() => prisma.$executeRawUnsafe('TRUNCATE/* all of */"Reading" -- now'))
    expect(entry?.details.statement).toBe('TRUNCATE "Reading"')
  })
})

describe('statements that do not run inside a transaction', () => {
  it('VACUUM, ANALYZE and CHECKPOINT work, and change nothing worth an entry', async () => {
    const entries = await entriesOf(async () => {
      await prisma.$executeRaw`VACUUM`
      await prisma.$executeRaw`VACUUM FULL "Tag"`
      await prisma.$executeRaw`ANALYZE "Tag"`
      await prisma.$executeRaw`CHECKPOINT`
    })
    expect(entries).toEqual([])
  })

  it('CREATE and DROP INDEX CONCURRENTLY, REINDEX CONCURRENTLY and a procedure that commits work, with an entry', async () => {
    const entries = await entriesOf(async () => {
      await prisma.$executeRaw`CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)`
      await prisma.$executeRaw`REINDEX INDEX CONCURRENTLY concurrent_index`
      await prisma.$executeRaw`DROP INDEX CONCURRENTLY concurrent_index`
      await prisma.$executeRaw`CALL commits()`
    })
    expect(entries.map(({ details }) => [details.reason, details.statement])).toEqual([
      ['definition', 'CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)'],
      ['definition', 'REINDEX INDEX CONCURRENTLY concurrent_index'],
      ['definition', 'DROP INDEX CONCURRENTLY concurrent_index'],
      ['procedure', 'CALL commits()'],
    ])
    expect(await db.sql('SELECT sensor FROM "Reading"')).toHaveLength(2)
  })

  it('fail inside a transaction as they do without the audit', async () => {
    const entries = await entriesOf(() =>
      expect(
        prisma.$transaction(async (tx) => {
          await tx.tag.delete({ where: { id: 1 } })
          await tx.$executeRaw`CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)`
        }),
      ).rejects.toMatchObject({ code: 'P2010', message: expect.stringContaining('25001') }),
    )
    expect(entries).toEqual([])
  })
})

describe('a statement that reads writes no entry, and gives what it gives without the audit', () => {
  it.each([
    'SELECT * FROM "Tag" ORDER BY id',
    'TABLE "Country"',
    `VALUES (1, 'x')`,
    'WITH t AS (SELECT * FROM "Tag") SELECT count(*)::int FROM t',
    'SELECT * FROM "Tag" ORDER BY id FOR UPDATE',
    'SELECT stable_one()',
    `SELECT set_config('audit.test', 'x', true)`,
    `SELECT lower('DELETE FROM "Tag"') AS "UPDATE"`,
    'SELECT generate_series(1, 2)',
    'EXPLAIN (COSTS off) DELETE FROM "Tag"',
    'EXPLAIN (COSTS off) INSERT INTO "Reading" VALUES (writes(), 1)',
    'EXPLAIN (COSTS off, ANALYZE false) DELETE FROM "Tag"',
    'EXPLAIN (COSTS off, ANALYZE 0) DELETE FROM "Tag"',
    'SHOW search_path',
    'SET statement_timeout = 0',
    'COPY (SELECT 1) TO PROGRAM $$cat > /dev/null$$',
    'LISTEN something',
    'NOTIFY something',
    'PREPARE later AS DELETE FROM "Tag"',
    'DEALLOCATE ALL',
    '',
    '-- nothing',
    'SELECT 1; SELECT 2',
  ])('%s', async (sql) => {
    const text = sql.includes('$$') ? sql.replaceAll('$$', "'") : sql
    const run = (client: typeof plain) =>
      client.$executeRawUnsafe(text).then(
        (count) => ({ count }),
        (error: Error) => ({ error: error.message.split('\n').at(-1) }),
      )
    let actual: unknown
    const entries = await entriesOf(async () => {
      actual = await run(prisma)
    })
    expect(actual).toEqual(await run(plain))
    expect(entries).toEqual([])
  })
})

describe('definitions that change while the client runs', () => {
  it('a table created by raw SQL is captured from its first row', async () => {
    await prisma.tag.findMany()
    const entries = await entriesOf(async () => {
      await prisma.$executeRaw`CREATE TABLE made_later (id int PRIMARY KEY, name text)`
      await prisma.$executeRaw`INSERT INTO made_later VALUES (1, 'x')`
      await prisma.$executeRaw`ALTER TABLE made_later ADD COLUMN more text`
      await prisma.$executeRaw`UPDATE made_later SET more = 'y', name = 'z'`
      await prisma.$executeRaw`ALTER TABLE made_later DROP COLUMN name`
      await prisma.$executeRaw`DELETE FROM made_later`
      await prisma.$executeRaw`DROP TABLE made_later`
    })
    expect(steps(entries)).toEqual([
      'raw.execute  definition',
      'made_later.create 1',
      'raw.execute  definition',
      'made_later.update 1 name more',
      'raw.execute  definition',
      'made_later.delete 1',
      'raw.execute  definition',
    ])
    expect(entries[5]?.details.before).toEqual({ id: 1, more: 'y' })
  })

  it('a table created in a transaction is captured in it, and forgotten when that is rolled back', async () => {
    const entries = await entriesOf(async () => {
      await prisma.$transaction(async (tx) => {
        await tx.$executeRaw`CREATE TABLE made_inside (id int PRIMARY KEY)`
        await tx.$executeRaw`INSERT INTO made_inside VALUES (1)`
      })
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.$executeRaw`DROP TABLE made_inside`
          await tx.$executeRaw`CREATE TABLE made_inside (name text PRIMARY KEY)`
          await tx.$executeRaw`INSERT INTO made_inside VALUES ('x')`
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
      await prisma.$executeRaw`INSERT INTO made_inside VALUES (2)`
    })
    expect(steps(entries)).toEqual([
      'raw.execute  definition',
      'made_inside.create 1',
      'made_inside.create 2',
    ])
    expect(entries[2]?.details.after).toEqual({ id: 2 })
  })

  it('a foreign key that a transaction dropped and rolled back still has its cascades recorded', async () => {
    const { id } = await prisma.post.create({ data: { title: 'post', comments: { create: { text: 'c' } } } })
    const entries = await entriesOf(async () => {
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.$executeRaw`ALTER TABLE "Comment" DROP CONSTRAINT "Comment_postId_fkey"`
          await tx.tag.create({ data: { name: 'while it is gone' } })
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
      await prisma.post.delete({ where: { id } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['post.delete', 'comment.delete'])
  })

  it('a trigger that another connection creates is taken into account', async () => {
    await db.sql(`
      CREATE TABLE triggered (id int PRIMARY KEY, name text, loud text);
      INSERT INTO triggered VALUES (1, 'x', 'X')`)
    const client = withAudit(createClient(db.url))
    await client.$executeRaw`UPDATE triggered SET name = 'y'`
    await client.$executeRaw`CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN NEW.loud := upper(NEW.name); RETURN NEW; END'`
    await client.$executeRaw`CREATE TRIGGER loud BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION loud()`
    const [entry] = await entriesOf(() => client.$executeRaw`UPDATE triggered SET name = 'z'`)
    expect(entry?.details.changed).toEqual(['name', 'loud'])
  })
})

describe('TypedSQL', () => {
  // what `prisma generate --sql` writes for a file that it checked against a database
  const rename = runtime.makeTypedQueryFactory(
    'UPDATE "Tag" SET name = $1 WHERE id = $2 RETURNING id, name',
  ) as unknown as (
    name: string,
    id: number,
  ) => runtime.TypedSql<[string, number], { id: number; name: string }>
  const clear = runtime.makeTypedQueryFactory('TRUNCATE "Reading"') as unknown as () => runtime.TypedSql<
    [],
    never
  >

  it('is captured as raw SQL is', async () => {
    const entries = await entriesOf(async () => {
      expect(await prisma.$queryRawTyped(rename('typed', 2))).toEqual([{ id: 2, name: 'typed' }])
      await prisma.$transaction((tx) => tx.$queryRawTyped(rename('typed again', 2)))
      await prisma.$queryRawTyped(clear())
    })
    expect(steps(entries)).toEqual(['tag.update 2 name', 'tag.update 2 name', 'raw.execute  truncate'])
    expect(entries.map((entry) => entry.details.operation)).toEqual([
      '$queryRawTyped',
      '$queryRawTyped',
      '$queryRawTyped',
    ])
  })
})
