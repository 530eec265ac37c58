import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { measure, median, overRounds, type Variant } from './measure.ts'

export interface HttpResult {
  readonly framework: string
  /** Medians of a request that writes nothing, in microseconds. */
  readonly plain: number
  readonly audited: number
  /** What the middleware adds: the median of the pairs' own differences, and the middle half of them. */
  readonly added: number
  readonly quartiles: readonly [number, number]
  readonly isMet: boolean
}

export const httpTarget = 20

const frameworks = ['Express', 'Fastify', 'Hono', 'NestJS'] as const

interface HttpAmount {
  /** Pairs of servers, one after the other: how fast a process turns out is partly chance. */
  readonly pairs: number
  readonly rounds: number
  readonly calls: number
  readonly warmUp: number
}

/**
 * What the context of a request costs a request that writes nothing, on loopback, one at a time. The two servers of a
 * pair are processes of their own: AsyncLocalStorage, once used, slows a whole process down, the plain server too.
 */
export async function measureHttp({ pairs, ...amount }: HttpAmount): Promise<HttpResult[]> {
  const results: HttpResult[] = []
  for (const framework of frameworks) {
    const found: PairResult[] = []
    for (let pair = 0; pair < pairs; pair++) found.push(await measurePair(framework, amount))
    const { median: added, quartiles } = overRounds(found.map(({ difference }) => difference))
    results.push({
      framework,
      plain: median(found.map(({ plain }) => plain)),
      audited: median(found.map(({ audited }) => audited)),
      ...{ added, quartiles },
      isMet: added <= httpTarget,
    })
  }
  return results
}

interface PairResult {
  readonly plain: number
  readonly audited: number
  readonly difference: number
}

async function measurePair(framework: string, amount: Omit<HttpAmount, 'pairs'>): Promise<PairResult> {
  const servers = [await startServer(framework, 'plain'), await startServer(framework, 'audited')]
  try {
    const { milliseconds, difference } = await measure(servers, amount)
    const microseconds = (name: string) => (milliseconds.get(name) ?? Number.NaN) * 1_000
    return {
      plain: microseconds('plain'),
      audited: microseconds('audited'),
      difference: difference('audited', 'plain').median * 1_000,
    }
  } finally {
    for (const server of servers) await server.stop()
  }
}

async function startServer(framework: string, name: string): Promise<Variant & { stop(): Promise<void> }> {
  const child = fork(fileURLToPath(new URL('http-process.ts', import.meta.url)), [framework, name])
  const [port] = (await once(child, 'message')) as [number]
  pinToLastCore(child)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    name,
    prepare: async () => {},
    call: () => request(port, agent),
    async stop() {
      agent.destroy()
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** Waking a process on another core takes longer than the middleware, so both servers have to be on the same one. */
function pinToLastCore({ pid }: ChildProcess): void {
  if (process.platform !== 'linux') return
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpus().length - 1), String(pid)])
}

function request(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`The server answered ${response.statusCode}`))
      response.resume().once('end', resolve)
    }).once('error', reject)
  })
}
