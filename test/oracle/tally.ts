import { countCalls, type Step } from './steps.ts'
import type { Shown } from './twins.ts'

/** What was compared. */
export class Tally {
  readonly #started = Date.now()
  operations = 0
  entries = 0
  sequences = 0
  /** Error code → how many calls and transactions ended in it. */
  readonly errors = new Map<string, number>()

  get seconds(): number {
    return (Date.now() - this.#started) / 1000
  }

  add({ outcomes, entries }: Shown, steps: readonly Step[]): void {
    this.operations += countCalls(steps)
    this.entries += entries
    this.sequences++
    for (const outcome of outcomes) {
      if (!('error' in outcome)) continue
      const { code, name } = outcome.error as { code?: string; name: string }
      this.errors.set(code ?? name, (this.errors.get(code ?? name) ?? 0) + 1)
    }
  }
}

/** One line for people to read. */
export function describeTally(schema: string, seed: number, tally: Tally): string {
  const { operations, entries, sequences, seconds } = tally
  const errors = [...tally.errors]
    .sort(([, one], [, other]) => other - one)
    .map(([code, n]) => `${n} × ${code}`)
  return (
    `${schema}, seed ${seed}: ${operations} operations in ${sequences} sequences and ${seconds.toFixed(0)} s, ` +
    `${entries} entries, all as the oracle and the twin; refused alike: ${errors.join(', ') || 'none'}`
  )
}
