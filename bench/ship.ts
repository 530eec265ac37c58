import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import pg from 'pg'
import { hasMoto, type Moto, startMoto } from '../scripts/moto.ts'
import { answerOf } from './answer-of.ts'
import { createLog } from './log.ts'
import { median } from './measure.ts'
import { databaseProcessorTime, processorTime } from './processor-time.ts'

/** What the process for `verify-archive` says when it is done. */
interface Verified {
  readonly ok: boolean
  readonly entries: number
  readonly seconds: number
  readonly memory: number
}

/** A sink that catches up with a backlog. */
export interface CatchUp {
  readonly sink: SinkKind
  readonly backlog: number
  readonly perSecond: number
  /** Microseconds of the processor for each entry: the process that ships, the database, the store. */
  readonly cpu: { readonly shipper: number; readonly database: number; readonly store: number }
  /** The most resident bytes of the process that ships. */
  readonly memory: number
  /** What `verify-archive` takes afterwards; undefined where nothing is stored. */
  readonly verified: { readonly perSecond: number; readonly memory: number } | undefined
}

export interface ShipResult {
  readonly catchUps: readonly CatchUp[]
  /** Median milliseconds of a write of eight writers, alone and beside a shipper that catches up, and how fast that is then. */
  readonly writers: { readonly alone: number; readonly beside: number; readonly perSecond: number }
  /** The most seconds that an entry had waited, at 500 a second. */
  readonly lag: number
  readonly sink: SinkKind
}

type SinkKind = 'nowhere' | 'files' | 's3'

export const shipTargets = { perSecond: 20_000, rise: 1.05, lag: 2 }

/** What shipping takes, to each kind of sink: S3 only where moto is installed. */
export async function measureShipping(
  serverUrl: string,
  { backlogs, rounds }: { backlogs: readonly number[]; rounds: number },
): Promise<ShipResult> {
  const { url, drop } = await createLog(serverUrl, 0)
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  pool.on('error', () => {}) // dropping the database ends its connections
  const moto = hasMoto() ? await startMoto() : undefined
  const sink: SinkKind = moto ? 's3' : 'files'
  try {
    const bench = new ShipBench(url, pool, moto)
    const catchUps: CatchUp[] = []
    for (const backlog of backlogs) {
      await bench.fill(backlog)
      for (const kind of ['nowhere', 'files', ...(moto ? ['s3' as const] : [])] as const)
        catchUps.push(await bench.catchUp(kind))
    }
    const writers = await bench.besideWriters(sink, rounds)
    return { catchUps, writers, lag: await bench.lagAt500(sink), sink }
  } finally {
    await moto?.stop()
    await pool.end()
    await drop()
  }
}

class ShipBench {
  readonly #url: string
  readonly #pool: pg.Pool
  readonly #moto: Moto | undefined

  constructor(url: string, pool: pg.Pool, moto: Moto | undefined) {
    this.#url = url
    this.#pool = pool
    this.#moto = moto
  }

  /** Updates of a record with a dozen fields, a thousand in a transaction, until there are so many. */
  async fill(count: number): Promise<void> {
    for (let done = await this.#count(); done < count; done += 1_000) await this.#pool.query(insert, [1_000])
  }

  async catchUp(sink: SinkKind): Promise<CatchUp> {
    const backlog = await this.#count()
    const shipper = await this.#start(sink)
    try {
      const start = performance.now()
      const [database, store] = [await databaseProcessorTime(this.#pool), this.#storeCpu()]
      await this.#isDone()
      const seconds = (performance.now() - start) / 1_000
      const { cpu, memory } = await shipper.ask()
      const all = {
        shipper: cpu / backlog,
        database: ((await databaseProcessorTime(this.#pool)) - database) / backlog,
        store: (this.#storeCpu() - store) / backlog,
      }
      const verified = sink === 'nowhere' ? undefined : await this.#verify(shipper.sink, backlog)
      return { ...{ sink, backlog, perSecond: backlog / seconds, memory }, cpu: all, verified }
    } finally {
      await shipper.end()
    }
  }

  /** In a process of its own, so that its memory is. */
  async #verify(sink: readonly string[], backlog: number): Promise<CatchUp['verified']> {
    const child = this.#fork('verify-archive-process.ts', sink)
    const { ok, entries, seconds, memory } = await answerOf<Verified>(child, 'that verifies')
    if (!ok || entries !== backlog) throw new Error(`${entries} of ${backlog} entries equal the log`)
    return { perSecond: entries / seconds, memory }
  }

  /** In alternation, each time until the backlog is done. */
  async besideWriters(sink: SinkKind, rounds: number): Promise<ShipResult['writers']> {
    const times: { alone: number[]; beside: number[] } = { alone: [], beside: [] }
    const rates: number[] = []
    for (let round = 0; round < rounds; round++) {
      times.alone.push(...(await this.#writeWhile(() => sleep(5_000))))
      const backlog = await this.#count()
      const shipper = await this.#start(sink)
      const start = performance.now()
      times.beside.push(...(await this.#writeWhile(() => this.#isDone(backlog))))
      rates.push(backlog / ((performance.now() - start) / 1_000))
      await shipper.end()
    }
    return { alone: median(times.alone), beside: median(times.beside), perSecond: median(rates) }
  }

  async lagAt500(sink: SinkKind): Promise<number> {
    const shipper = await this.#start(sink)
    await this.#isDone()
    let most = 0
    await this.#writeWhile(async () => {
      for (let second = 0; second < 15; second += 0.25) {
        await sleep(250)
        most = Math.max(most, (await shipper.ask()).lag)
      }
    })
    await shipper.end()
    return most
  }

  /** Eight writers, 500 entries a second together. @returns the milliseconds of each write */
  async #writeWhile(work: () => Promise<unknown>): Promise<number[]> {
    const times: number[] = []
    let isOver = false
    const writer = async (first: number) => {
      await sleep(first)
      for (let next = performance.now(); !isOver; next += 16) {
        await sleep(Math.max(0, next - performance.now()))
        const start = performance.now()
        await this.#pool.query(insert, [1])
        times.push(performance.now() - start)
      }
    }
    const writers = Array.from({ length: 8 }, (_, index) => writer(index * 2))
    await work()
    isOver = true
    await Promise.all(writers)
    return times
  }

  /** A process that ships everything from the beginning. */
  async #start(sink: SinkKind) {
    await this.#pool.query('DELETE FROM audit_logs_internal.consumers')
    const store = sink === 's3' ? this.#moto : undefined
    const place = store ? await createBucket(store) : await mkdtemp(join(tmpdir(), 'audit-bench-'))
    const described = [sink, place, this.#moto?.config.endpoint ?? '']
    const child = this.#fork('ship-process.ts', described)
    await once(child, 'message')
    return {
      sink: described,
      ask: async () => {
        child.send('usage')
        const [answer] = await once(child, 'message')
        return answer as { cpu: number; memory: number; lag: number }
      },
      end: async () => {
        const exited = once(child, 'exit')
        child.send('stop')
        await exited
        await rm(place, { recursive: true, force: true })
      },
    }
  }

  #fork(script: string, sink: readonly string[]): ChildProcess {
    const path = fileURLToPath(new URL(script, import.meta.url))
    return fork(path, [this.#url, ...sink], { execArgv: process.execArgv })
  }

  async #isDone(count?: number): Promise<void> {
    const wanted = count ?? (await this.#count())
    for (let seq = 0; seq < wanted; await sleep(20)) {
      const { rows } = await this.#pool.query<{ seq: string }>(
        'SELECT seq FROM audit_logs_internal.consumers',
      )
      seq = Number(rows[0]?.seq ?? 0)
    }
  }

  /** Nothing was ever rolled back here. */
  async #count(): Promise<number> {
    const { rows } = await this.#pool.query<{ seq: string }>(
      'SELECT coalesce(max(seq), 0) AS seq FROM audit_logs',
    )
    return Number(rows[0]?.seq)
  }

  /** Microseconds. */
  #storeCpu(): number {
    return this.#moto?.pid === undefined ? 0 : processorTime(this.#moto.pid)
  }
}

async function createBucket({ config }: Moto): Promise<string> {
  const bucket = `bench-${Date.now()}`
  const client = new S3Client(config)
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }))
  client.destroy()
  return bucket
}

export const insert = `INSERT INTO audit_logs (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, details,
    request_id, ip, user_agent, organization_id)
  SELECT gen_random_uuid(), 'order.update', 'actor-' || n % 200, 'user', 'ada@example.com', 'order', (n % 1000)::text,
    jsonb_build_object('before', row || '{"status": "DRAFT"}', 'after', row || '{"status": "PAID"}', 'changed', '["status"]'::jsonb),
    md5(random()::text), '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'organization-' || n % 100
  FROM (SELECT n, jsonb_build_object('id', n, 'customer', md5(random()::text), 'total', '12.50', 'note', md5(random()::text),
      'createdAt', clock_timestamp(), 'updatedAt', clock_timestamp()) AS row FROM generate_series(1, $1::int) AS n) AS made`
