import { fork } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { withAudit } from 'prisma-extension-audit'
import { readerLog } from '../../src/reader/reader-log.ts'
import { generateKeys } from '../../src/seal/keys.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { openSigner } from '../../src/seal/signer.ts'
import { sealSchema } from '../../src/seal-schema.ts'
import { answerOf } from '../answer-of.ts'
import { ordinaryAdapter } from '../clients.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { quantile } from '../measure.ts'
import { newProduct } from '../workloads.ts'
import type { ArchivingDone } from './archive-process.ts'
import { createScaleDatabase, months, type ScaleDatabase } from './database.ts'
import { fillScale } from './fill.ts'
import { withOwner } from './owner.ts'
import { createAsker } from './questions.ts'

/** Milliseconds of a call. */
export interface Latency {
  readonly median: number
  readonly highest: number
}

export interface ScaleResult {
  /** How many were asked for, and how many the disk allows. */
  readonly wanted: number
  readonly entries: number
  readonly months: number
  readonly partitions: LogFacts
  /** The same entries in one table, where that takes little. */
  readonly oneTable: LogFacts | undefined
  /** Entries a second. */
  readonly sealing: { readonly entries: number; readonly perSecond: number }
  readonly archiving: ArchivingDone
}

export interface LogFacts {
  readonly bytes: number
  readonly fillSeconds: number
  /** A create of a record that triggers record, on the nearly empty and on the full log. */
  readonly writes: { readonly empty: Latency; readonly full: Latency }
  readonly questions: ReadonlyMap<string, Latency>
}

/** With its indexes, as measured, and some to spare. */
const bytesOfEntry = 1_000

/** What the server keeps besides: its write-ahead log, and what an index is sorted in. */
const bytesBeside = 6e9

/** A log in one table takes as long to fill as the partitioned one: up to here it is done, too. */
const mostInOneTable = 10_000_000

/** Measures a log of so many entries, or as many as the disk of the server has room for. */
export async function measureScale(
  url: string,
  { entries: wanted, calls }: { entries: number; calls: number },
): Promise<ScaleResult> {
  const { bavail, bsize } = await statfs(tmpdir())
  const room = Math.max(0, Math.floor((bavail * bsize * 0.9 - bytesBeside) / bytesOfEntry))
  const entries = Math.min(wanted, room)
  if (entries < 1_000) throw new Error(`The disk of ${tmpdir()} has no room for a log: set TMPDIR to another`)
  const hasBoth = entries <= mostInOneTable && 2 * entries <= room
  const one = hasBoth ? await fill(url, 'one table', entries) : undefined
  const many = await fill(url, 'partitions', entries)
  try {
    const logs = one ? [many, one] : [many]
    const latencies = await ask(logs, entries, calls)
    const [partitions, oneTable] = logs.map(({ facts }, index) => ({
      ...facts,
      questions: latencies[index] ?? new Map<string, Latency>(),
    }))
    if (!partitions) throw new Error('There is nothing to tell')
    const sealing = await seal(many.database)
    const archiving = await archive(many.database)
    return { wanted, entries, months, partitions, oneTable, sealing, archiving }
  } finally {
    await many.database.drop()
    await one?.database.drop()
  }
}

interface FilledLog {
  readonly database: ScaleDatabase
  readonly facts: Omit<LogFacts, 'questions'>
}

async function fill(url: string, kind: 'partitions' | 'one table', entries: number): Promise<FilledLog> {
  const database = await createScaleDatabase(url, kind)
  const empty = await timeWrites(database.url)
  const start = performance.now()
  await fillScale(database.url, { entries, months, workers: availableParallelism() })
  const fillSeconds = (performance.now() - start) / 1_000
  const full = await timeWrites(database.url)
  return { database, facts: { bytes: await database.logSize(), fillSeconds, writes: { empty, full } } }
}

async function timeWrites(url: string): Promise<Latency> {
  const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  try {
    const times: number[] = []
    for (let call = -200; call < 500; call++) {
      const start = performance.now()
      await client.product.create({ data: newProduct(1) })
      if (call >= 0) times.push(performance.now() - start)
    }
    return latencyOf(times)
  } finally {
    await client.$disconnect()
  }
}

/** Milliseconds for one question to one log: what is slow is asked less often. */
const timeForQuestion = 4_000

/** Asks each question of each log in turns. */
async function ask(
  logs: readonly FilledLog[],
  entries: number,
  calls: number,
): Promise<Map<string, Latency>[]> {
  const askers = await Promise.all(logs.map(({ database }) => createAsker(database.url, entries)))
  const found = askers.map(() => new Map<string, Latency>())
  try {
    for (const name of Object.keys(askers[0]?.questions ?? {})) {
      const times: number[][] = askers.map(() => [])
      for (let call = -5; call < calls; call++) {
        for (const [index, { questions }] of askers.entries()) {
          const start = performance.now()
          await questions[name]?.()
          if (call >= 0) times[index]?.push(performance.now() - start)
        }
        const sums = times.map((ofOne) => ofOne.reduce((sum, time) => sum + time, 0))
        if (Math.max(...sums) > timeForQuestion) break
      }
      for (const [index, ofOne] of times.entries()) found[index]?.set(name, latencyOf(ofOne))
    }
    return found
  } finally {
    for (const asker of askers) await asker.stop()
  }
}

function latencyOf(times: readonly number[]): Latency {
  return { median: quantile(times, 0.5), highest: quantile(times, 0.95) }
}

/** Milliseconds for sealing: the rate does not change with what is sealed already. */
const timeForSealing = 30_000

async function seal({ url }: ScaleDatabase): Promise<ScaleResult['sealing']> {
  return withOwner(url, async ({ connection, table }) => {
    process.env.AUDIT_BENCH_SEAL_KEY = generateKeys('bench').privateKey
    const signer = await openSigner(sealSchema.parse({ key: { environment: 'AUDIT_BENCH_SEAL_KEY' } }))
    const sealer = new Sealer(readerLog({ options: { table }, connection }), signer)
    const start = performance.now()
    let entries = 0
    for (let isMore = true; isMore && performance.now() - start < timeForSealing; ) {
      const step = await sealer.step()
      entries += step.added?.entries ?? 0
      isMore = step.isMore
    }
    return { entries, perSecond: (entries / (performance.now() - start)) * 1_000 }
  })
}

/** The oldest months, in a process of its own, so that its memory is. */
function archive({ url }: ScaleDatabase): Promise<ScaleResult['archiving']> {
  const script = fileURLToPath(new URL('archive-process.ts', import.meta.url))
  return answerOf(fork(script, [url], { execArgv: process.execArgv }), 'that archives')
}
