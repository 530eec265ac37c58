/** One way to do what a case measures: with the plain client, with the audited one, or by hand. */
export interface Variant {
  readonly name: string
  /** Untimed, before each block: gets ready what its calls need. */
  prepare(calls: number): Promise<void>
  /** One timed call. */
  call(): Promise<unknown>
}

export interface Measurement {
  /** Variant → the median of all its calls, in milliseconds. */
  readonly milliseconds: ReadonlyMap<string, number>
  /** The median over the rounds of one variant's round median divided by another's. */
  ratio(variant: string, to: string): OverRounds
  /** The same of one less the other, in milliseconds. */
  difference(variant: string, from: string): OverRounds
}

export interface OverRounds {
  readonly median: number
  /** The middle half of the rounds. */
  readonly quartiles: readonly [number, number]
}

interface Samples {
  readonly all: number[]
  readonly roundMedians: number[]
}

/**
 * Interleaved rounds. Each round runs every variant twice, in mirrored order (A B B A, the next round B A A B), so that
 * whatever drifts on the machine reaches all alike. Variants are compared within a round, and the median is taken over the rounds.
 */
export async function measure(
  variants: readonly Variant[],
  { rounds, calls, warmUp }: { rounds: number; calls: number; warmUp: number },
): Promise<Measurement> {
  const samples = new Map<string, Samples>(variants.map(({ name }) => [name, { all: [], roundMedians: [] }]))
  for (const variant of variants) await runBlock(variant, warmUp)

  for (let round = 0; round < rounds; round++) {
    const forward = round % 2 === 0 ? variants : variants.toReversed()
    const times = new Map<string, number[]>()
    for (const variant of [...forward, ...forward.toReversed()]) {
      times.set(variant.name, [...(times.get(variant.name) ?? []), ...(await runBlock(variant, calls))])
    }
    for (const [name, ofRound] of times) {
      samples.get(name)?.all.push(...ofRound)
      samples.get(name)?.roundMedians.push(median(ofRound))
    }
  }

  const compare = (one: string, other: string, by: (one: number, other: number) => number): OverRounds => {
    const others = samples.get(other)?.roundMedians ?? []
    const found = (samples.get(one)?.roundMedians ?? []).map((value, round) =>
      by(value, others[round] ?? Number.NaN),
    )
    return overRounds(found)
  }
  return {
    milliseconds: new Map([...samples].map(([name, { all }]) => [name, median(all)])),
    ratio: (variant, to) => compare(variant, to, (above, below) => above / below),
    difference: (variant, from) => compare(variant, from, (whole, part) => whole - part),
  }
}

async function runBlock(variant: Variant, calls: number): Promise<number[]> {
  await variant.prepare(calls)
  const times: number[] = []
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    await variant.call()
    times.push(performance.now() - start)
  }
  return times
}

export function overRounds(values: readonly number[]): OverRounds {
  return { median: median(values), quartiles: [quantile(values, 0.25), quantile(values, 0.75)] }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * part
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]]
  if (below === undefined || above === undefined) return Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
