import { scanSync } from 'libpg-query'
import { AuditError } from '../errors.ts'
import {
  type AdapterLike,
  type Connection,
  inTransaction,
  plain,
  type SqlQuery,
  type SqlResult,
} from '../postgres/connection.ts'
import type { Plan } from './plan.ts'
import type { Attribution } from './rewrite/entry.ts'

type AuditedPlan = Extract<Plan, { kind: 'audited' }>

/** How often an upsert that loses the race for its key is tried again. */
const upsertAttempts = 10

/** Runs an audited statement in place of `query`; gives the rows that the plan's statement gives. */
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
  const { lockRows, surplus } = plan
  if (lockRows === undefined)
    return connection.queryRaw(audited()).then((result) => withoutLastColumns(result, surplus))
  return inTransaction(connection, async (transaction) => {
    const lock = async () => {
      const locked = await transaction.queryRaw(withUsedParameters(lockRows, query))
      // no row, no referential action: an update that leaves its key as it is, or that finds nothing
      if (plan.lockReached !== undefined && locked.rows.length > 0) {
        await lockAll(withUsedParameters(plan.lockReached, query), plan.isDeep, transaction)
      }
      return locked
    }
    const runOnce = async () => transaction.queryRaw(audited(addresses(await lock())))
    const result = await (plan.countsMissed ? runUpsert(audited, lock, transaction) : runOnce())
    if (plan.readLater !== undefined) {
      await transaction.queryRaw({ sql: plan.readLater, ...plan.laterParameters.bind(attribution) })
    }
    return result
  })
}

/** The rows that a lock gave, as the text of an array. */
function addresses({ rows }: SqlResult): string {
  return `{${rows.map(([address]) => `"${address}"`).join(',')}}`
}

/** Rows that come in below others while these are locked are locked in the next round, until there are no more. */
async function lockAll(lock: SqlQuery, isDeep: boolean, transaction: Connection): Promise<void> {
  let [before, now] = [-1, 0]
  do {
    before = now
    const { rows } = await transaction.queryRaw(lock)
    now = Number(rows[0]?.[0])
  } while (isDeep && now !== before)
}

/**
 * Before PostgreSQL 18: locks the rows in conflict, then upserts. A row that another transaction inserted between the
 * two was not locked, so its before-state is unknown: that attempt is undone and repeated, now with a row to lock.
 */
async function runUpsert(
  audited: (lockedRows: string) => SqlQuery,
  lock: () => Promise<SqlResult>,
  transaction: Connection,
): Promise<SqlResult> {
  for (let attempt = 0; attempt < upsertAttempts; attempt++) {
    const locked = addresses(await lock())
    await transaction.executeRaw(plain('SAVEPOINT audit_upsert'))
    const result = await transaction.queryRaw(audited(locked))
    const missed = Number(result.rows[0]?.at(-1) ?? 0)
    await transaction.executeRaw(plain(`${missed > 0 ? 'ROLLBACK TO' : 'RELEASE'} SAVEPOINT audit_upsert`))
    if (missed === 0) return withoutLastColumns(result, 1)
  }
  throw new AuditError(
    'AUDIT_CONTENDED',
    `An upsert lost the race for its key ${upsertAttempts} times, so the state that it replaces is unknown. Nothing was written. Try again, or use PostgreSQL 18, where one statement is enough.`,
  )
}

/** A result without columns of ours; one that has no others has no rows either, as from a statement without RETURNING. */
function withoutLastColumns(result: SqlResult, surplus: number): SqlResult {
  if (surplus === 0) return result
  const { columnNames, columnTypes, rows, ...rest } = result
  const remaining = columnNames.slice(0, -surplus)
  return {
    ...rest,
    columnNames: remaining,
    columnTypes: columnTypes.slice(0, -surplus),
    rows: remaining.length === 0 ? [] : rows.map((row) => row.slice(0, -surplus)),
  }
}

/** A statement that uses only some of a query's parameters: PostgreSQL wants them numbered without gaps. */
function withUsedParameters(sql: string, query: SqlQuery): SqlQuery {
  const bytes = Buffer.from(sql)
  const used: number[] = []
  let text = ''
  let end = 0
  for (const token of scanSync(sql).tokens) {
    if (token.tokenName !== 'PARAM') continue
    const index = Number(token.text.slice(1)) - 1
    if (!used.includes(index)) used.push(index)
    text += `${bytes.subarray(end, token.start)}$${used.indexOf(index) + 1}`
    end = token.end
  }
  return {
    ...query,
    sql: text + bytes.subarray(end),
    args: used.map((index) => query.args[index]),
    argTypes: used.flatMap((index) => query.argTypes[index] ?? []),
  }
}
