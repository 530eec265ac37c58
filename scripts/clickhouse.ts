// Has ClickHouse's engine, which npm's `chdb` runs in this process, read an archive by the statements that
// `archive --ddl clickhouse` prints, and compares what it reads with the log: npm run test:clickhouse
import { deepStrictEqual } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import pg from 'pg'
import { columnNames } from '../src/log/columns.ts'
import { archiveDdl } from '../src/parquet/ddl.ts'
import { hasMoto, startMoto } from './moto.ts'
import { startEmbedded } from './postgres.ts'
import { applyMigrations } from './schema-engine.ts'

const version = '3.4.0'

/** A year with the ends of its months, and with text that has to be quoted somewhere on its way. */
const fill = `
  INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, reason, details, ip)
  SELECT gen_random_uuid(), time, 'order.update', 'ada', 'user', 'order', (40 + n % 5)::text,
    CASE n % 3 WHEN 0 THEN E'größer\\t"as" \\'agreed\\'\\n\\\\ 🦉' END,
    CASE WHEN n % 7 > 0 THEN jsonb_build_object('after', jsonb_build_object('n', n, 'total', 12.50, 'note', E'Ä\\n"',
      'large', 9007199254740993)) END,
    CASE n % 2 WHEN 0 THEN '203.0.113.7'::inet END
  FROM (
    SELECT n, '2024-01-01T00:00:00Z'::timestamptz + n * interval '17:29:43.000007' AS time FROM generate_series(0, 500) AS n
    UNION ALL
    SELECT n, ('2024-01-01T00:00:00Z'::timestamptz AT TIME ZONE 'UTC' + n * interval '1 month') AT TIME ZONE 'UTC' - interval '0.000001 seconds'
    FROM generate_series(1, 12) AS n
  ) AS entries`

const time = `to_char(audit_logs."timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`

const folder = mkdtempSync(join(tmpdir(), "clickhouse's-"))
const server = await startEmbedded('18')
const pool = new pg.Pool({ connectionString: server.url, max: 1 })
pool.on('error', () => {}) // the server ends before it
try {
  await applyMigrations(server.url, 'prisma/migrations')
  const config = join(folder, 'application')
  mkdirSync(config)
  writeFileSync(
    join(config, 'audit.config.mjs'),
    `import { archiveFolder } from ${JSON.stringify(pathToFileURL(resolve('dist/parquet/archive-folder.js')).href)}
export default { retention: { default: 'forever', archive: archiveFolder({ directory: ${JSON.stringify(join(folder, 'archive'))} }) } }
`,
  )
  await pool.query(`SELECT audit_logs_internal.partition_log('audit_logs')`)
  await pool.query(`SELECT audit_logs_internal.create_partitions('audit_logs', 1, '2024-01-01')`)
  await pool.query(fill)
  commandLine(config, 'maintain')
  const { Session } = installed()
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }) // read when it starts
  const session = new Session()
  const statements = commandLine(config, 'archive', '--ddl', 'clickhouse')
  print(statements)
  await compare(session, statements)
  if (hasMoto()) await compareBucket(session)
  else print('The bucket is left out: moto_server is not installed (pip install "moto[server]").\n')
  session.close()
} finally {
  await pool.end()
  await server.stop()
  rmSync(folder, { recursive: true })
}

/** The command line of the package, in the folder of an application. */
function commandLine(cwd: string, ...args: string[]): string {
  const env = { ...process.env, DATABASE_URL: server.url }
  const command = [resolve('dist/cli/main.js'), ...args]
  return execFileSync(process.execPath, command, { cwd, env, encoding: 'utf8', stdio: 'pipe' })
}

/** Compares what ClickHouse reads with what PostgreSQL has. */
async function compare(session: Session, statements: string): Promise<void> {
  const [ddl = '', question = ''] = statements.split(/;\n/)
  session.query('DROP VIEW IF EXISTS audit_logs')
  session.query(ddl)
  const same = async (what: string, asked: string, sql: string) => {
    const quoted = `${asked} SETTINGS output_format_json_quote_64bit_integers = 1`
    const lines = session.query(quoted, 'JSONEachRow').split('\n')
    const found = lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line))
    const { rows } = await pool.query<Record<string, unknown>>(sql)
    if (rows.length === 0) throw new Error(`Nothing to compare: ${what}`)
    deepStrictEqual(found, rows, what)
    print(`✔ ${what}: ${rows.length} rows\n`)
  }
  const columns = columnNames.map((name) =>
    name === 'timestamp' ? `${time} AS "timestamp"` : name === 'details' ? 'details::text' : `"${name}"`,
  )
  await same(
    'every entry',
    `SELECT "${columnNames.join('", "')}", month FROM audit_logs ORDER BY seq`,
    `SELECT ${columns.join(', ')}, left(${time}, 7) AS month FROM audit_logs ORDER BY seq`,
  )
  await same(
    'how many a month has',
    'SELECT month, count() AS n FROM audit_logs GROUP BY month ORDER BY month',
    `SELECT left(${time}, 7) AS month, count(*)::text AS n FROM audit_logs GROUP BY 1 ORDER BY 1`,
  )
  await same(
    'the example: what happened to the order 42',
    question,
    `SELECT ${time} AS "timestamp", actor_id, action, details::text FROM audit_logs
     WHERE resource_type = 'order' AND resource_id = '42' ORDER BY audit_logs."timestamp", seq`,
  )
}

/** The same from a bucket, by the address that another store than Amazon's has. */
async function compareBucket(session: Session): Promise<void> {
  const moto = await startMoto()
  try {
    const client = new S3Client(moto.config)
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }))
    const files = readdirSync(join(folder, 'archive'), { recursive: true, encoding: 'utf8' })
    for (const file of files.filter((path) => path.endsWith('.parquet'))) {
      const Body = readFileSync(join(folder, 'archive', file))
      await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: `archive/${file}`, Body }))
    }
    const statements = archiveDdl('clickhouse', 's3://bucket/archive/', 'public.audit_logs')
    print('From a bucket:\n')
    await compare(session, statements.replace("FROM s3('s3://", `FROM s3('${moto.config.endpoint}/`))
  } finally {
    await moto.stop()
  }
}

/** Of chdb, as far as it is used here. */
interface Session {
  query(sql: string, format?: string): string
  close(): void
}

function installed(): { readonly Session: new () => Session } {
  print(`Installing chdb ${version}, about 550 MB …\n`)
  const install = ['install', '--prefix', folder, '--silent', '--no-audit', '--no-fund', `chdb@${version}`]
  execFileSync('npm', install, { stdio: 'inherit' })
  return createRequire(join(folder, 'package.json'))('chdb')
}

function print(text: string): void {
  process.stdout.write(text)
}
