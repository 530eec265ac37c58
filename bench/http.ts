import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { measure, type Variant } from './measure.ts'

export interface HttpResult {
  readonly framework: string
  /** Medians of a request that writes nothing, in microseconds. */
  readonly plain: number
  readonly audited: number
  /** What the middleware adds: the median of the rounds' own differences, and the middle half of them. */
  readonly added: number
  readonly quartiles: readonly [number, number]
  readonly isMet: boolean
}

export const httpTarget = 20

const frameworks = ['Express', 'Fastify', 'Hono', 'NestJS'] as const

/**
 * What the context of a request costs a request that writes nothing, on loopback, one at a time. The two servers of a
 * framework are processes of their own: AsyncLocalStorage, once used, slows a whole process down, the plain server too.
 */
export async function measureHttp(amount: {
  rounds: number
  calls: number
  warmUp: number
}): Promise<HttpResult[]> {
  const results: HttpResult[] = []
  for (const framework of frameworks) {
    const servers = [await startServer(framework, 'plain'), await startServer(framework, 'audited')]
    try {
      const { milliseconds, difference } = await measure(servers, amount)
      const { median, quartiles } = difference('audited', 'plain')
      const added = median * 1_000
      results.push({
        framework,
        plain: (milliseconds.get('plain') ?? Number.NaN) * 1_000,
        audited: (milliseconds.get('audited') ?? Number.NaN) * 1_000,
        added,
        quartiles: [quartiles[0] * 1_000, quartiles[1] * 1_000],
        isMet: added <= httpTarget,
      })
    } finally {
      for (const server of servers) await server.stop()
    }
  }
  return results
}

async function startServer(framework: string, name: string): Promise<Variant & { stop(): Promise<void> }> {
  const child = fork(fileURLToPath(new URL('http-process.ts', import.meta.url)), [framework, name])
  const [port] = (await once(child, 'message')) as [number]
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

function request(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`The server answered ${response.statusCode}`))
      response.resume().once('end', resolve)
    }).once('error', reject)
  })
}
