import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type AuditPage, type PageOptions, withAudit } from 'prisma-extension-audit'
import { fillLog } from '../scripts/fill-log.ts'
import { applyMigrations, createScript } from '../scripts/schema-engine.ts'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'
import { median } from './measure.ts'

/** How long one page takes, whatever the size of the log. */
export interface PageTime {
  readonly name: string
  /** Entries in the log → median of the calls, in milliseconds. */
  readonly milliseconds: Readonly<Record<number, number>>
  readonly isMet: boolean
}

/** Memory of a process that streams a whole log. */
export interface StreamMemory {
  readonly entries: number
  readonly seconds: number
  /** Resident bytes before the first entry, and the most that there were until the last. */
  readonly before: number
  readonly highest: number
  readonly isMet: boolean
}

export interface LogResult {
  readonly sizes: readonly number[]
  readonly pages: readonly PageTime[]
  readonly stream: StreamMemory
}

export const longestPage = 5
export const streamGrowthBound = 100 * 1024 * 1024
/** Entries of a page: what fits on a screen. */
export const pageSize = 20

/** Reads pages of logs of several sizes, and streams the largest. Each log is in a database of its own. */
export async function measureLog(
  url: string,
  { sizes, calls }: { sizes: readonly number[]; calls: number },
): Promise<LogResult> {
  const times = new Map<string, Record<number, number>>()
  let stream: StreamMemory | undefined
  for (const size of sizes) {
    const database = await createLog(url, size)
    try {
      for (const [name, milliseconds] of await timePages(database.url, calls)) {
        times.set(name, { ...times.get(name), [size]: milliseconds })
      }
      if (size === Math.max(...sizes)) stream = await measureStream(database.url, size)
    } finally {
      await database.drop()
    }
  }
  if (!stream) throw new Error('There is no size to measure')
  const pages = [...times].map(([name, milliseconds]) => ({
    ...{ name, milliseconds },
    isMet: Object.values(milliseconds).every((time) => time <= longestPage),
  }))
  return { sizes, pages, stream }
}

export async function createLog(serverUrl: string, size: number) {
  const name = `log_of_${size}`
  const admin = new pg.Client(serverUrl)
  await admin.connect()
  await admin.query(`DROP DATABASE IF EXISTS ${name}`)
  await admin.query(`CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
  await applyMigrations(url.href, path('../prisma/migrations'))
  const pool = new pg.Pool({ connectionString: url.href, max: 1 })
  await pool.query(await createScript(url.href, await readFile(path('prisma/schema.prisma'), 'utf8')))
  await fillLog(pool, size)
  await pool.end()
  return {
    url: url.href,
    drop: async () => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await admin.end()
    },
  }
}

async function timePages(url: string, calls: number): Promise<Map<string, number>> {
  const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  const { $audit: audit } = client
  const since = new Date(Date.now() - 3_600_000)
  // every helper finds some 2,500 entries or more, whatever the size of the log: 100 pages and some
  const helpers: Record<string, (page: PageOptions) => Promise<AuditPage>> = {
    history: (page) => audit.history('Order', 42, page),
    activity: (page) => audit.activity('ada', page),
    'search by action': (page) => audit.search({ action: 'user.login' }, page),
    'failed logins in the last hour': (page) => audit.failedLogins({ since }, page),
  }
  const times = new Map<string, number>()
  try {
    for (const [name, read] of Object.entries(helpers)) {
      let cursor: string | undefined
      for (let page = 1; page < 100; page++) {
        const { nextCursor } = await read({ limit: pageSize, cursor })
        if (nextCursor === null) throw new Error(`There is no 100th page of ${name}`)
        cursor = nextCursor
      }
      times.set(`${name}, first page`, await timeCalls(() => read({ limit: pageSize }), calls))
      times.set(`${name}, 100th page`, await timeCalls(() => read({ limit: pageSize, cursor }), calls))
    }
  } finally {
    await client.$disconnect()
  }
  return times
}

async function timeCalls(read: () => Promise<AuditPage>, calls: number): Promise<number> {
  const times: number[] = []
  for (let call = -warmUp; call < calls; call++) {
    const start = performance.now()
    const { entries } = await read()
    if (call >= 0) times.push(performance.now() - start)
    if (entries.length !== pageSize) throw new Error(`The page has ${entries.length} entries`)
  }
  return median(times)
}

const warmUp = 50

/** A process of its own, so that nothing that was measured before counts. */
async function measureStream(url: string, size: number): Promise<StreamMemory> {
  const child = fork(fileURLToPath(new URL('log-stream-process.ts', import.meta.url)), [url], {
    execArgv: process.execArgv,
  })
  const exited = once(child, 'exit')
  const [read] = (await once(child, 'message')) as [Omit<StreamMemory, 'isMet'>]
  const [code] = await exited
  if (code !== 0) throw new Error(`The process that streams the log ended with code ${code}`)
  if (read.entries !== size) throw new Error(`The stream gave ${read.entries} of ${size} entries`)
  return { ...read, isMet: read.highest - read.before <= streamGrowthBound }
}
