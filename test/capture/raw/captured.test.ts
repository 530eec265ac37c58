import { describe, expect, it } from 'vitest'
import { type Case, createRaw } from './raw.ts'

const { db, prisma, compare } = await createRaw()

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

describe('a queue', () => {
  it('whose workers skip locked rows hands each job out once', async () => {
    await db.sql(`
      CREATE TABLE job (id serial PRIMARY KEY, state text DEFAULT 'new');
      CREATE TABLE job_log (job int REFERENCES job ON DELETE CASCADE);
      INSERT INTO job SELECT FROM generate_series(1, 60);
      INSERT INTO job_log SELECT id FROM job`)
    const taken: number[] = []
    const entries = await db.changesOf(() =>
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
