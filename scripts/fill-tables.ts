import type pg from 'pg'
import { quoteIdentifier } from '../src/postgres/identifiers.ts'

/**
 * Runs an `INSERT` of very many rows ($1 of them) without the tables' indexes but those of their keys, then builds
 * them: that takes a fraction of the time.
 */
export async function fillTables(
  pool: pg.Pool,
  tables: readonly string[],
  insert: string,
  count: number,
): Promise<void> {
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
     FROM pg_index JOIN pg_class AS c ON c.oid = indrelid WHERE c.relname = ANY($1) AND NOT indisprimary`,
    [tables],
  )
  for (const { name } of indexes) await pool.query(`DROP INDEX ${name}`)
  await pool.query(insert, [count])
  for (const { definition } of indexes) await pool.query(definition)
  await pool.query(`VACUUM (ANALYZE) ${tables.map(quoteIdentifier).join(', ')}`)
}
