import { measure } from '../measure.ts'
import type { Contender } from './contender.ts'
import { enter, seedProducts } from './database.ts'
import { update } from './workloads.ts'

/** What an update costs a contender when its log has so many entries. */
export interface Growth {
  readonly entries: number
  readonly contender: string
  readonly milliseconds: number
  /** To the unaudited client, in the same rounds. */
  readonly ratio: number
  /** How long it took to fill the log up to here. */
  readonly fillSeconds: number
}

/** The sizes that any log had, smallest first. */
export function sizesIn(growth: readonly Growth[]): number[] {
  return [...new Set(growth.map(({ entries }) => entries))].sort((one, other) => one - other)
}

export function growthAt(growth: readonly Growth[], entries: number, contender: string): Growth | undefined {
  return growth.find((one) => one.contender === contender && one.entries === entries)
}

/** Each contender with each of its sizes, beside the unaudited client. */
export async function measureGrowth(
  url: string,
  contenders: readonly Contender[],
  sizesOf: (contender: Contender) => readonly number[],
  rounds: number,
  all: readonly Contender[],
): Promise<Growth[]> {
  const results: Growth[] = []
  for (const contender of contenders) {
    const other = all.find(({ name }) => name === contender.comparedTo)
    if (!other) throw new Error(`No contender is called ${contender.comparedTo}`)
    const entrants = [await enter(url, other, { prepare: seedProducts })]
    try {
      const own = await enter(url, contender, { prepare: seedProducts })
      entrants.push(own)
      let filled = 0
      for (const entries of sizesOf(contender)) {
        const start = performance.now()
        if (entries > filled) await contender.log.fill(own.pool, entries - filled)
        const fillSeconds = (performance.now() - start) / 1000
        filled = entries
        await own.pool.query('CHECKPOINT') // what the fill left to write is not the update's to pay
        const variants = entrants.map((entrant) => ({ name: entrant.contender.name, ...update(entrant) }))
        const { milliseconds, ratio } = await measure(variants, { rounds, calls: 25, warmUp: 50 })
        results.push({
          ...{ entries, contender: contender.name, fillSeconds },
          milliseconds: milliseconds.get(contender.name) ?? Number.NaN,
          ratio: ratio(contender.name, other.name).median,
        })
      }
    } finally {
      for (const entrant of entrants) await entrant.leave()
    }
  }
  return results
}
