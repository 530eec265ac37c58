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
  const audited = (lockedRows?: string): SqlQuery => {
    const { args, argTypes } = plan.parameters.bind(attribution, lockedRows)
    return { sql: plan.sql, args: [...query.args, ...args], argTypes: [...query.argTypes, ...argTypes] }
  }
  const { lock, readLater, surplus } = plan
  if (lock === undefined)
    return connection.queryRaw(audited()).then((result) => withoutLastColumns(result, surplus))
  return inTransaction(connection, async (transaction) => {
    const ahead = () => takeLocks(lock, query, transaction)
    const run = (locked: string) => transaction.queryRaw(audited(locked))
    const result = await (plan.countsMissed ? runUntilLocked(ahead, run, transaction) : run(await ahead()))
    if (readLater !== undefined) {
      await transaction.queryRaw({ sql: readLater.sql, ...readLater.parameters.bind(attribution) })
    }
    return withoutLastColumns(result, surplus)
  })
}

/**
 * Locks the rows of a statement, and those that referential actions reach.
 *
 * @returns the addresses of its own rows, as the text of an array
 */
async function takeLocks(
  { rows, reached, isDeep }: NonNullable<AuditedPlan['lock']>,
  query: SqlQuery,
  transaction: Connection,
): Promise<string> {
  const locked = await transaction.queryRaw(withParametersOf(query, rows))
  const addresses = `{${locked.rows.map(([address]) => `"${address}"`).join(',')}}`
  // no row, no referential action: an update that keeps its keys, or that finds nothing
  if (reached && locked.rows.length > 0) {
    const { args, argTypes } = query
    const given = { ...query, args: [...args, addresses], argTypes: [...argTypes, textType] }
    await lockReached(withParametersOf(given, reached), isDeep, transaction)
  }
  return addresses
}

/** Child rows that are inserted during the locking are locked in the next round, until there are no more. */
async function lockReached(lock: SqlQuery, isDeep: boolean, transaction: Connection): Promise<void> {
  let [before, now] = [-1, 0]
  do {
    before = now
    const { rows } = await transaction.queryRaw(lock)
    now = Number(rows[0]?.[0])
  } while (isDeep && now !== before)
}

/**
 * Locks the rows in conflict, then upserts. A row that another transaction inserted in between was not locked, so its
 * old state and its child rows are unknown. That attempt is undone and repeated, now with a row to lock.
 */
async function runUntilLocked(
  lock: () => Promise<string>,
  run: (locked: string) => Promise<SqlResult>,
  transaction: Connection,
): Promise<SqlResult> {
  for (let attempt = 0; attempt < upsertAttempts; attempt++) {
    const locked = await lock()
    await transaction.executeRaw(plain('SAVEPOINT audit_upsert'))
    const result = await run(locked)
    const missed = Number(result.rows[0]?.at(-1) ?? 0)
    await transaction.executeRaw(plain(`${missed > 0 ? 'ROLLBACK TO' : 'RELEASE'} SAVEPOINT audit_upsert`))
    if (missed === 0) return result
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
