import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { createScript } from '../../scripts/schema-engine.ts'
import type { PrismaClient } from '../generated/peers/client/client.ts'
import type { Contender } from './contender.ts'
import { schemaFolder } from './models.ts'

/** A contender at work: with a database of its own and a client on it. */
export interface Entrant {
  readonly contender: Contender
  readonly client: PrismaClient
  /** Connections outside the client, for preparations and for reading the log. */
  readonly pool: pg.Pool
  leave(): Promise<void>
  /** Leaves without its client, for one that waits for itself and would never disconnect. */
  abandon(): Promise<void>
}

export interface EntrantOptions {
  /** What the client's own pool is made with. */
  readonly pool?: pg.PoolConfig
  /** The network between: another port for the same server. */
  readonly port?: string
  /** Runs before the client connects, when the tables and the log are there. */
  readonly prepare?: (pool: pg.Pool, contender: Contender) => Promise<void>
}

let databases = 0

/** Makes a contender's database with the application's tables and the log. */
export async function enter(
  serverUrl: string,
  contender: Contender,
  { pool: config, port, prepare }: EntrantOptions = {},
): Promise<Entrant> {
  const name = `peers_${++databases}`
  await onServer(serverUrl, `CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: url.href, max: 1 })
  pool.on('error', () => {}) // dropping the database ends idle connections
  const files = await Promise.all(
    contender.log.schemas.map((file) => readFile(`${schemaFolder}${file}`, 'utf8')),
  )
  await pool.query(await createScript(url.href, files.join('\n')))
  await contender.log.install({ url: url.href, pool })
  await prepare?.(pool, contender)
  if (port) url.port = port
  const client = contender.connect({ connectionString: url.href, ...config })
  const abandon = async () => {
    await pool.end()
    await onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
  }
  const leave = async () => {
    await client.$disconnect()
    await abandon()
  }
  return { contender, client, pool, leave, abandon }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sql)
  await client.end()
}

export const seededWarehouses = 10
const seededPerWarehouse = 1_000
export const seededProducts = seededWarehouses * seededPerWarehouse

let batch = 0

/** Fills a database with 10,000 products in 10 warehouses, and no entry for them in any log. */
export async function seedProducts(pool: pg.Pool): Promise<void> {
  await pool.query(`BEGIN; SET LOCAL session_replication_role = replica;
    INSERT INTO "Product" (id, sku, name, description, price, stock, attributes, "warehouseId", "updatedAt")
    SELECT 'seed-' || n, 'SEED-' || n, 'Product ' || n, 'A product of the seed, number ' || n, n / 100.0, n % 100,
      jsonb_build_object('color', 'blue', 'weight', n), n % ${seededWarehouses}, now()
    FROM generate_series(0, ${seededProducts - 1}) AS n; COMMIT;`)
  await pool.query('VACUUM (ANALYZE) "Product"')
}

/** Puts products straight into the table, for calls that delete them; gives their ids. */
export async function insertProducts(pool: pg.Pool, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO "Product" (id, sku, name, price, attributes, "warehouseId", "updatedAt")
     SELECT 'gone-' || $1 || '-' || n, 'GONE-' || $1 || '-' || n, 'Product ' || n, n / 100.0, '{"color": "blue"}', -1, now()
     FROM generate_series(1, $2::int4) AS n RETURNING id`,
    [String(batch++), count],
  )
  return rows.map(({ id }) => id)
}

/** The same of orders with so many items each. */
export async function insertOrders(pool: pg.Pool, count: number, items: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `WITH placed AS (
       INSERT INTO "Order" (id, customer, total, "updatedAt")
       SELECT 'gone-' || $1 || '-' || n, 'Customer ' || n, 9.5 * $3::int4, now() FROM generate_series(1, $2::int4) AS n RETURNING id
     ), filled AS (
       INSERT INTO "OrderItem" (id, "orderId", sku, quantity, price)
       SELECT placed.id || '-' || n, placed.id, 'SKU-' || n, n % 10, 9.5 FROM placed, generate_series(1, $3::int4) AS n
     )
     SELECT id FROM placed`,
    [String(batch++), count, items],
  )
  return rows.map(({ id }) => id)
}
