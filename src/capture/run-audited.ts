import type { Attribution } from '../attribution.ts'
import { AuditError } from '../errors.ts'
import {
  type AdapterLike,
  type ArgumentType,
  type Connection,
  inTransaction,
  plain,
  type SqlQuery,
  type SqlResult,
} from '../postgres/connection.ts'
import { withoutLastColumns } from '../postgres/result.ts'
import type { Renumbered } from './parse/parameters.ts'
import type { AuditedPlan } from './plan.ts'

const textType: ArgumentType = { scalarType: 'string', arity: 'scalar' }

/** How often an upsert that loses the race for its key is tried again. */
const upsertAttempts = 10

/** Runs an audited statement in place of `query`; returns the rows of the plan's statement. */
export function runAudited(
  plan: AuditedPlan,
  query: SqlQuery,
  connection: Connection | AdapterLike,
  attribution: Attribution,
): Promise<SqlResult> {
  const audited = ({ sql, parameters }: AuditedPlan, lockedRows?: string): SqlQuery => {
    const { args, argTypes } = parameters.bind(attribution, lockedRows)
    return { sql, args: [...query.args, ...args], argTypes: [...query.argTypes, ...argTypes] }
  }
  if (plan.lock === undefined && plan.readLater === undefined)
    return connection.queryRaw(audited(plan)).then((result) => withoutLastColumns(result, plan.surplus))
  return inTransaction(connection, async (transaction) => {
    const ahead = () => takeLocks(plan, query, transaction)
    const run = ({ plan: narrowed, addresses }: Locked) => transaction.queryRaw(audited(narrowed, addresses))
    const { result, locked } = plan.countsMissed
      ? await runUntilLocked(ahead, run, transaction)
      : await ahead().then(async (locked) => ({ result: await run(locked), locked }))
    const { readLater, surplus } = locked.plan
    if (readLater !== undefined) {
      await transaction.queryRaw({ sql: readLater.sql, ...readLater.parameters.bind(attribution) })
    }
    return withoutLastColumns(result, surplus)
  })
}

/** What was locked before a statement. */
interface Locked {
  /** With all that the rows reach. */
  readonly plan: AuditedPlan
  /** Of the statement's own rows, as the text of an array. */
  readonly addresses: string
}

/** Locks the rows of a statement, and those that referential actions reach. */
async function takeLocks(plan: AuditedPlan, query: SqlQuery, transaction: Connection): Promise<Locked> {
  const { lock } = plan
  const locked = lock ? (await transaction.queryRaw(withParametersOf(query, lock.rows))).rows : []
  const addresses = `{${locked.map(([address]) => `"${address}"`).join(',')}}`
  // no row, no referential action: an update that keeps its keys, or that finds nothing
  if (locked.length === 0) return { plan, addresses }
  const given = {
    ...query,
    args: [...query.args, addresses],
    argTypes: [...query.argTypes, textType],
  }
  await lockReached(plan, given, transaction)
  return { plan: await withAllReached(plan, given, transaction), addresses }
}

/**
 * Where many tables can be reached, the plan that has those with rows. Each answer is exact: the rows that it is about are
 * locked, so nobody can add others below them.
 */
async function withAllReached(
  plan: AuditedPlan,
  given: SqlQuery,
  transaction: Connection,
): Promise<AuditedPlan> {
  const { lock, further } = plan
  if (!lock?.ask || !further) return plan
  const { rows } = await transaction.queryRaw(withParametersOf(given, lock.ask))
  const answer = String(rows[0]?.[0] ?? '')
  if (answer === '') return plan
  const wider = further(answer)
  await lockReached(wider, given, transaction)
  return withAllReached(wider, given, transaction)
}

/** Child rows that are inserted during the locking are locked in the next round, until there are no more. */
async function lockReached({ lock }: AuditedPlan, given: SqlQuery, transaction: Connection): Promise<void> {
  if (!lock?.reached) return
  const reached = withParametersOf(given, lock.reached)
  let [before, now] = [-1, 0]
  do {
    before = now
    const { rows } = await transaction.queryRaw(reached)
    now = Number(rows[0]?.[0])
  } while (lock.isDeep && now !== before)
}

/**
 * Locks the rows in conflict, then upserts. A row that another transaction inserted in between was not locked, so its
 * old state and its child rows are unknown. That attempt is undone and repeated, now with a row to lock.
 */
async function runUntilLocked(
  lock: () => Promise<Locked>,
  run: (locked: Locked) => Promise<SqlResult>,
  transaction: Connection,
): Promise<{ result: SqlResult; locked: Locked }> {
  for (let attempt = 0; attempt < upsertAttempts; attempt++) {
    const locked = await lock()
    await transaction.executeRaw(plain('SAVEPOINT audit_upsert'))
    const result = await run(locked)
    const missed = Number(result.rows[0]?.at(-1) ?? 0)
    await transaction.executeRaw(plain(`${missed > 0 ? 'ROLLBACK TO' : 'RELEASE'} SAVEPOINT audit_upsert`))
    if (missed === 0) return { result, locked }
  }
  throw new AuditError(
    'AUDIT_CONTENDED',
    `An upsert lost the race for its key ${upsertAttempts} times, each time to a row that another transaction had just inserted. The row that it would replace is unknown, so nothing was written. Try again.`,
  )
}

/** One of our own statements that takes some of a query's parameters. */
function withParametersOf({ args, argTypes, ...query }: SqlQuery, { sql, parameters }: Renumbered): SqlQuery {
  return {
    ...query,
    sql,
    args: parameters.map((index) => args[index]),
    argTypes: parameters.flatMap((index) => argTypes[index] ?? []),
  }
}
