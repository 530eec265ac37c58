import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pRetry from 'p-retry'
import pg from 'pg'
import { freePort } from '../../scripts/free-port.ts'

/** Whether PgBouncer is installed (Debian: `apt-get install pgbouncer`). */
export const hasBouncer = spawnSync('pgbouncer', ['--version']).status === 0

/** PgBouncer in transaction mode in front of a database, with few server connections. */
export async function startBouncer(
  url: string,
  size: number,
): Promise<{ url: string; stop(): Promise<void> }> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const directory = mkdtempSync(join(tmpdir(), 'audit-bouncer-'))
  const own = await freePort()
  const file = join(directory, 'pgbouncer.ini')
  const database = pathname.slice(1)
  writeFileSync(
    file,
    `[databases]
${database} = host=${hostname} port=${port} dbname=${database} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${size}
ignore_startup_parameters = extra_float_digits
`,
    { mode: 0o644 },
  )
  spawnSync('chmod', ['755', directory])
  const isRoot = process.getuid?.() === 0 // which PgBouncer refuses to run as
  const bouncer: ChildProcess = spawn('pgbouncer', [file], {
    stdio: 'ignore',
    ...(isRoot && { uid: 65_534 }),
  })
  const through = new URL(url)
  Object.assign(through, { hostname: '127.0.0.1', port: String(own) })
  await pRetry(
    async () => {
      const client = new pg.Client(through.toString())
      await client.connect()
      await client.end()
    },
    { retries: 50, minTimeout: 100, factor: 1 },
  )
  return {
    url: through.toString(),
    stop: async () => {
      const gone = once(bouncer, 'exit')
      bouncer.kill('SIGKILL')
      await gone
      rmSync(directory, { recursive: true })
    },
  }
}
