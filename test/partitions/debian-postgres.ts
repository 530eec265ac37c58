import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pRetry from 'p-retry'
import pg from 'pg'
import { freePort } from '../../scripts/free-port.ts'

const programs = '/usr/lib/postgresql/15/bin'

/** Whether Debian's PostgreSQL 15 is installed with pg_partman (`apt-get install postgresql-15-partman`). */
export const hasPartman =
  existsSync(join(programs, 'initdb')) && existsSync('/usr/share/postgresql/15/extension/pg_partman.control')

/** A server of Debian's PostgreSQL 15, in a directory of its own that goes when it stops. */
export async function startDebianPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-debian-postgres-'))
  await chmod(directory, 0o777)
  const data = join(directory, 'data')
  const port = await freePort()
  const identity = identityOfServer()
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres'], {
    ...identity,
    cwd: directory,
  })
  if (made.status !== 0) throw new Error(`initdb ended with ${made.status}: ${made.stderr}`)
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${directory}`]
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...identity, cwd: directory, stdio: 'ignore' },
  )
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  await pRetry(
    async () => {
      const client = new pg.Client(url)
      await client.connect()
      await client.end()
    },
    { retries: 100, minTimeout: 100, factor: 1 },
  )
  return {
    url,
    stop: async () => {
      const gone = once(server, 'exit')
      server.kill('SIGINT')
      await gone
      await rm(directory, { recursive: true })
    },
  }
}

/** It refuses to run as root; Debian has made a user for it. */
function identityOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const number = (option: string) => Number(spawnSync('id', [option, 'postgres']).stdout.toString())
  return { uid: number('-u'), gid: number('-g') }
}
