import { parseArgs } from 'node:util'

const usage = `npm run bench -- [options]
  --rounds N    rounds of each case (default 20; quick: 4)
  --only TEXT   only the cases whose name contains TEXT; may be given several times
  --entries N   entries of the log of "scale" (default 1,000,000) and of "seal" (default 200,000)
  --quick       fewer rounds and calls, and not the slowest case: noisier
  --json        the results as JSON on standard output
  --list        the names of the cases
--only peers compares with other ways to audit and writes docs/benchmark.md and docs/images/benchmark.svg.`

export interface BenchOptions {
  readonly rounds: number
  /** Parts of case names; empty means every case. */
  readonly only: readonly string[]
  /** How large the log of "scale", or of "seal", is to be; undefined for what is usual there. */
  readonly entries: number | undefined
  readonly quick: boolean
  readonly json: boolean
  readonly list: boolean
}

/** The command line as options; prints the usage and gives undefined when it asks for help or can't be read. */
export function readOptions(args: string[]): BenchOptions | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        entries: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) throw new Error(usage)
    const { only, quick, json, list } = values
    const rounds = Number(values.rounds ?? (quick ? 4 : 20))
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds is a whole number from 1 on\n${usage}`)
    const entries = values.entries === undefined ? undefined : Number(values.entries.replaceAll(/[_,]/g, ''))
    if (entries !== undefined && !(Number.isInteger(entries) && entries >= 1_000))
      throw new Error(`--entries is a whole number from 1,000 on\n${usage}`)
    return { rounds, entries, only, quick, json, list }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return undefined
  }
}
