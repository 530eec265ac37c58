import { describe } from 'vitest'
import { at } from '../../support/users.ts'
import { createTwins } from './twins.ts'

const { same, version } = await createTwins()

describe('raw queries give the same rows, columns and types', () => {
  const raw = (name: string, sql: string, ...values: unknown[]) =>
    same(`${name}: ${sql.replace(/\s+/g, ' ').slice(0, 120)}`, (db) => db.$queryRawUnsafe(sql, ...values))

  raw(
    'select',
    `SELECT 1 AS a, 2::bigint AS b, 1.5 AS c, now() IS NOT NULL AS d, ARRAY[1,2] AS e, '{"a":1}'::jsonb AS f`,
  )
  raw('insert', `INSERT INTO "Tag" (name) VALUES ('x')`)
  raw('star', `INSERT INTO "Tag" (name) VALUES ('x'), ('y') RETURNING *`)
  raw('star', `UPDATE "Tag" SET name = name || '!' RETURNING *`)
  raw('star', `DELETE FROM "Tag" RETURNING *`)
  raw('star of the table', `UPDATE "Tag" SET name = name || '!' RETURNING "Tag".*`)
  raw('star of the alias', `UPDATE "Tag" AS t SET name = t.name || '!' RETURNING t.*, t.id AS again`)
  raw('star and more', `INSERT INTO "Tag" (name) VALUES ('x') RETURNING *, id + 1 AS next, name`)
  raw('star with a trigger', `UPDATE guarded SET note = 'x' RETURNING *`)
  raw(
    'enum, bytes, json',
    `INSERT INTO "Everything" (id, level, bytes, jsonb, "decimal", date, "real", levels, bigint, "money", timetz, "char")
    VALUES (1, 'high level', '\\x00ff', '{"a":1.10}', 1.5, '2026-01-02', 0.1, '{low}', 5, 1.5, '03:04+02', 'c') RETURNING *`,
  )
  raw('key without returning', `DELETE FROM "Tag" WHERE id = $1`, 1)
  raw(
    'parameters',
    `UPDATE "Tag" SET name = $1 WHERE id = $2 RETURNING id, $1::text AS given, $3::int`,
    'x',
    1,
    5,
  )
  raw(
    'a parameter used twice',
    `INSERT INTO "Tag" (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1 || '!' RETURNING *`,
    'a',
  )
  raw('a list parameter', `DELETE FROM "Tag" WHERE id = ANY ($1) RETURNING id`, [1, 3])
  raw('a json parameter', `INSERT INTO "Everything" (id, jsonb) VALUES (1, $1) RETURNING jsonb`, { a: [1] })
  raw(
    'a date parameter',
    `INSERT INTO "Everything" (id, timestamptz) VALUES (1, $1) RETURNING timestamptz`,
    at,
  )
  raw('a null parameter', `UPDATE users SET name = $1 WHERE id = 1 RETURNING name`, null)

  describe('columns without a name get the one that PostgreSQL gives', () => {
    const expressions = [
      ...[
        'id + 1',
        'upper(name)',
        `'x'`,
        '1',
        'NULL',
        'id::text',
        'id::bigint',
        'CAST(id AS numeric(5,2))',
        'NOT true',
      ],
      ...[
        'name IS NULL',
        'id BETWEEN 1 AND 2',
        'id IN (1, 2)',
        `name LIKE 'a%'`,
        'coalesce(name, $$x$$)',
        '-id',
        'true',
      ],
      ...['CASE WHEN id > 1 THEN 1 ELSE 2 END', 'CASE WHEN id > 1 THEN name ELSE name END', 'nullif(id, 1)'],
      ...[
        'greatest(id, 2)',
        'least(id, 2)',
        'ARRAY[id, 2]',
        '(ARRAY[id, 2])[1]',
        'ROW(id, 2)::text',
        `date '2026-01-02'`,
      ],
      ...['current_user', 'extract(year FROM date $$2026-01-02$$)', `substring(name FROM 1 FOR 1)`],
      ...[
        `position('a' IN name)`,
        `trim(name)`,
        `overlay(name PLACING 'x' FROM 1)`,
        'EXISTS (SELECT 1)',
        '(SELECT 1)',
      ],
      ...[
        '(SELECT 2 AS two)',
        '(SELECT max(id) FROM "Comment")',
        'ARRAY(SELECT 1)',
        'name COLLATE "C"',
        `'{"a":1}'::jsonb -> 'a'`,
      ],
      ...[
        `('{"a":1}'::jsonb)['a']`,
        `jsonb_build_object('a', id)`,
        '1 = ANY (ARRAY[1])',
        'id IS DISTINCT FROM 1',
        `interval '1 day' > interval '1 hour'`,
      ],
      ...[
        '"Tag".name',
        '("Tag").name',
        'public."Tag".id',
        'id AS "we""ird"',
        'id AS "$1"',
        `id "Ünï"`,
        'xmlelement(name foo)::text',
      ],
      ...[
        'tableoid::regclass::text',
        'current_date IS NOT NULL',
        'localtimestamp IS NOT NULL',
        'session_user',
        'char_length(name)',
      ],
      ...[
        `'a' || name`,
        '+id',
        'id IS NOT NULL',
        '(id, name) = (1, $$a$$)',
        `name SIMILAR TO 'a'`,
        'name::varchar(3)',
      ],
      ...[
        'user',
        `name::"char"::text`,
        'id::float8',
        'true IS TRUE',
        `'x'::text IS NORMALIZED`,
        'count(*) FILTER (WHERE true) OVER ()',
      ],
    ]
    for (const expression of expressions) {
      const isError = expression.includes('OVER')
      const sql = `UPDATE "Tag" SET name = upper(name) WHERE id = 1 RETURNING ${expression}`
      same(expression, (db) => db.$queryRawUnsafe(sql), isError ? 'P2010' : undefined)
    }
    raw(
      'all of them at once',
      `INSERT INTO "Tag" (name) VALUES ('x') RETURNING ${expressions.filter((one) => !one.includes('OVER')).join(', ')}`,
    )
  })

  raw('a whole row', `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING "Tag"`)
  raw(
    'a whole row by an alias',
    `UPDATE "Tag" AS t SET name = 'x' WHERE id = 1 RETURNING t, t AS "again", (t).name`,
  )
  raw(
    'system columns',
    `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING tableoid::regclass::text, xmax::text <> '', ctid::text <> ''`,
  )
  raw(
    'several columns of one name',
    `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING id, id, name AS id, name, upper(name), upper('a')`,
  )
  raw('several columns of one name', `INSERT INTO "Tag" (name) VALUES ('x') RETURNING *, *`)
  raw(
    'upsert, which of the two',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('z') ON CONFLICT (name) DO UPDATE SET name = excluded.name || '!'
    RETURNING id, name, (xmax = 0) AS inserted`,
  )
  raw(
    'upsert by constraint',
    `INSERT INTO "Country" VALUES ('CH', 'x', 1) ON CONFLICT ON CONSTRAINT "Country_pkey" DO UPDATE SET name = excluded.name RETURNING *`,
  )
  raw(
    'upsert with a condition',
    `INSERT INTO "Country" VALUES ('CH', 'x', 1) ON CONFLICT (code) DO UPDATE SET name = 'y' WHERE "Country".name = 'other' RETURNING *`,
  )
  raw(
    'upsert of nothing',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('q') ON CONFLICT DO NOTHING RETURNING name`,
  )
  raw(
    'upsert from a query',
    `INSERT INTO "Tag" (name) SELECT name FROM "Tag" ON CONFLICT (name) DO UPDATE SET name = excluded.name || '?' RETURNING id, name`,
  )
  raw(
    'upsert with an alias',
    `INSERT INTO "Tag" AS t (name) VALUES ('a') ON CONFLICT (name) DO UPDATE SET name = t.name || excluded.name RETURNING t.id, t.name`,
  )
  raw(
    'insert from a query',
    `INSERT INTO "Tag" (name) SELECT email FROM users ORDER BY id RETURNING id, name`,
  )
  raw('insert of defaults', `INSERT INTO "Stamped" DEFAULT VALUES RETURNING *`)
  raw(
    'insert with OVERRIDING',
    `INSERT INTO "Tag" (id, name) OVERRIDING USER VALUE VALUES (70, 'x') RETURNING *`,
  )
  raw(
    'with',
    `WITH x AS (SELECT 1 AS id) UPDATE "Tag" AS t SET name = 'x' FROM x WHERE t.id = x.id RETURNING t.id, x.id AS other`,
  )
  raw(
    'with recursive',
    `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3) INSERT INTO "Tag" (name) SELECT 'n' || n FROM n RETURNING name`,
  )
  raw(
    'with, called like a keyword',
    `WITH update AS (SELECT 1 AS id) UPDATE "Tag" AS t SET name = 'x' FROM update WHERE t.id = update.id RETURNING t.id`,
  )
  raw(
    'with, called like a keyword',
    `WITH delete AS (SELECT 1 AS id) DELETE FROM "Tag" AS t USING delete WHERE t.id = delete.id RETURNING t.id`,
  )
  raw(
    'with, called like a keyword',
    `WITH insert AS (SELECT 'q' AS name) INSERT INTO "Tag" (name) SELECT name FROM insert RETURNING name`,
  )
  raw(
    'update from another table',
    `UPDATE "Post" AS p SET title = u.email FROM users AS u WHERE u.id = p."authorId" RETURNING p.id, u.name, p.title`,
  )
  raw(
    'update from another table, all of both',
    `UPDATE "Post" AS p SET title = u.email FROM users AS u WHERE u.id = p."authorId" AND p.id = 'p1' RETURNING *`,
  )
  raw(
    'update from another table, all of the other',
    `UPDATE "Post" AS p SET title = 'x' FROM users AS u WHERE u.id = p."authorId" AND p.id = 'p1' RETURNING u.*`,
  )
  raw('update of several columns', `UPDATE "Post" SET (title, views) = ('x', 3) WHERE id = 'p1' RETURNING *`)
  raw(
    'update from a subquery',
    `UPDATE "Post" SET (title, views) = (SELECT email, 7 FROM users WHERE id = 1) WHERE id = 'p1' RETURNING *`,
  )
  raw(
    'update of an element',
    `INSERT INTO "Everything" (id, integers) VALUES (1, '{1,2,3}') RETURNING integers[2:3]`,
  )
  raw('update of the key', `UPDATE "Warehouse" SET code = 'BE' RETURNING code`)
  raw('update with a trigger', `UPDATE "Stamped" SET counter = counter + 1 RETURNING id, counter`)
  raw('update that a trigger skips', `UPDATE guarded SET note = 'skip' RETURNING *`)
  raw(
    'delete using another table',
    `DELETE FROM "Comment" AS c USING users AS u WHERE u.id = c."userId" RETURNING c.id, u.email`,
  )
  raw(
    'delete using another table, all of both',
    `DELETE FROM "Comment" AS c USING users AS u WHERE u.id = c."userId" RETURNING *`,
  )
  raw('delete that cascades', `DELETE FROM users WHERE id = 1 RETURNING id, (SELECT count(*) FROM "Comment")`)
  raw('only', `UPDATE ONLY "Tag" SET name = name || '!' RETURNING id`)
  raw('star after the table', `DELETE FROM "Tag" * WHERE id = 1 RETURNING id`)
  raw(
    'partitions',
    `INSERT INTO parted VALUES (1, 'a'), (101, 'b') RETURNING id, name, tableoid::regclass::text`,
  )
  raw('a semicolon at the end', `DELETE FROM "Tag" WHERE id = 1 RETURNING id;`)
  raw(
    'comments',
    `/* a */ DELETE /* RETURNING */ FROM "Tag" -- RETURNING name
    WHERE id = 1 /* b */ RETURNING id -- c`,
  )
  raw(
    'words in strings',
    `UPDATE "Tag" SET name = 'FROM x WHERE RETURNING' WHERE name <> 'SET ''a'' WHERE' AND id = 1 RETURNING name`,
  )
  raw('dollar quotes', `UPDATE "Tag" SET name = $a$ RETURNING 'x' $a$ WHERE id = 1 RETURNING name`)
  raw(
    'characters of several bytes',
    `UPDATE "Tag" SET name = 'é🙂' /* 🙂 */ WHERE id = 1 AND name <> '🙂' RETURNING name, 'ü' AS "ö"`,
  )
  raw('lower case and no spaces', `update"Tag"set name='x'where id=1 returning id,name`)
  raw('without a schema and with', `UPDATE public."Tag" SET name = 'x' WHERE "Tag".id = 1 RETURNING "Tag".id`)
  raw(
    'is distinct from',
    `UPDATE "Tag" SET name = 'x' WHERE name IS DISTINCT FROM 'b' AND id = 1 RETURNING id`,
  )
  raw(
    'a subquery with the same words',
    `DELETE FROM "Tag" WHERE id IN (SELECT t.id FROM "Tag" AS t WHERE t.name = 'a' FOR UPDATE) RETURNING id`,
  )
  raw(
    'aliases that are keywords',
    `UPDATE "Tag" AS old SET name = 'x' WHERE old.id = 1 RETURNING old.id, old.name`,
  )
  raw(
    'aliases that are keywords',
    `UPDATE "Tag" AS new SET name = 'x' FROM users AS old WHERE old.id = new.id AND new.id = 1 RETURNING new.id, old.email`,
  )
  raw('through a view', `UPDATE tags SET name = 'x' WHERE id = 1 RETURNING *`)
  raw('a function that writes', `SELECT add_tag('new')`)
  raw('a writing with clause', `WITH x AS (DELETE FROM "Tag" WHERE id = 3 RETURNING name) SELECT * FROM x`)
  raw(
    'a writing with clause',
    `WITH x AS (DELETE FROM "Comment" RETURNING id) INSERT INTO "Tag" (name) SELECT 'c' || id FROM x WHERE id = 1 RETURNING name`,
  )
  raw('explain', `EXPLAIN (COSTS OFF) DELETE FROM "Tag"`)
  raw('a table of its own', `CREATE TABLE made AS SELECT 1 AS a`)
  raw('and away', `DROP TABLE IF EXISTS made`)
  raw('values', `VALUES (1, 'a')`)
  raw('show', `SHOW standard_conforming_strings`)
  raw('a comment alone', `-- nothing`)
  if (version >= 15) {
    raw(
      'merge',
      `MERGE INTO "Tag" AS t USING (VALUES ('a')) AS v(name) ON v.name = t.name WHEN MATCHED THEN UPDATE SET name = 'm'`,
    )
  }
  if (version >= 18) {
    raw(
      'old and new',
      `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING old.name AS was, new.name AS is, id`,
    )
    raw('old and new', `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING old.*, new.*`)
    raw(
      'old and new, renamed',
      `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING WITH (OLD AS o, NEW AS n) o.name, n.name AS now, o.id + n.id`,
    )
    raw('old, renamed', `DELETE FROM "Tag" WHERE id = 1 RETURNING WITH (OLD AS n) n.*`)
    raw(
      'new of an insert, renamed',
      `INSERT INTO "Tag" (name) VALUES ('q') RETURNING WITH (NEW AS n) n.*, n.name AS again`,
    )
    raw(
      'old and new of an upsert',
      `INSERT INTO "Tag" (name) VALUES ('a'), ('z') ON CONFLICT (name) DO UPDATE SET name = 'A' RETURNING old.name AS was, new.name AS is`,
    )
    raw(
      'old and new with a trigger',
      `INSERT INTO "Stamped" VALUES (1, 1) RETURNING old.id AS was, new.id AS is`,
    )
    raw('old beside a trigger', `UPDATE guarded SET note = 'x' RETURNING old.note AS was, new.note AS is`)
  }
})
