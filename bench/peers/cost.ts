import { measure, type Variant } from '../measure.ts'
import { startProxy } from '../proxy.ts'
import type { Contender } from './contender.ts'
import { type Entrant, enter, seedProducts } from './database.ts'
import * as workloads from './workloads.ts'

export const networks = ['loopback', '1 ms each way'] as const
export type Network = (typeof networks)[number]

/** How often a case is called; a round has two blocks of `calls` calls of each contender. */
interface CostCase {
  readonly name: string
  readonly workload: workloads.Workload
  readonly calls: Readonly<Record<Network, number>>
  /** The part of the rounds that a slow case takes; at least one round. */
  readonly ofRounds: number
  /** Left out with --quick. */
  readonly isSlow: boolean
}

function costCase(
  name: string,
  workload: workloads.Workload,
  [loopback, distant]: readonly [number, number],
  ofRounds = 1,
  isSlow = false,
): CostCase {
  return { name, workload, calls: { loopback, '1 ms each way': distant }, ofRounds, isSlow }
}

export const costCases: readonly CostCase[] = [
  costCase('create', workloads.create, [20, 5]),
  costCase('update', workloads.update, [20, 5]),
  costCase('delete', workloads.remove, [20, 5]),
  costCase('upsert', workloads.upsert, [20, 6]),
  costCase('nested create, 1 + 3 rows', workloads.nestedCreate, [10, 3]),
  costCase('transaction of ten writes', workloads.tenWrites, [4, 1]),
  costCase('delete with cascade, 1 + 3 rows', workloads.cascade(3), [10, 3]),
  costCase('delete with cascade, 1 + 1,000 rows', workloads.cascade(1_000), [1, 1], 0.4),
  costCase('createMany, 1,000 rows', workloads.createMany(1_000), [1, 1], 0.4),
  costCase('updateMany, 1,000 rows', workloads.updateMany, [1, 1], 0.4),
  costCase('createMany, 10,000 rows', workloads.createMany(10_000), [1, 1], 0.1, true),
]

/** What a case costs each contender. */
export interface Cost {
  readonly network: Network
  readonly name: string
  /** By contender; one that can't do it has an error instead. */
  readonly of: Readonly<Record<string, { milliseconds: number; ratio: number } | { error: string }>>
}

export interface CostSize {
  readonly rounds: number
  readonly quick: boolean
}

/** Runs all cases, with all contenders interleaved in each round. */
export async function measureCost(
  url: string,
  contenders: readonly Contender[],
  network: Network,
  { rounds, quick }: CostSize,
): Promise<Cost[]> {
  const proxy = network === 'loopback' ? undefined : await startProxy(url, 1)
  const port = proxy && new URL(proxy.url).port
  const entrants: Entrant[] = []
  try {
    for (const contender of contenders) {
      entrants.push(await enter(url, contender, { prepare: seedProducts, ...(port && { port }) }))
    }
    const costs: Cost[] = []
    for (const one of costCases.filter(({ isSlow }) => !(quick && isSlow))) {
      costs.push(await runCase(one, entrants, network, Math.max(1, Math.round(rounds * one.ofRounds)), quick))
    }
    return costs
  } finally {
    for (const entrant of entrants) await entrant.leave()
    await proxy?.stop()
  }
}

async function runCase(
  { name, workload, calls, isSlow }: CostCase,
  entrants: readonly Entrant[],
  network: Network,
  rounds: number,
  quick: boolean,
): Promise<Cost> {
  const of: Record<string, Cost['of'][string]> = {}
  const variants: (Variant & { comparedTo: string })[] = []
  for (const entrant of entrants) {
    const { name, comparedTo } = entrant.contender
    const variant = { name, comparedTo, ...workload(entrant) }
    try {
      await variant.prepare(1)
      await variant.call()
      variants.push(variant)
    } catch (error) {
      of[name] = { error: error instanceof Error ? error.message : String(error) }
    }
  }
  const inRound = calls[network]
  const warmUp = isSlow ? 0 : inRound * (quick ? 1 : 5)
  const { milliseconds, ratio } = await measure(variants, { rounds, calls: inRound, warmUp })
  for (const { name, comparedTo } of variants) {
    of[name] = {
      milliseconds: milliseconds.get(name) ?? Number.NaN,
      ratio: ratio(name, comparedTo).median,
    }
  }
  return { network, name, of }
}
