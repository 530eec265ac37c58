import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmbedded } from '../scripts/postgres.ts'
import { applyMigrations, createScript } from '../scripts/schema-engine.ts'

// A commit waits for its WAL, as it does wherever data matters; the tests' servers don't wait.
const settings = { fsync: 'on', shared_buffers: '256MB', max_wal_size: '4GB' }

/** The benchmark's server, with the audit log and the benchmark's own tables. */
export interface BenchDatabase {
  readonly url: string
  /** Connections outside every measured client, for preparations. */
  readonly pool: pg.Pool
  readonly version: string
  /** What differs from the server's defaults, and whether a commit waits for its WAL. */
  readonly settings: string
  stop(): Promise<void>
}

export async function startDatabase(): Promise<BenchDatabase> {
  const server = await startEmbedded('18', settings)
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  pool.on('error', () => {}) // end() does not wait for a connection to be gone, and it hears that the server stops
  const stop = async () => {
    await pool.end()
    await server.stop()
  }
  try {
    const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
    await applyMigrations(server.url, path('../prisma/migrations'))
    const schema = await readFile(path('prisma/schema.prisma'), 'utf8')
    await pool.query(await createScript(server.url, schema))
    const { rows } = await pool.query<{ version: string; settings: string }>(`
      SELECT current_setting('server_version') AS version,
        string_agg(name || '=' || current_setting(name), ', ' ORDER BY name) AS settings
      FROM pg_settings
      WHERE (source = 'command line' AND name <> 'port') OR name = 'synchronous_commit'`)
    return { url: server.url, pool, version: '', settings: '', ...rows[0], stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Gives every case the same tables to start from: 10,000 products in 10 warehouses, and no orders. */
export async function resetTables(pool: pg.Pool): Promise<void> {
  await pool.query('TRUNCATE "Product", "Order", "OrderItem" RESTART IDENTITY')
  for (let warehouse = 0; warehouse < seededWarehouses; warehouse++) {
    await insertProducts(pool, seededPerWarehouse, warehouse)
  }
  await pool.query('VACUUM (ANALYZE) "Product", "Order", "OrderItem", audit_logs')
}

export const seededWarehouses = 10
export const seededPerWarehouse = 1_000

let batch = 0

/** Inserts products straight into the table; gives their ids. */
export async function insertProducts(pool: pg.Pool, count: number, warehouseId: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO "Product" ("sku", "name", "description", "price", "stock", "attributes", "warehouseId", "updatedAt")
     SELECT 'SEED-' || $1 || '-' || n, 'Product ' || n, 'A product of the seed, number ' || n, n / 100.0, n % 100,
       jsonb_build_object('color', 'blue', 'weight', n), $2, now()
     FROM generate_series(1, $3::int4) AS n RETURNING "id"`,
    [String(batch++), warehouseId, count],
  )
  return rows.map(({ id }) => id)
}
