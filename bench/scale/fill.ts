import pg from 'pg'

/** How a log is filled: so many entries, evenly over so many months up to now. */
export interface Filling {
  readonly entries: number
  readonly months: number
  /** How many connections fill at once. */
  readonly workers: number
}

/** Entries of one transaction: the ids of transactions are the server's, as who reads on needs them. */
const batchSize = 20_000

/**
 * Fills an empty log, several months at once, without the indexes but that of the key, which are built afterwards. Every twentieth
 * is an update of order 42 by `ada`, every twentieth a login, nine out of ten of them failed; the others are of 60 resources,
 * 200 actors and 100 organizations, twenty entries a record. The records and the actor that {@link rare} names have few.
 */
export async function fillScale(url: string, { entries, months, workers }: Filling): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: workers })
  try {
    const tables = await tablesOf(pool)
    const indexes = await dropIndexes(pool)
    const starts = await monthStarts(pool, months)
    await inTurns(workers, starts, async ({ start, end }, index) => {
      const first = Math.floor((entries * index) / starts.length)
      const count = Math.floor((entries * (index + 1)) / starts.length) - first
      for (let done = 0; done < count; done += batchSize) {
        await pool.query(generate, [first, count, start, end, done, Math.min(batchSize, count - done)])
      }
      await pool.query(rare, [start, index, starts.length])
    })
    await inTurns(workers, tables, async (table) => {
      for (const definition of indexes)
        await pool.query(
          definition.replace(/ ON (ONLY )?\S+ /, ` ON ${table} `).replace(/INDEX \S+ ON/, 'INDEX ON'),
        )
      await pool.query(`VACUUM (ANALYZE, FREEZE) ${table}`)
    })
    // each takes the partitions' own, and is renamed to what it was
    if (tables.length > 1)
      for (const definition of indexes) await pool.query(definition.replace(' ON ONLY ', ' ON '))
    await pool.query('ANALYZE audit_logs')
  } finally {
    await pool.end()
  }
}

/** The log's own table, or its partitions. */
async function tablesOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    SELECT coalesce(i.inhrelid, c.oid)::regclass::text AS name
    FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhparent = c.oid WHERE c.oid = 'audit_logs'::regclass`)
  return rows.map(({ name }) => name)
}

async function dropIndexes(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
     FROM pg_index WHERE indrelid = 'audit_logs'::regclass AND NOT indisprimary`,
  )
  for (const { name } of rows) await pool.query(`DROP INDEX ${name}`)
  return rows.map(({ definition }) => definition)
}

async function monthStarts(pool: pg.Pool, months: number): Promise<{ start: string; end: string }[]> {
  const { rows } = await pool.query<{ start: string; end: string }>(
    `SELECT m::text AS start, least(m + interval '1 month', now())::text AS end
     FROM generate_series(date_trunc('month', now()) - ($1 - 1) * interval '1 month', now(), interval '1 month') AS m`,
    [months],
  )
  return rows
}

/** Works at so many items at once. */
async function inTurns<Item>(
  workers: number,
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const waiting = items.entries()
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const [index, item] of waiting) await work(item, index)
    }),
  )
}

const columns = `id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, outcome, details,
    request_id, ip, user_agent, organization_id`

/** UUIDv7, as the library makes them. */
const id = `(lpad(to_hex(floor(extract(epoch FROM time) * 1000)::int8), 12, '0') || '7' || substr(hash, 1, 3) || '8'
      || substr(hash, 4, 15))::uuid`

const changeOf = (
  record: string,
) => `jsonb_build_object('before', jsonb_build_object('id', ${record}, 'status', 'DRAFT'),
      'after', jsonb_build_object('id', ${record}, 'status', 'PAID'), 'changed', '["status"]'::jsonb)`

/** Order 42, one of a thousand users, or one of the records of the other resources. */
const recordNumber = 'CASE n % 20 WHEN 0 THEN 42 WHEN 1 THEN n * 104729 % 1000 ELSE n / 20 END'

const generate = `
  INSERT INTO audit_logs (${columns})
  SELECT ${id}, time,
    CASE n % 20 WHEN 0 THEN 'order.update' WHEN 1 THEN 'user.login' ELSE resource || '.' || verb END,
    CASE n % 20 WHEN 0 THEN 'ada' ELSE 'actor-' || n * 7919 % 200 END,
    'user',
    CASE n % 20 WHEN 0 THEN 'order' WHEN 1 THEN 'user' ELSE resource END,
    (${recordNumber})::text,
    CASE WHEN n % 20 = 1 AND n % 200 > 20 THEN 'failure' ELSE 'success' END,
    CASE WHEN n % 20 <> 1 THEN ${changeOf(recordNumber)} END,
    'request-' || n / 3, '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'organization-' || n / 7 % 100
  FROM (
    SELECT n, md5(n::text) AS hash, $3::timestamptz + (n - $1::int8) * (($4::timestamptz - $3::timestamptz) / greatest($2::int8, 1)) AS time,
      'resource' || floor(60 * power(abs(hashint8(n / 20)::int8) / 2147483648.0, 3)) AS resource,
      (ARRAY['create', 'update', 'update', 'update', 'delete', 'read', 'export'])[1 + n % 7] AS verb
    FROM generate_series($1::int8 + $5::int8, $1::int8 + $5::int8 + $6::int8 - 1) AS n
  ) AS numbered`

/**
 * Order 7 has an entry each month, order 8 one each tenth month, order 9 five in the second year and order 10 five in the
 * newest month; `gone` did 30 things in the second year.
 */
const rare = `
  INSERT INTO audit_logs (${columns})
  SELECT ${id}, time, 'order.update', actor, 'user', 'order', record, 'success', ${changeOf('record::int4')}, 'rare-request-' || $2::int4,
    NULL, NULL, NULL
  FROM (
    SELECT n, md5(record || actor || n || ' ' || $2::int4) AS hash, $1::timestamptz + n * interval '1 minute' AS time, record, actor
    FROM (VALUES ('7', 'rare', 1, true), ('8', 'rare', 1, $2::int4 % 10 = 3), ('9', 'rare', 5, $2::int4 = 15),
      ('10', 'rare', 5, $2::int4 = $3::int4 - 1), ('12', 'gone', 30, $2::int4 = 15)) AS r (record, actor, count, here),
      generate_series(1, count) AS n
    WHERE here
  ) AS few`
