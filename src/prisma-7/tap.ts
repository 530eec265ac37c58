import { Database } from '../capture/database.ts'
import type { UncapturableReason } from '../capture/parse/uncapturable.ts'
import type { Plan } from '../capture/plan.ts'
import { refuseUncapturable, runUncapturable } from '../capture/raw-entry.ts'
import { type Attribution, entryShape } from '../capture/rewrite/entry.ts'
import type { Want } from '../capture/rewrite/rewrite.ts'
import { runAudited } from '../capture/run.ts'
import { type CaptureScope, currentScope, operationOf } from '../capture/scope.ts'
import { AuditError } from '../errors.ts'
import {
  type AdapterFactoryLike,
  type AdapterLike,
  type Connection,
  type SqlQuery,
  type SqlResult,
  sqlStateOf,
  type TransactionLike,
} from '../postgres/connection.ts'

const tapped = new WeakSet<object>()

/**
 * Puts the tap between Prisma and the database: every adapter that this factory connects from now on hands each
 * statement to the scope it runs in. Without a scope it passes everything through, so an unaudited client on the
 * same factory stays as it is. A factory is tapped once, however many clients share it.
 */
export function tapFactory(factory: AdapterFactoryLike): void {
  if (tapped.has(factory)) return
  tapped.add(factory)
  const connect = factory.connect
  factory.connect = async function tappedConnect(this: AdapterFactoryLike) {
    return tapAdapter(await connect.call(this))
  }
}

function tapAdapter(adapter: AdapterLike): AdapterLike {
  const database = new Database(adapter.getConnectionInfo?.().schemaName ?? 'public')
  const tappedAdapter: AdapterLike = override(adapter, {
    ...intercept(adapter, database, () => tappedAdapter),
    startTransaction: async (isolationLevel?: unknown) => {
      const transaction = endable(await adapter.startTransaction(isolationLevel), (ended) =>
        database.ended(ended),
      )
      return override(
        transaction,
        intercept(transaction, database, () => tappedAdapter),
      )
    },
  })
  return tappedAdapter
}

/**
 * A transaction that takes no statement once it has ended. One call of Prisma may be several statements of ours; when
 * Prisma's time-out ends the transaction between two of them, the next one would run on a connection that is free
 * again, outside any transaction, and commit.
 */
function endable(transaction: TransactionLike, onEnd: (transaction: Connection) => void): TransactionLike {
  let ended = false
  const refuseIfEnded = () => {
    if (ended) throw transactionEnded()
  }
  const endableTransaction: TransactionLike = override(transaction, {
    queryRaw: async (query) => {
      refuseIfEnded()
      return transaction.queryRaw(query)
    },
    executeRaw: async (query) => {
      refuseIfEnded()
      if (endsTransaction(query)) ended = true
      return transaction.executeRaw(query)
    },
    commit: () => {
      ended = true
      return transaction.commit().finally(() => onEnd(endableTransaction))
    },
    rollback: () => {
      ended = true
      return transaction.rollback().finally(() => onEnd(endableTransaction))
    },
  })
  return endableTransaction
}

function endsTransaction({ sql }: SqlQuery): boolean {
  return sql === 'COMMIT' || sql === 'ROLLBACK'
}

/** As a driver adapter says it, so that Prisma makes an error of its own of it. */
function transactionEnded(): Error {
  const reason =
    'The transaction ended, by its time-out or because it was not awaited, before this statement ran.'
  return Object.assign(new Error(reason, { cause: { kind: 'TransactionAlreadyClosed', cause: reason } }), {
    name: 'DriverAdapterError',
  })
}

/** An object with some methods replaced; the others are called on the object itself, private fields and all. */
function override<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(methods, key)) return methods[key as keyof T]
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function intercept(
  connection: Connection | AdapterLike,
  database: Database,
  self: () => AdapterLike,
): Connection {
  return {
    queryRaw(query) {
      const scope = currentScope()
      if (scope === undefined) return connection.queryRaw(query)
      if ('probe' in scope) return Promise.resolve(answerProbe(scope.probe, self()))
      const run = (on: Connection) => on.queryRaw(query)
      return capture({ query, connection, database, scope, want: 'rows', run, resultOf: (result) => result })
    },
    executeRaw(query) {
      const scope = currentScope()
      // the end of a transaction needs no plan, and must come also when none can be made: without it, the connection
      // would go back to the pool inside the transaction, and take the next caller's writes into it
      if (scope === undefined || endsTransaction(query)) return connection.executeRaw(query)
      if ('probe' in scope) return Promise.resolve(countOf(answerProbe(scope.probe, self())))
      const run = (on: Connection) => on.executeRaw(query)
      return capture({ query, connection, database, scope, want: 'count', run, resultOf: countOf })
    },
  }
}

function answerProbe(probe: { answer: AdapterLike | undefined }, adapter: AdapterLike): SqlResult {
  probe.answer = adapter
  return { columnNames: [], columnTypes: [], rows: [] }
}

function countOf({ rows }: SqlResult): number {
  return Number(rows[0]?.[0] ?? 0)
}

/** Undefined table, column or function, another number of columns: a migration changed what the catalog says. */
const outdatedStates = new Set(['42P01', '42703', '42883', '42846'])

/** Raw statements after which the catalog may be another. */
const redefining = new Set<UncapturableReason>([
  'definition',
  'several-statements',
  'procedure',
  'select-into',
])

interface Captured<T> {
  readonly query: SqlQuery
  readonly connection: Connection | AdapterLike
  readonly database: Database
  readonly scope: CaptureScope
  readonly want: Want
  readonly run: (connection: Connection) => Promise<T>
  readonly resultOf: (result: SqlResult) => T
}

/**
 * Runs one statement of a scope: as it is when it only reads, rewritten when it writes. Every promise costs where
 * AsyncLocalStorage is in use, so the way of a statement that is known already has no more of them than it needs.
 */
async function capture<T>(captured: Captured<T>): Promise<T> {
  const { scope, connection, database } = captured
  const { context, revertOf } = scope
  const attribution: Attribution = { context, operation: operationOf(scope), revertOf }
  try {
    const plan = knownPlan(captured, attribution) ?? (await planFor(captured, attribution))
    try {
      return await runPlan(plan, captured, attribution)
    } catch (error) {
      scope.failedToWrite = plan.kind !== 'pass' || plan.writes === true
      if (plan.kind !== 'audited' || !outdatedStates.has(sqlStateOf(error) ?? '')) throw error
      database.forget()
      // a failed statement ends the transaction it is in; outside of one it can be planned anew
      if (!('startTransaction' in connection))
        throw sqlStateOf(error) === '42846' ? schemaChanged(error) : error
      const renewed = await planFor(captured, attribution)
      if (renewed.kind === 'audited' && renewed.sql === plan.sql) throw error
      return await runPlan(renewed, captured, attribution)
    }
  } catch (error) {
    if (error instanceof AuditError) scope.error = error
    throw error
  }
}

function schemaChanged(cause: unknown): AuditError {
  return new AuditError(
    'AUDIT_SCHEMA_CHANGED',
    'A migration added or removed a column of the table since the audit last looked. Inside a transaction the statement can not be repeated, so nothing of it was written, and the transaction has to be rolled back. Run the transaction again.',
    { cause },
  )
}

/** The plan of a statement on a table that is in the catalog, where the catalog is read. */
function knownPlan<T>(
  { scope, query, connection, database, want }: Captured<T>,
  attribution: Attribution,
): Plan | undefined {
  const planner = database.knownPlanner(scope.auditor, connection)
  const plan = planner?.plan(query.sql, query.args.length, want, entryShape(attribution))
  return plan && isUnknownTable(plan) ? undefined : plan
}

async function planFor<T>(
  { scope, query, connection, database, want }: Captured<T>,
  attribution: Attribution,
): Promise<Plan> {
  const plan = async () => {
    const planner = await database.planner(scope.auditor, connection)
    return planner.plan(query.sql, query.args.length, want, entryShape(attribution))
  }
  const made = await plan()
  if (!isUnknownTable(made)) return made
  database.forget() // the table may be newer than the catalog
  return plan()
}

function isUnknownTable(plan: Plan): boolean {
  return plan.kind === 'uncapturable' && plan.reason === 'unknown-table'
}

function runPlan<T>(plan: Plan, captured: Captured<T>, attribution: Attribution): Promise<T> {
  const { query, connection, scope, run, resultOf } = captured
  if (plan.kind === 'pass') return run(connection)
  requireActor(scope)
  return plan.kind === 'audited'
    ? runAudited(plan, query, connection, attribution).then(resultOf)
    : runOpaque(plan.reason, captured, attribution)
}

async function runOpaque<T>(
  reason: UncapturableReason,
  { query, connection, database, scope, run }: Captured<T>,
  attribution: Attribution,
): Promise<T> {
  const { options } = scope.auditor
  if (options.uncapturable === 'throw') throw refuseUncapturable(reason)
  const result = await runUncapturable(reason, query, connection, options.table, attribution, run)
  if (redefining.has(reason)) database.redefinedOn(connection)
  return result
}

function requireActor({ auditor, hasActor }: CaptureScope): void {
  if (hasActor || !auditor.options.requireActor) return
  throw new AuditError(
    'AUDIT_ACTOR_REQUIRED',
    'A write came without an actor, and the option requireActor is set. Nothing was written. Run it inside withAuditContext({ actor: { id, type } }, …).',
  )
}
