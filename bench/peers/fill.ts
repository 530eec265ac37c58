import type pg from 'pg'
import { quoteIdentifier } from '../../src/sql.ts'

/**
 * Runs an `INSERT` of very many rows ($1 of them) without the table's other indexes and without triggers, then builds
 * the indexes: that takes a fraction of the time.
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

/** A product as jsonb, for the state of an entry with number `n`. */
export const productState = `jsonb_build_object('id', 'seed-' || n % 10000, 'sku', 'SKU-' || n, 'name', 'Product ' || n,
  'description', 'What people say about product ' || n || ' when they have used it for a while', 'price', n / 100.0,
  'stock', n % 100, 'status', 'ACTIVE', 'featured', n % 2 = 0, 'attributes', '{"color": "green", "tags": ["new"]}'::jsonb,
  'warehouseId', n % 10, 'createdAt', now(), 'updatedAt', now())`
