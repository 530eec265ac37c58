import fc from 'fast-check'
import { emptyingSql, firstRows } from '../../test/oracle/first-rows.ts'
import { masked, sameOrder } from '../../test/oracle/masks.ts'
import { perform } from '../../test/oracle/perform.ts'
import { loadSchema } from '../../test/oracle/schemas.ts'
import { countCalls, printSteps, type Step } from '../../test/oracle/steps.ts'
import type { Outcome } from '../../test/support/outcome.ts'
import type { Contender, RecordedChange } from './contender.ts'
import { type Entrant, enter } from './database.ts'
import { isExact, isNoChange } from './exact.ts'
import { installTruth, readTruth, type TrueChange } from './truth.ts'
import { unaudited } from './unaudited.ts'

export interface Correctness {
  readonly seed: number
  /** Of the operations, how many changed rows for good: these must be recorded. */
  readonly changing: number
  /** How many changed none, as they found none, were refused or rolled back: these must leave nothing. */
  readonly others: number
  readonly of: Readonly<Record<string, Score>>
}

export interface Score {
  /** Of the changing operations: same result as unaudited, and every entry right. */
  exact: number
  /** Of the others: came out differently, or left a change or an entry. */
  wrong: number
  /** Of all operations: were in a step that never came back, and so neither exact nor right. */
  stuck: number
  /** The first steps that went wrong, as a program. */
  readonly examples: string[]
}

/** What came of a step. */
interface Shown {
  readonly outcomes: readonly Outcome[]
  readonly truth: readonly TrueChange[]
  readonly entries: readonly RecordedChange[]
}

/** Who waits for itself must not keep the others waiting: in the server, */
const impatient = { options: '-c lock_timeout=1s -c idle_in_transaction_session_timeout=2s' }
/** and in the client, in milliseconds. */
const patience = 15_000

/**
 * Random steps of the oracle suite, each from the same first rows, by every contender. A transaction is exact as a whole
 * or not at all, and counts as its operations.
 */
export async function compareCorrectness(
  url: string,
  contenders: readonly Contender[],
  { operations, seed }: { operations: number; seed: number },
): Promise<Correctness> {
  const schema = await loadSchema('peers')
  const entrants: Runner[] = []
  const start = (contender: Contender) => startRunner(url, contender, firstRows(schema.dataModel))
  try {
    for (const contender of contenders) entrants.push(await start(contender))
    const of = Object.fromEntries(
      contenders.map(({ name }): [string, Score] => [name, { exact: 0, wrong: 0, stuck: 0, examples: [] }]),
    )
    let [changing, others] = [0, 0]
    for (const step of stepsFrom(schema.steps, seed, operations)) {
      const shown = await Promise.all(entrants.map((runner) => showInTime(runner, step)))
      const plain = shown[contenders.findIndex(({ name }) => name === unaudited.name)]
      if (!plain) throw new Error('There is nothing to compare with')
      const calls = countCalls([step])
      const isChanging = !plain.truth.every(isNoChange)
      if (isChanging) changing += calls
      else others += calls
      for (const [index, contender] of contenders.entries()) {
        const [own, score] = [shown[index], of[contender.name]]
        if (!score) continue
        const isRight =
          own !== undefined && sameResult(own, plain) && isExact(own.truth, own.entries, contender.log)
        if (isRight && isChanging) score.exact += calls
        if (!isRight && !isChanging) score.wrong += calls
        if (!own) {
          score.stuck += calls
          await entrants[index]?.entrant.abandon()
          entrants[index] = await start(contender)
        }
        if (!isRight && score.examples.length < 5) score.examples.push(printSteps([step]))
      }
    }
    return { seed, changing, others, of }
  } finally {
    for (const { entrant } of entrants) await entrant.leave()
  }
}

/** The same steps for the same seed. */
function stepsFrom(steps: fc.Arbitrary<Step>, seed: number, operations: number): Step[] {
  const chosen: Step[] = []
  let calls = 0
  for (const step of fc.sample(steps, { seed, numRuns: operations })) {
    if (calls >= operations) break
    chosen.push(step)
    calls += countCalls([step])
  }
  return chosen
}

/** A contender, and the SQL that gives it the first rows again. */
interface Runner {
  readonly entrant: Entrant
  readonly restart: string
}

async function startRunner(url: string, contender: Contender, rows: string): Promise<Runner> {
  const entrant = await enter(url, contender, {
    pool: impatient,
    prepare: async (pool, { log }) => await installTruth(pool, log.tables),
  })
  const empty = await emptyingSql(async (sql) => (await entrant.pool.query(sql)).rows)
  const restart = `BEGIN; SET LOCAL session_replication_role = replica;
    ${empty}\n${rows}\nTRUNCATE oracle.change; COMMIT;`
  return { entrant, restart }
}

/** Undefined when the step does not come back. */
async function showInTime(runner: Runner, step: Step): Promise<Shown | undefined> {
  let timer: NodeJS.Timeout | undefined
  const end = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patience, undefined)
  })
  return await Promise.race([show(runner, step), end]).finally(() => clearTimeout(timer))
}

async function show({ entrant: { contender, client, pool }, restart }: Runner, step: Step): Promise<Shown> {
  await pool.query(restart)
  const known = new Set((await contender.log.read(pool)).map(({ key }) => key))
  const outcomes = await perform(client, step, async (_, work) => await work())
  const entries = await contender.log.read(pool)
  return { outcomes, truth: await readTruth(pool), entries: entries.filter(({ key }) => !known.has(key)) }
}

/** The same values or errors for the caller, and the same changes in the tables. How an error reads is let pass. */
function sameResult(own: Shown, plain: Shown): boolean {
  const outcome = (one: Outcome) =>
    'error' in one ? { error: (one.error as { code?: string }).code ?? 'error' } : one.value
  const result = ({ outcomes }: Shown) => text(outcomes.map(outcome))
  const changes = ({ truth }: Shown) =>
    truth.map(({ table, verb, before, after }) => text([table, verb, before, after])).sort()
  return result(own) === result(plain) && text(changes(own)) === text(changes(plain))
}

function text(value: unknown): string {
  return JSON.stringify(masked(sameOrder(value)), (_, inner) =>
    typeof inner === 'bigint' ? `${inner}n` : inner,
  )
}
