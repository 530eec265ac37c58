import type { Attribution } from '../attribution.ts'
import { AuditError } from '../errors.ts'
import { missingPartition } from '../log/log-partitions.ts'
import { NotRead } from '../postgres/catalog.ts'
import { type Connection, isPool, plain, withSavepoint } from '../postgres/connection.ts'
import { lacksPartition } from '../postgres/partitions.ts'
import { checkViolation, sqlStateOf } from '../postgres/sql-state.ts'
import { type Meaning, meaningOf } from './meaning.ts'
import { ParserNeeded } from './parse/syntax.ts'
import type { UncapturableReason } from './parse/uncapturable.ts'
import { type AuditedPlan, isUnknownTable, type Plan, type UncapturablePlan } from './plan.ts'
import { entryShape } from './rewrite/entry-parameters.ts'
import { runAudited } from './run-audited.ts'
import { runCarried } from './run-carried.ts'
import { refuseUncapturable, runUncapturable } from './run-uncapturable.ts'
import { type CaptureScope, operationOf, runOutsideScope } from './scope.ts'
import type { StatementAtHand } from './statement-at-hand.ts'
import { withEntriesInside } from './with-entries-inside.ts'

/** Of a policy, too. */
const insufficientPrivilege = '42501'

/** What `audit_logs_context` raises: the triggers of a table are not those of the catalog. */
const triggersChanged = 'ZA002'

/** Undefined table, column or function, a different number of columns: a migration has made the catalog outdated. */
const outdatedStates = new Set(['42P01', '42703', '42883', '42846', triggersChanged])

/** Raw statements that may change the catalog. */
const redefining = new Set<UncapturableReason>([
  'definition',
  'several-statements',
  'procedure',
  'select-into',
])

/**
 * Runs one statement of a scope: unchanged when it only reads, rewritten when it writes. With AsyncLocalStorage every
 * promise costs time, so a statement with a plan uses no more of them than it needs.
 */
export async function capture<T>(captured: StatementAtHand<T>): Promise<T> {
  const { scope, connection, database, query } = captured
  const { context, revertOf } = scope
  const attribution: Attribution = { context, operation: operationOf(scope, query.sql), revertOf }
  try {
    if (scope.verifies) await verify(captured)
    const plan = knownPlan(captured, attribution) ?? (await planFor(captured, attribution))
    try {
      return await runPlan(plan, captured, attribution)
    } catch (error) {
      scope.failedToWrite = plan.kind !== 'pass' || plan.writes === true
      const state = sqlStateOf(error) ?? ''
      if (
        state === insufficientPrivilege &&
        plan.kind === 'audited' &&
        !plan.restricted &&
        isPool(connection) &&
        (await answers(plan.lacksPrivilege, connection))
      ) {
        return await runTextOnly(captured, attribution)
      }
      const { table } = scope.configuration.options
      if (state === checkViolation && isPool(connection) && (await lacksPartition(connection, table))) {
        throw missingPartition(table, error)
      }
      if (!('sql' in plan) || !outdatedStates.has(state)) throw error
      database.forget()
      // a failed statement ends its transaction; outside of one, it can be planned again
      if (!isPool(connection))
        throw state === '42846' || state === triggersChanged ? schemaChanged(error) : error
      const renewed = await planFor(captured, attribution)
      if ('sql' in renewed && renewed.sql === plan.sql) throw error
      return await runPlan(renewed, captured, attribution)
    }
  } catch (error) {
    if (error instanceof AuditError) scope.error = error
    throw error
  }
}

/** Reads the catalog again, and checks every table with triggers. */
async function verify<T>({ scope, connection, database }: StatementAtHand<T>): Promise<void> {
  database.forget()
  await database.plan(scope.configuration, connection, (planner) => planner.verifyTriggers())
}

function schemaChanged(cause: unknown): AuditError {
  return new AuditError(
    'AUDIT_SCHEMA_CHANGED',
    'A migration changed the table, or the triggers that record it, since the audit last looked. Inside a transaction the statement cannot be repeated, so it wrote nothing, and the transaction has to be rolled back. Run the transaction again.',
    { cause },
  )
}

/** The plan of a statement that was planned before, if the session need not be asked what it writes to. */
function knownPlan<T>(
  { scope, query, connection, database, want }: StatementAtHand<T>,
  attribution: Attribution,
): Plan | undefined {
  const planner = database.knownPlanner(scope.configuration, connection)
  try {
    return planner?.known(query.sql, query.args.length, want, entryShape(attribution), !isPool(connection))
  } catch (error) {
    if (error instanceof NotRead || error instanceof ParserNeeded) return undefined
    throw error
  }
}

async function planFor<T>(
  { scope, query, connection, database, want }: StatementAtHand<T>,
  attribution: Attribution,
): Promise<Plan> {
  const { configuration } = scope
  let meaning: Meaning | undefined
  const plan = async () => {
    const name = await database.plan(configuration, connection, (planner) =>
      planner.openName(query.sql, !isPool(connection)),
    )
    meaning = name === undefined ? undefined : await meaningOf(name, connection)
    return database.plan(configuration, connection, (planner) =>
      planner.plan(query.sql, query.args.length, want, entryShape(attribution), meaning?.oid),
    )
  }
  const made = await plan()
  if (!isUnknownTable(made) || meaning?.isTemporary) return made
  const names = await database.plan(configuration, connection, (planner) => planner.writtenNames(query.sql))
  database.forgetNames(names, connection) // the table may be newer than the catalog
  return plan()
}

function runPlan<T>(plan: Plan, captured: StatementAtHand<T>, attribution: Attribution): Promise<T> {
  const { query, connection, scope, run, resultOf } = captured
  if (plan.kind === 'pass') return run(connection, query)
  requireActor(scope)
  switch (plan.kind) {
    case 'audited':
      return plan.restricted
        ? runMaybeRestricted(plan, plan.restricted, captured, attribution)
        : runAudited(plan, query, connection, attribution).then(resultOf)
    case 'carried':
      return runCarried(plan, captured, attribution)
    case 'uncapturable':
      return runOpaque(plan, captured, attribution)
  }
}

/** Whether a query says yes. */
async function answers(question: string, connection: Connection): Promise<boolean> {
  const { rows } = await runOutsideScope(() => connection.queryRaw(plain(question)))
  return rows[0]?.[0] === true
}

/** Finds out whether the statement's role is restricted, and if so, does what it is allowed to do. */
async function runMaybeRestricted<T>(
  plan: AuditedPlan,
  { ask, plan: otherwise, isIncomplete }: NonNullable<AuditedPlan['restricted']>,
  captured: StatementAtHand<T>,
  attribution: Attribution,
): Promise<T> {
  const { query, connection, scope, resultOf } = captured
  if (!(await answers(ask, connection)))
    return runAudited(plan, query, connection, attribution).then(resultOf)
  if (isIncomplete && scope.configuration.options.uncapturable === 'throw')
    throw refuseUncapturable('row-security')
  if (otherwise.kind !== 'audited') return runPlan(otherwise, captured, attribution)
  // RETURNING may be refused where the statement alone is not
  const work = () => runAudited(otherwise, query, connection, attribution)
  try {
    return resultOf(await (isPool(connection) ? work() : withSavepoint(connection, work)))
  } catch (error) {
    if (sqlStateOf(error) !== insufficientPrivilege) throw error
    return runTextOnly(captured, attribution)
  }
}

/** Runs a statement as it is, where its entries took more than the role may read. */
async function runTextOnly<T>(captured: StatementAtHand<T>, attribution: Attribution): Promise<T> {
  const { scope, connection, database, query } = captured
  const plan = await database.plan(scope.configuration, connection, (planner) =>
    planner.textOnly(query.sql, entryShape(attribution)),
  )
  return runPlan(plan, captured, attribution)
}

async function runOpaque<T>(
  plan: UncapturablePlan,
  { query, connection, database, scope, run }: StatementAtHand<T>,
  attribution: Attribution,
): Promise<T> {
  if (plan.entry && scope.configuration.options.uncapturable === 'throw')
    throw refuseUncapturable(plan.reason)
  const result = await (plan.parts
    ? run(connection, { ...query, sql: withEntriesInside(plan, plan.parts, attribution) })
    : runUncapturable(plan, connection, attribution, (on) => run(on, query)))
  if (redefining.has(plan.reason)) database.redefinedOn(connection)
  return result
}

function requireActor({ configuration, hasActor }: CaptureScope): void {
  if (hasActor || !configuration.options.requireActor) return
  throw new AuditError(
    'AUDIT_ACTOR_REQUIRED',
    'A write has no actor, and the option requireActor is set. Nothing was written. Run it inside withAuditContext({ actor: { id, type } }, …).',
  )
}
