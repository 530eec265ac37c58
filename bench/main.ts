import { mkdirSync, writeFileSync } from 'node:fs'
import { withAuditContext } from 'prisma-extension-audit'
import { type Case, cases, type Setting } from './cases.ts'
import { type Clients, createClients, disconnect, ordinaryAdapter, preparingAdapter } from './clients.ts'
import { requestContext } from './context.ts'
import { type BenchDatabase, startDatabase } from './database.ts'
import { measureHttp } from './http.ts'
import { measureLog } from './log.ts'
import { currentLoad, machineFacts } from './machine.ts'
import { compareMemory } from './memory.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { chart } from './peers/chart.ts'
import { type Comparison, compare, parts } from './peers/compare.ts'
import { comparisonPage, comparisonTable } from './peers/report.ts'
import { startProxy } from './proxy.ts'
import { measureQueue } from './queue.ts'
import { describe } from './report.ts'
import { type CaseResult, runCase } from './run-case.ts'
import { measureScale } from './scale/measure-scale.ts'
import { measureSeals } from './seal.ts'
import { measureShipping } from './ship.ts'
import { measureStart } from './start.ts'
import { countStatements } from './statements.ts'

async function main(options: BenchOptions): Promise<void> {
  if (options.list) {
    const others = [
      'start',
      'statements',
      'memory',
      'queue',
      'log',
      'http',
      'ship',
      'scale',
      'seal',
      ...parts.map((part) => `peers, ${part}`),
    ]
    console.log([...cases.map(({ name }) => name), ...others].join('\n'))
    return
  }
  const isWanted = (name: string) =>
    options.only.length === 0 || options.only.some((part) => name.includes(part))
  const wanted = cases.filter(({ name }) => isWanted(name))
  const database = await startDatabase()
  try {
    const loadBefore = currentLoad()
    const results = {
      rounds: options.rounds,
      cases: await runCases(wanted, database, options),
      start: isWanted('start') ? await measureStart(database, startPairs(options)) : [],
      statements: isWanted('statements') ? await countStatements(database) : [],
      memory: isWanted('memory') ? await compareMemory(database.url, memorySize(options)) : undefined,
      queue: isWanted('queue') ? await measureQueue(database.url, queueSize(options)) : undefined,
      log: isWanted('log') ? await measureLog(database.url, logSize(options)) : undefined,
      ship: isWanted('ship') ? await measureShipping(database.url, shipSize(options)) : undefined,
      scale: isWanted('scale') ? await measureScale(database.url, scaleSize(options)) : undefined,
      seal: isWanted('seal') ? await measureSeals(database.url, sealSize(options)) : undefined,
      http: isWanted('http') ? await measureHttp(httpSize(options)) : [],
      machine: machineFacts(database, loadBefore),
    }
    const comparison = parts.some((part) => isWanted(`peers, ${part}`))
      ? await compare(database.url, { ...options, progress, isWanted: (part) => isWanted(`peers, ${part}`) })
      : undefined
    if (options.json) console.log(JSON.stringify({ ...results, comparison }, asJson, 2))
    else {
      console.log(describe(results))
      if (comparison) console.log(`\n${comparisonTable(comparison)}`)
    }
    // a part of the comparison is no page
    if (comparison && isWhole(comparison)) {
      mkdirSync('docs/images', { recursive: true })
      writeFileSync('docs/benchmark.md', comparisonPage(comparison, machineFacts(database, loadBefore)))
      writeFileSync('docs/images/benchmark.svg', chart(comparison))
    }
  } finally {
    await database.stop()
  }
}

function asJson(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}

function isWhole({ seconds }: Comparison): boolean {
  return parts.every((part) => part in seconds)
}

/** The cases of one setting share its clients. Every entry carries a request's context. */
async function runCases(
  wanted: Case[],
  database: BenchDatabase,
  { rounds, quick }: BenchOptions,
): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const setting of new Set(wanted.map((one) => one.setting))) {
    const { clients, stop } = await connect(setting, database)
    try {
      for (const one of wanted.filter((other) => other.setting === setting)) {
        const repetition = quick ? one.quick : one.repetition
        if (!repetition) continue
        progress(one.name)
        results.push(
          await withAuditContext(requestContext, () => runCase(one, clients, database, repetition, rounds)),
        )
      }
    } finally {
      await disconnect(clients)
      await stop()
    }
  }
  return results
}

async function connect(
  setting: Setting,
  { url, watched }: BenchDatabase,
): Promise<{ clients: Clients; stop: () => Promise<void> }> {
  if (setting === '1 ms network') {
    const proxy = await startProxy(url, 1)
    const distant = new URL(new URL(watched.url).pathname, proxy.url).href
    const clients = createClients({ url: proxy.url, watched: { url: distant } }, ordinaryAdapter)
    return { clients, stop: proxy.stop }
  }
  const createAdapter = setting === 'named statements' ? preparingAdapter : ordinaryAdapter
  return { clients: createClients({ url, watched }, createAdapter), stop: async () => {} }
}

function startPairs({ rounds, quick }: BenchOptions) {
  progress('start')
  return quick ? 3 : rounds
}

function memorySize({ quick }: BenchOptions) {
  progress('memory')
  return quick ? { statements: 2_500, first: 1_250 } : { statements: 20_000, first: 2_000 }
}

function queueSize({ quick }: BenchOptions) {
  progress('queue')
  return quick ? { events: 5_000, rounds: 3 } : { events: 20_000, rounds: 9 }
}

function logSize({ quick }: BenchOptions) {
  progress('log')
  return quick ? { sizes: [10_000, 100_000], calls: 50 } : { sizes: [10_000, 100_000, 1_000_000], calls: 300 }
}

function shipSize({ quick }: BenchOptions) {
  progress('ship')
  return quick ? { backlogs: [10_000, 50_000], rounds: 1 } : { backlogs: [100_000, 300_000], rounds: 3 }
}

function scaleSize({ entries, quick }: BenchOptions) {
  progress('scale')
  return {
    entries: quick ? Math.min(entries ?? 50_000, 50_000) : (entries ?? 1_000_000),
    calls: quick ? 10 : 100,
  }
}

function sealSize({ quick, entries }: BenchOptions) {
  progress('seal')
  return quick
    ? { entries: Math.min(entries ?? 20_000, 20_000), rounds: 1, calls: 1_000 }
    : { entries: entries ?? 200_000, rounds: 5, calls: 5_000 }
}

function httpSize({ rounds, quick }: BenchOptions) {
  progress('http')
  return {
    pairs: rounds,
    rounds: 4,
    ...(quick ? { calls: 200, warmUp: 2_000 } : { calls: 500, warmUp: 10_000 }),
  }
}

function progress(name: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\x1b[2K\r${name} …\r`)
}

const options = readOptions(process.argv.slice(2))
if (options) await main(options)
else process.exitCode = 1
