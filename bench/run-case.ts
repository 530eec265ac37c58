import type pg from 'pg'
import type { Case, Goal, Repetition } from './cases.ts'
import type { ClientPair } from './clients.ts'
import { resetTables } from './database.ts'
import { measure, type OverRounds, type Variant } from './measure.ts'

export interface CaseResult {
  readonly name: string
  /** Variant → median of all calls. */
  readonly milliseconds: Readonly<Record<string, number>>
  readonly ratios: readonly (Goal & OverRounds & { readonly isMet: boolean })[]
}

/** Measures one case on fresh tables. */
export async function runCase(
  { name, workload, byHand, goals }: Case,
  pair: ClientPair,
  pool: pg.Pool,
  { calls, warmUp, ofRounds }: Repetition,
  rounds: number,
): Promise<CaseResult> {
  await resetTables(pool)
  const variants: Variant[] = [
    { name: 'plain', ...workload(pair.plain, pool) },
    ...(byHand ? [{ name: 'by hand', ...byHand(pair.plain, pool) }] : []),
    { name: 'audited', ...workload(pair.audited, pool) },
  ]
  const { milliseconds, ratio } = await measure(variants, {
    rounds: Math.ceil(rounds * ofRounds),
    calls,
    warmUp,
  })
  return {
    name,
    milliseconds: Object.fromEntries(milliseconds),
    ratios: goals.map((goal) => {
      const measured = ratio('audited', goal.to)
      return { ...goal, ...measured, isMet: measured.median <= goal.atMost }
    }),
  }
}
