import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmbedded } from '../scripts/postgres.ts'
import { applyMigrations, createScript } from '../scripts/schema-engine.ts'
import { watchEveryTable } from './watch.ts'

// A commit waits for its WAL, as it does wherever data matters; the tests' servers don't wait.
const settings = { fsync: 'on', shared_buffers: '256MB', max_wal_size: '4GB' }

/** The benchmark's server: the audit log and the benchmark's own tables, twice. */
export interface BenchDatabase extends Tables {
  /** The same tables in a database of their own, where triggers record them. */
  readonly watched: Tables
  readonly version: string
  /** What differs from the server's defaults, and whether a commit waits for its WAL. */
  readonly settings: string
  stop(): Promise<void>
}

interface Tables {
  readonly url: string
  /** Connections outside every measured client, for preparations. Triggers stay silent there. */
  readonly pool: pg.Pool
}

export async function startDatabase(): Promise<BenchDatabase> {
  const server = await startEmbedded('18', settings)
  const pools: pg.Pool[] = []
  const stop = async () => {
    for (const pool of pools) await pool.end()
    await server.stop()
  }
  try {
    const tables = await createTables(server.url, pools)
    await tables.pool.query('CREATE DATABASE watched')
    const watched = await createTables(new URL('/watched', server.url).href, pools)
    await watchEveryTable(watched.pool, await readSchema())
    const { rows } = await tables.pool.query<{ version: string; settings: string }>(`
      SELECT current_setting('server_version') AS version,
        string_agg(name || '=' || current_setting(name), ', ' ORDER BY name) AS settings
      FROM pg_settings
      WHERE (source = 'command line' AND name <> 'port') OR name = 'synchronous_commit'`)
    return { ...tables, watched, version: '', settings: '', ...rows[0], stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function createTables(url: string, pools: pg.Pool[]): Promise<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    options: '-c session_replication_role=replica',
  })
  pools.push(pool)
  pool.on('error', () => {}) // end() does not wait for a connection to be gone, and it hears that the server stops
  await applyMigrations(url, fileURLToPath(new URL('../prisma/migrations', import.meta.url)))
  await pool.query(await createScript(url, await readSchema()))
  return { url, pool }
}

function readSchema(): Promise<string> {
  return readFile(new URL('generated/schema.prisma', import.meta.url), 'utf8')
}

/** Gives every case the same tables to start from: 10,000 products in 10 warehouses, and nothing else. */
export async function resetTables(pool: pg.Pool): Promise<void> {
  await pool.query('TRUNCATE "Product", "Order", "OrderItem" RESTART IDENTITY; DELETE FROM "Workspace"')
  for (let warehouse = 0; warehouse < seededWarehouses; warehouse++) {
    await insertProducts(pool, seededPerWarehouse, warehouse)
  }
  await pool.query('VACUUM (ANALYZE) "Product", "Order", "OrderItem", "Workspace", audit_logs')
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

/** Inserts orders of so many items each straight into the tables; gives their ids. */
export async function insertOrders(pool: pg.Pool, count: number, items: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `WITH placed AS (
       INSERT INTO "Order" ("customer", "total", "updatedAt")
       SELECT 'Customer ' || n, 9.5 * $2::int4, now() FROM generate_series(1, $1::int4) AS n RETURNING "id"
     ), filled AS (
       INSERT INTO "OrderItem" ("orderId", "sku", "quantity", "price")
       SELECT "id", 'SKU-' || n, n % 10, 9.5 FROM placed, generate_series(1, $2::int4) AS n
     )
     SELECT "id" FROM placed`,
    [count, items],
  )
  return rows.map(({ id }) => id)
}

/** Inserts workspaces without anything in them; gives their ids. */
export async function insertWorkspaces(pool: pg.Pool, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO "Workspace" ("id", "name", "updatedAt")
     SELECT 'workspace-' || $1 || '-' || n, 'Workspace ' || n, now() FROM generate_series(1, $2::int4) AS n RETURNING "id"`,
    [String(batch++), count],
  )
  return rows.map(({ id }) => id)
}
