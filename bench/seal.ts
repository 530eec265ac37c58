import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { withAudit, withAuditContext } from 'prisma-extension-audit'
import { generateKeys } from '../src/seal/keys.ts'
import { answerOf } from './answer-of.ts'
import { ordinaryAdapter } from './clients.ts'
import { requestContext } from './context.ts'
import { PrismaClient } from './generated/client/client.ts'
import { createLog } from './log.ts'
import { type OverRounds, overRounds, quantile } from './measure.ts'
import { databaseProcessorTime } from './processor-time.ts'
import type { SealWork, WorkDone } from './seal-process.ts'
import { insert } from './ship.ts'

/** What goes over a whole log. */
export interface PassOverLog {
  readonly perSecond: number
  /** Microseconds of the processor for each entry. */
  readonly cpu: { readonly process: number; readonly database: number }
  /** The most resident bytes of the process. */
  readonly memory: number
}

export interface SealResult {
  readonly entries: number
  readonly seal: PassOverLog
  readonly verify: PassOverLog
  /** Milliseconds. */
  readonly proof: { readonly median: number; readonly percentile95: number }
  /** How many times as long a create takes while the log is sealed every second: means of blocks of calls. */
  readonly writers: OverRounds
}

export const sealTargets = { seal: 50_000, verify: 100_000, proof: 10, rise: 1.02 }

const proofs = 500

/** Sealing and verifying a whole log, proofs of it, and what writers notice. Each in a process of its own. */
export async function measureSeals(
  serverUrl: string,
  { entries, rounds, calls }: { entries: number; rounds: number; calls: number },
): Promise<SealResult> {
  process.env.AUDIT_SEAL_KEY = generateKeys('example.com/bench').privateKey
  const { url, drop } = await createLog(serverUrl, 0)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {}) // dropping the database ends its connection
  try {
    for (let done = 0; done < entries; done += 1_000) await pool.query(insert, [1_000])
    await pool.query('VACUUM ANALYZE audit_logs')
    await pool.query('CHECKPOINT')
    const seal = await passOver('seal', url, pool)
    const verify = await passOver('verify', url, pool)
    const { rows } = await pool.query<{ id: string }>(
      'SELECT id FROM audit_logs WHERE seq IN (SELECT 1 + floor(random() * $1)::int8 FROM generate_series(1, $2)) LIMIT $2',
      [entries, proofs],
    )
    const { proofs: times = [] } = await run(
      'proof',
      url,
      rows.map(({ id }) => id),
    )
    return {
      ...{ entries, seal, verify },
      proof: { median: quantile(times, 0.5), percentile95: quantile(times, 0.95) },
      writers: await besideSealing(url, rounds, calls),
    }
  } finally {
    await pool.end()
    await drop()
  }
}

async function passOver(work: 'seal' | 'verify', url: string, pool: pg.Pool): Promise<PassOverLog> {
  const before = await databaseProcessorTime(pool)
  const { entries, seconds, cpu, memory } = await run(work, url)
  return {
    ...{ perSecond: entries / seconds, memory },
    cpu: { process: cpu / entries, database: ((await databaseProcessorTime(pool)) - before) / entries },
  }
}

function start(work: SealWork, url: string, ids: readonly string[] = []) {
  const script = fileURLToPath(new URL('seal-process.ts', import.meta.url))
  return fork(script, [work, url, ...ids], { execArgv: process.execArgv })
}

function run(work: SealWork, url: string, ids?: readonly string[]): Promise<WorkDone> {
  return answerOf(start(work, url, ids), `for ${work}`)
}

/** Blocks of creates, one call after the other, alone and beside a process that seals, in mirrored order. */
async function besideSealing(url: string, rounds: number, calls: number): Promise<OverRounds> {
  const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  const child = start('startSealing', url)
  const ask = async (question: string) => {
    child.send(question)
    await once(child, 'message')
  }
  const alone = () => timeCreates(client, calls)
  const beside = async () => {
    await ask('begin')
    const time = await timeCreates(client, calls)
    await ask('pause')
    return time
  }
  try {
    await once(child, 'message')
    await beside() // the backlog
    const ratios: number[] = []
    for (let round = 0; round < rounds; round++) {
      const [first, second, third, fourth] = [await alone(), await beside(), await beside(), await alone()]
      ratios.push((second + third) / (first + fourth))
    }
    return overRounds(ratios)
  } finally {
    child.send('stop')
    await client.$disconnect()
  }
}

async function timeCreates(client: PrismaClient, calls: number): Promise<number> {
  return withAuditContext(requestContext, async () => {
    const begun = performance.now()
    for (let call = 0; call < calls; call++) {
      await client.order.create({ data: { customer: `Customer ${call}`, total: 12.5 } })
    }
    return performance.now() - begun
  })
}
