import { describe, expect, it } from 'vitest'
import { type Case, createRaw } from './raw.ts'

const { prisma, plain, version, compare } = await createRaw()

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
