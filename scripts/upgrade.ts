// Upgrades a log of version 0.1 with a million entries, and prints how long each statement takes and which locks it leaves
// on tables until the migration commits: node --import tsx scripts/upgrade.ts [entries]
import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { fillLog } from './fill-log.ts'
import { startEmbedded } from './postgres.ts'

const entries = Number(process.argv[2] ?? 1_000_000)
const [first = '', ...further] = readdirSync('prisma/migrations')
  .filter((name) => /^\d/.test(name))
  .sort()
const read = (name: string) => readFileSync(`prisma/migrations/${name}/migration.sql`, 'utf8')

// as durable as a server in production
const server = await startEmbedded('18', { fsync: 'on' })
const pool = new pg.Pool({ connectionString: server.url, max: 2 })
try {
  const { rows } = await pool.query<{ version: string }>(
    `SELECT current_setting('server_version') AS version`,
  )
  await pool.query(read(first))
  await fillLog(pool, entries)
  await pool.query(`CREATE TABLE "Order" (id int8 PRIMARY KEY, status text);
    INSERT INTO "Order" SELECT n, 'OPEN' FROM generate_series(1, ${entries}) AS n`)
  print(
    `PostgreSQL ${rows[0]?.version}, ${entries.toLocaleString('en')} entries in ${await sizeOf('audit_logs')}\n`,
  )
  for (const name of further) await apply(name, statementsOf(read(name)))
  print(`The first triggers, on "Order" with ${entries.toLocaleString('en')} rows:\n`)
  await apply('audit_triggers', [`SELECT "audit_logs_watch"('"public"."Order"', 'order')`])
} finally {
  await pool.end()
  await server.stop()
}

/** One transaction, as `prisma migrate deploy` applies a migration. */
async function apply(name: string, statements: string[]): Promise<void> {
  const client = await pool.connect()
  const taken = new Map<string, number>()
  const begin = performance.now()
  const slowest: [ms: number, text: string][] = []
  await client.query('BEGIN')
  for (const text of statements) {
    const start = performance.now()
    await client.query(text)
    slowest.push([performance.now() - start, text.replace(/^(--.*\n|\s)+/g, '').split('\n')[0] as string])
    for (const lock of await locks(client)) if (!taken.has(lock)) taken.set(lock, start)
  }
  const committing = performance.now()
  await client.query('COMMIT')
  const end = performance.now()
  client.release()

  print(
    `${name}: ${statements.length} statement${statements.length === 1 ? '' : 's'}, ${ms(end - begin)}, of which the commit ${ms(end - committing)}`,
  )
  for (const [time, text] of slowest.sort(([a], [b]) => b - a).slice(0, 3)) print(`  ${ms(time)}  ${text}`)
  print(taken.size === 0 ? '  no lock on a table or an index' : '  locks, held to the end:')
  for (const [lock, since] of taken) print(`  ${ms(end - since)}  ${lock}`)
  print('')
}

/** What the transaction holds on relations that others know, without the system's catalog. */
async function locks(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ lock: string }>(`
    SELECT l.mode || ' on ' || c.oid::regclass AS lock
    FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relnamespace = 'public'::regnamespace
    ORDER BY 1`)
  return rows.map(({ lock }) => lock)
}

/** The shipped migrations have no semicolon but at the end of a statement. */
function statementsOf(migration: string): string[] {
  return migration.split(';').filter((text) => text.trim() !== '')
}

async function sizeOf(table: string): Promise<string | undefined> {
  const size = `SELECT pg_size_pretty(pg_total_relation_size('${table}')) AS size`
  return (await pool.query<{ size: string }>(size)).rows[0]?.size
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`.padStart(9)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
