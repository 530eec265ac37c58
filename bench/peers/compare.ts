import { withAuditContext } from 'prisma-extension-audit'
import { requestContext } from '../context.ts'
import { contenders } from './contenders.ts'
import { type Correctness, compareCorrectness } from './correctness.ts'
import { type Cost, measureCost, networks } from './cost.ts'
import { type Growth, measureGrowth } from './growth.ts'
import { thisLibrary } from './this-library.ts'
import { measureThroughput, type Throughput } from './throughput.ts'

export const parts = ['cost', 'network', 'throughput', 'growth', 'correctness'] as const
export type Part = (typeof parts)[number]

export interface Comparison {
  readonly contenders: readonly { name: string; isPeer: boolean; comparedTo: string }[]
  readonly rounds: number
  readonly quick: boolean
  readonly costs: readonly Cost[]
  readonly throughput: readonly Throughput[]
  readonly growth: readonly Growth[]
  readonly correctness: Correctness | undefined
  /** Part → how long it took. */
  readonly seconds: Readonly<Partial<Record<Part, number>>>
}

export interface ComparisonOptions {
  readonly rounds: number
  readonly quick: boolean
  readonly isWanted: (part: Part) => boolean
  readonly progress: (part: string) => void
}

const seed = 1

/** This library beside its peers, on the same tables of the same server. */
export async function compare(url: string, options: ComparisonOptions): Promise<Comparison> {
  const { rounds, quick, isWanted, progress } = options
  const seconds: Partial<Record<Part, number>> = {}
  const run = async <T>(part: Part, without: T, work: () => Promise<T>): Promise<T> => {
    if (!isWanted(part)) return without
    progress(`peers, ${part}`)
    const start = performance.now()
    const result = await silently(() => withAuditContext(requestContext, work))
    seconds[part] = (performance.now() - start) / 1000
    return result
  }
  const [loopback, distant] = networks
  const withLog = contenders.filter(({ log }) => log.tables.length > 0)
  const sizesOf = ({ name }: { name: string }) => {
    if (quick) return [0, 10_000]
    return name === thisLibrary.name ? [0, 1_000_000, 10_000_000] : [0, 1_000_000]
  }
  return {
    contenders: contenders.map(({ name, isPeer, comparedTo }) => ({ name, isPeer, comparedTo })),
    ...{ rounds, quick, seconds },
    costs: [
      ...(await run('cost', [], () => measureCost(url, contenders, loopback, { rounds, quick }))),
      ...(await run('network', [], () => measureCost(url, contenders, distant, { rounds, quick }))),
    ],
    throughput: await run('throughput', [], () =>
      measureThroughput(url, contenders, quick ? { rounds: 1, seconds: 0.5 } : { rounds: 3, seconds: 2 }),
    ),
    growth: await run('growth', [], () => measureGrowth(url, withLog, sizesOf, quick ? 2 : 10, contenders)),
    correctness: await run('correctness', undefined, () =>
      compareCorrectness(url, contenders, { operations: quick ? 60 : 500, seed }),
    ),
  }
}

/** A peer prints every entry that it could not write. */
async function silently<T>(work: () => Promise<T>): Promise<T> {
  const { error, warn, log } = console
  const nothing = () => {}
  Object.assign(console, { error: nothing, warn: nothing, log: nothing })
  try {
    return await work()
  } finally {
    Object.assign(console, { error, warn, log })
  }
}
