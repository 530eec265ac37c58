import { median } from '../measure.ts'
import type { Contender } from './contender.ts'
import { type Entrant, enter, seedProducts } from './database.ts'
import { update } from './workloads.ts'

export const callerCounts = [1, 4, 16] as const

export function callersText(callers: number): string {
  return callers === 1 ? '1 caller' : `${callers} callers`
}

/** How many updates a second so many callers get done on a pool of 16 connections. */
export interface Throughput {
  readonly callers: number
  readonly perSecond: Readonly<Record<string, number>>
}

export async function measureThroughput(
  url: string,
  contenders: readonly Contender[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Throughput[]> {
  const entrants: Entrant[] = []
  try {
    for (const contender of contenders) {
      entrants.push(await enter(url, contender, { prepare: seedProducts, pool: { max: 16 } }))
    }
    // each of the connections has catalogs to read and functions to compile
    for (const entrant of entrants) await run(entrant, 16, seconds * 2)
    const results: Throughput[] = []
    for (const callers of callerCounts) {
      const found = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
      for (let round = 0; round < rounds; round++) {
        for (const entrant of round % 2 === 0 ? entrants : entrants.toReversed()) {
          found.get(entrant.contender.name)?.push(await run(entrant, callers, seconds))
        }
      }
      const medians = [...found].map(([name, values]) => [name, median(values)] as const)
      results.push({ callers, perSecond: Object.fromEntries(medians) })
    }
    return results
  } finally {
    for (const entrant of entrants) await entrant.leave()
  }
}

/** Calls that fail are not counted: what is refused is not done. */
async function run(entrant: Entrant, callers: number, seconds: number): Promise<number> {
  const { call } = update(entrant)
  const start = performance.now()
  const end = start + seconds * 1000
  let done = 0
  const caller = async () => {
    while (performance.now() < end) {
      await call().then(
        () => done++,
        () => {},
      )
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (done / (performance.now() - start)) * 1000
}
