import type { Case, Goal, Repetition, VariantName } from './cases.ts'
import { type Clients, clientNames } from './clients.ts'
import { type BenchDatabase, resetTables } from './database.ts'
import { measure, type OverRounds, type Variant } from './measure.ts'

export interface CaseResult {
  readonly name: string
  /** Variant → median of all calls. */
  readonly milliseconds: Readonly<Partial<Record<VariantName, number>>>
  readonly ratios: readonly (Goal & OverRounds & { readonly isMet: boolean })[]
}

/** Measures one case on fresh tables, with all variants in each round. */
export async function runCase(
  { name, workload, byHand, extended, goals }: Case,
  clients: Clients,
  { pool, watched }: BenchDatabase,
  { calls, warmUp, ofRounds }: Repetition,
  rounds: number,
): Promise<CaseResult> {
  for (const one of [pool, watched.pool]) await resetTables(one)
  const variants: Variant[] = clientNames
    .filter((client) => client !== 'extended' || extended)
    .map((client) => ({
      name: client,
      ...workload(clients[client], client === 'triggers' ? watched.pool : pool),
    }))
  if (byHand) variants.splice(1, 0, { name: 'by hand', ...byHand(clients.plain, pool) })
  const { milliseconds, ratio } = await measure(variants, {
    rounds: Math.ceil(rounds * ofRounds),
    calls,
    warmUp,
  })
  return {
    name,
    milliseconds: Object.fromEntries(milliseconds),
    ratios: goals.map((goal) => {
      const measured = ratio(goal.of, goal.to)
      return { ...goal, ...measured, isMet: measured.median <= goal.atMost }
    }),
  }
}
