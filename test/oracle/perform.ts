import { type Outcome, outcome } from '../support/outcome.ts'
import {
  type Call,
  isTagged,
  isTransaction,
  type RawCall,
  type Step,
  type Transaction,
  templateOf,
} from './steps.ts'

// biome-ignore lint/suspicious/noExplicitAny: a client of any schema, or its transaction, audited or not
export type Client = any

/** Runs what is one call to the audit: a call, or a whole batch. */
export type Around = <T>(operations: readonly string[], work: () => PromiseLike<T>) => Promise<T>

/** Performs a step, and gives what came of each call in it, and of each transaction. */
export async function perform(client: Client, step: Step, around: Around): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  await performOn(client, step, around, outcomes).catch(() => {}) // what failed is among the outcomes
  return outcomes
}

async function performOn(client: Client, step: Step, around: Around, outcomes: Outcome[]): Promise<void> {
  let failure: { error: unknown } | undefined
  const told = await outcome(async () => {
    try {
      return await attempt(client, step, around, outcomes)
    } catch (error) {
      failure = { error }
      throw error
    }
  })
  outcomes.push(told)
  if (failure) throw failure.error
}

function attempt(client: Client, step: Step, around: Around, outcomes: Outcome[]): PromiseLike<unknown> {
  if (!isTransaction(step)) return around([step.operation], () => run(client, step))
  if (step.transaction === 'batch') {
    const calls = step.steps as readonly Call[]
    return around(
      calls.map(({ operation }) => operation),
      () => client.$transaction(calls.map((call) => run(client, call))),
    )
  }
  return client.$transaction(
    (tx: Client) => inside(tx, step, around, outcomes),
    // a slow machine must not end a transaction
    step.transaction === 'interactive' ? { timeout: 120_000, maxWait: 120_000 } : undefined,
  )
}

async function inside(tx: Client, block: Transaction, around: Around, outcomes: Outcome[]): Promise<void> {
  for (const step of block.steps) {
    const work = performOn(tx, step, around, outcomes)
    // a nested transaction that failed is a savepoint gone back to, and the outer one goes on
    await (isTransaction(step) ? work.catch(() => {}) : work)
  }
  if (block.end === 'is rolled back') throw new Error('rolled back')
}

function run(client: Client, { model, operation, args }: Call): PromiseLike<unknown> {
  if (model !== '') return client[model][operation](args)
  if (!isTagged(operation)) return client[operation](...(args as unknown[]))
  const [strings, values] = templateOf(args as RawCall['args'])
  return client[operation](strings, ...values)
}
