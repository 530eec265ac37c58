import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { applyMigrations, createScript } from '../../scripts/schema-engine.ts'
import { watchEveryTable } from '../watch.ts'

/** The months that a log is spread over: seven years and the present month. */
export const months = 85

/** A database with an empty log and the benchmark's tables, which triggers record. */
export interface ScaleDatabase {
  readonly url: string
  /** Bytes of the log with its indexes. */
  logSize(): Promise<number>
  drop(): Promise<void>
}

export async function createScaleDatabase(
  serverUrl: string,
  kind: 'partitions' | 'one table',
): Promise<ScaleDatabase> {
  const name = kind === 'partitions' ? 'scale_partitions' : 'scale_one_table'
  const admin = new pg.Client(serverUrl)
  await admin.connect()
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.query(`CREATE DATABASE ${name}`)
  const url = new URL(`/${name}`, serverUrl).href
  const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
  await applyMigrations(url, path('../../prisma/migrations'))
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {}) // dropping the database ends its connection
  const schema = await readFile(path('../prisma/schema.prisma'), 'utf8')
  await pool.query(await createScript(url, schema))
  if (kind === 'partitions') {
    await pool.query(`SELECT audit_logs_internal.partition_log('audit_logs')`)
    await pool.query(
      `SELECT audit_logs_internal.create_partitions('audit_logs', 12, date_trunc('month', now(), 'UTC') - $1 * interval '1 month')`,
      [months - 1],
    )
  }
  await watchEveryTable(pool, schema)
  return {
    url,
    logSize: async () => {
      const { rows } = await pool.query<{
        bytes: string
      }>(`SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class
        WHERE oid = 'audit_logs'::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass)`)
      return Number(rows[0]?.bytes)
    },
    drop: async () => {
      await pool.end()
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await admin.end()
    },
  }
}
