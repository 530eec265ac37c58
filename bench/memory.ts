import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Bytes in use after a collection: the JavaScript heap, and what lies outside of it (buffers, the parser's memory). */
export interface MemoryUse {
  readonly statements: number
  readonly heap: number
  readonly external: number
}

export interface MemoryGrowth {
  readonly client: 'plain' | 'audited'
  readonly uses: readonly MemoryUse[]
  /** Bytes between the first and the last reading. */
  readonly growth: number
}

export interface MemoryResult {
  readonly growths: readonly MemoryGrowth[]
  readonly isMet: boolean
}

/** How much the audited client may grow beyond the plain one: the readings themselves vary by some hundred kB. */
export const growthBound = 4 * 1024 * 1024

/** Both clients' memory, each in a process of its own. */
export async function compareMemory(
  url: string,
  size: { statements: number; first: number },
): Promise<MemoryResult> {
  const plain = await measureMemory(url, 'plain', size)
  const audited = await measureMemory(url, 'audited', size)
  return {
    growths: [plain, audited],
    isMet: audited.growth - Math.max(plain.growth, 0) <= growthBound,
  }
}

/** Has a process of its own run `statements` writes of ever different texts, and read its memory now and then. */
async function measureMemory(
  url: string,
  client: MemoryGrowth['client'],
  { statements, first }: { statements: number; first: number },
): Promise<MemoryGrowth> {
  const child = fork(
    fileURLToPath(new URL('memory-process.ts', import.meta.url)),
    [url, client, String(statements), String(first)],
    { execArgv: [...process.execArgv, '--expose-gc'] },
  )
  const exited = once(child, 'exit')
  const uses: MemoryUse[] = []
  child.on('message', (use) => uses.push(use as MemoryUse))
  const [code] = await exited
  if (code !== 0) throw new Error(`The memory process of the ${client} client ended with code ${code}`)
  const [from, to] = [uses[0], uses.at(-1)]
  const growth = from && to ? to.heap + to.external - from.heap - from.external : Number.NaN
  return { client, uses, growth }
}
