import fc from 'fast-check'
import { expect, it } from 'vitest'
import { loadSchema } from './schemas.ts'
import { printSteps } from './steps.ts'
import { Tally } from './tally.ts'
import { Twins } from './twins.ts'

const schema = await loadSchema('test-schema')
const twins = await Twins.create(schema)

/** What constraints, other callers and the steps themselves may refuse; anything else is a statement gone wrong. */
const refusals = [
  ...['P2002', 'P2003', 'P2010', 'P2011', 'P2014', 'P2017', 'P2018', 'P2020', 'P2025', 'P2028', 'P2034'],
  ...['40P01', 'Error'],
]

it('the log is what row triggers saw, also when several callers write at once', {
  timeout: 180_000,
}, async () => {
  const { ORACLE_SEED: seed = `${Date.now() & 0x7fffffff}` } = process.env
  const tally = new Tally()
  const caller = fc.array(schema.steps, { minLength: 5, maxLength: 12, size: 'max' })
  await fc.assert(
    fc.asyncProperty(fc.array(caller, { minLength: 4, maxLength: 4 }), async (callers) => {
      tally.add(await twins.expectLogOf(callers), callers.flat())
    }),
    {
      seed: Number(seed),
      numRuns: 8,
      endOnFailure: true, // another run would have another order
      reporter: ({ failed, counterexample, errorInstance }) => {
        if (!failed) return
        const programs = counterexample?.[0].map((steps) => printSteps(steps)) ?? []
        throw new Error(`Seed ${seed}:\n${programs.join('\n\nwhile\n\n')}`, { cause: errorInstance })
      },
    },
  )
  expect(tally.entries, `seed ${seed}`).toBeGreaterThan(100)
  expect(
    [...tally.errors.keys()].filter((code) => !refusals.includes(code)),
    `seed ${seed}`,
  ).toEqual([])
})
