import fc from 'fast-check'
import { loadSchema } from './schemas.ts'
import { printSteps, type Step } from './steps.ts'
import { describeTally, Tally } from './tally.ts'
import { type SetUp, Twins } from './twins.ts'

/** How much is to be shown on a schema. */
export interface Request {
  /** How many operations at least. */
  readonly operations: number
  readonly seed: number
  /** When to stop all the same: seconds. */
  readonly seconds: number
}

/** Random sequences, run on a schema until enough operations were compared. */
export async function prove(
  schemaName: string,
  setUp?: SetUp,
): Promise<(request: Request) => Promise<Tally>> {
  const schema = await loadSchema(schemaName)
  const twins = await Twins.create(schema, setUp)
  const sequences = fc.array(schema.steps, { minLength: 1, maxLength: 25, size: 'max' })
  return async ({ operations, seed, seconds }) => {
    const tally = new Tally()
    const end = Date.now() + seconds * 1000
    // a seed gives a hundred sequences, so what the next ones are does not depend on how many there will be
    for (let part = 0; tally.operations < operations && Date.now() < end; part++) {
      let isFailing = false
      const details = await fc.check(
        fc.asyncProperty(sequences, async (steps) => {
          if (!isFailing && tally.operations >= operations) return
          try {
            const shown = await twins.expectSame(steps)
            if (!isFailing) tally.add(shown, steps)
          } catch (error) {
            isFailing = true // from here on it is shrinking
            throw error
          }
        }),
        { seed: seed + part, numRuns: 100, interruptAfterTimeLimit: Math.max(end - Date.now(), 1000) },
      )
      if (details.failed && details.counterexample) {
        throw failure(schemaName, seed + part, details.counterexample[0], details.errorInstance)
      }
    }
    console.log(describeTally(schemaName, seed, tally))
    return tally
  }
}

function failure(schema: string, seed: number, steps: readonly Step[], cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new Error(
    `The audited client and the oracle differ on ${schema}, after the first rows and\n\n${printSteps(steps)}\n\n` +
      `Again: npm run test:oracle -- --schema ${process.env.ORACLE_FILE ?? schema} --seed ${seed}\n\n${message}`,
    { cause },
  )
}
