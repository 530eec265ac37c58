import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BenchDatabase } from './database.ts'
import { median, type OverRounds, overRounds } from './measure.ts'

/** One process, from its beginning to its first write. */
export interface Start {
  /** Milliseconds from the beginning of the process until everything is imported. */
  readonly loading: number
  /** Milliseconds from there until the first write has returned: the connection is opened, the catalog is read. */
  readonly firstWrite: number
  /** Resident bytes after the first write. */
  readonly memory: number
}

export interface StartResult {
  /** Who records the write. */
  readonly way: string
  readonly quantity: keyof Start
  readonly plain: number
  readonly audited: number
  /** What the audit adds: the median of the pairs' own differences, and the middle half of them. */
  readonly added: OverRounds
  /** The most that it should add; undefined where there is no target. */
  readonly target: number | undefined
  readonly isMet: boolean
}

const targets: Record<keyof Start, number | undefined> = { loading: 60, firstWrite: 100, memory: undefined }

/** What a process that starts pays for the audit, where triggers record the write and where the statement does. */
export async function measureStart(
  { url, watched }: Pick<BenchDatabase, 'url' | 'watched'>,
  pairs: number,
): Promise<StartResult[]> {
  await buildProcesses()
  return [
    ...(await measureWay('triggers', watched.url, pairs)),
    ...(await measureWay('the statement', url, pairs)),
  ]
}

/** Pairs of processes, one after the other, in alternating order. */
async function measureWay(way: string, url: string, pairs: number): Promise<StartResult[]> {
  await startOnce('audited', url) // both read their files once before
  await startOnce('plain', url)
  const plain: Start[] = []
  const audited: Start[] = []
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 1) audited.push(await startOnce('audited', url))
    plain.push(await startOnce('plain', url))
    if (pair % 2 === 0) audited.push(await startOnce('audited', url))
  }
  return (Object.keys(targets) as (keyof Start)[]).map((quantity) => {
    const added = overRounds(
      audited.map((start, pair) => start[quantity] - (plain[pair]?.[quantity] ?? Number.NaN)),
    )
    const target = targets[quantity]
    return {
      ...{ way, quantity },
      plain: median(plain.map((start) => start[quantity])),
      audited: median(audited.map((start) => start[quantity])),
      ...{ added, target },
      isMet: target === undefined || added.median <= target,
    }
  })
}

const directory = fileURLToPath(new URL('generated/start', import.meta.url))

/** As JavaScript: translating TypeScript on the way would be most of what is measured. */
async function buildProcesses(): Promise<void> {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  await build({
    entryPoints: [path('start-plain.ts'), path('start-audited.ts')],
    outdir: directory,
    ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm' },
    ...{ outExtension: { '.js': '.mjs' }, logLevel: 'warning' },
  })
}

async function startOnce(client: 'plain' | 'audited', url: string): Promise<Start> {
  const child = fork(`${directory}/start-${client}.mjs`, [url], { execArgv: [] })
  const exited = once(child, 'exit')
  const said = once(child, 'message')
  const [code] = await exited
  if (code !== 0) throw new Error(`The process of the ${client} client ended with code ${code}`)
  const [start] = (await said) as [Start]
  return start
}
