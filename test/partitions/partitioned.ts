import { createDatabase, type Database } from '../support/database.ts'

/** A database whose log is a table of months. */
export async function createPartitioned(options: { template?: string } = {}): Promise<Database> {
  const db = await createDatabase(options)
  await partitionLog(db)
  return db
}

export async function partitionLog(db: Database): Promise<void> {
  await db.sql(`SELECT audit_logs_internal.partition_log('audit_logs')`)
}

/** The names of the partitions in order of time. */
export async function partitionsOf(db: Database): Promise<string[]> {
  const rows = await db.sql<{ name: string }>(
    `SELECT partition::text AS name FROM audit_logs_internal.partitions('audit_logs')`,
  )
  return rows.map(({ name }) => name)
}

/** Creates the months since so many ago, and fills each of them, `count` entries in all, spread evenly, oldest first. */
export async function fillMonths(db: Database, months: number, count: number): Promise<void> {
  await db.sql(
    `SELECT audit_logs_internal.create_partitions('audit_logs', 1, now() - $1 * interval '1 month')`,
    [months],
  )
  await db.sql(
    `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, outcome, details,
      request_id, organization_id, transaction_id)
    SELECT (lpad(to_hex(floor(extract(epoch FROM time) * 1000)::int8), 12, '0') || '7' || substr(hash, 1, 3) || '8'
        || substr(hash, 4, 15))::uuid,
      time, (ARRAY['order.update', 'user.login', 'report.export'])[1 + n % 3], 'actor-' || n % 7, 'user',
      (ARRAY['order', 'user', 'report'])[1 + n % 3], (n % 11)::text, CASE WHEN n % 5 = 0 THEN 'failure' ELSE 'success' END,
      jsonb_build_object('before', jsonb_build_object('id', n), 'after', jsonb_build_object('id', n), 'changed', '["status"]'::jsonb),
      'request-' || n / 3, CASE WHEN n % 2 = 0 THEN 'organization-' || n % 3 END, 1000000000 + n / 5
    FROM (SELECT n, md5(n::text) AS hash, since + (now() - since) * (n - 1) / ($2::int8 - 1) AS time
      FROM generate_series(1, $2::int8) AS n, LATERAL (SELECT now() - $1 * interval '1 month' AS since) AS start) AS numbered`,
    [months, count],
  )
  await db.sql('ANALYZE audit_logs')
}
