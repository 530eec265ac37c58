import { AuditError } from '../errors.ts'
import {
  type AdapterFactoryLike,
  type AdapterLike,
  type Connection,
  type SqlQuery,
  type SqlResult,
  sqlStateOf,
} from './adapter.ts'
import { Database } from './database.ts'
import { type Attribution, entryShape } from './entry.ts'
import { refuseUncapturable, runUncapturable } from './raw-entry.ts'
import type { Want } from './rewrite.ts'
import { runAudited } from './run.ts'
import { type CaptureScope, currentScope, operationOf } from './scope.ts'

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
      const transaction = await adapter.startTransaction(isolationLevel)
      return override(
        transaction,
        intercept(transaction, database, () => tappedAdapter),
      )
    },
  })
  return tappedAdapter
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
    async queryRaw(query) {
      const scope = currentScope()
      if (scope === undefined) return connection.queryRaw(query)
      if ('probe' in scope) return answerProbe(scope.probe, self())
      return capture(
        query,
        connection,
        database,
        scope,
        'rows',
        (on) => on.queryRaw(query),
        (result) => result,
      )
    },
    async executeRaw(query) {
      const scope = currentScope()
      if (scope === undefined) return connection.executeRaw(query)
      if ('probe' in scope) {
        answerProbe(scope.probe, self())
        return 0
      }
      return capture(query, connection, database, scope, 'count', (on) => on.executeRaw(query), countOf)
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

/** Runs one statement of a scope: as it is when it only reads, rewritten when it writes. */
async function capture<T>(
  query: SqlQuery,
  connection: Connection | AdapterLike,
  database: Database,
  scope: CaptureScope,
  want: Want,
  run: (connection: Connection) => Promise<T>,
  resultOf: (result: SqlResult) => T,
): Promise<T> {
  const { options } = scope.auditor
  const attribution: Attribution = { context: scope.context, operation: operationOf(scope) }
  try {
    const planner = await database.planner(scope.auditor, connection)
    const plan = planner.plan(query.sql, query.args.length, want, entryShape(attribution))
    if (plan.kind === 'pass') return await run(connection)
    requireActor(scope)
    if (plan.kind === 'audited') return resultOf(await runAudited(plan, query, connection, attribution))
    if (options.uncapturable === 'throw') throw refuseUncapturable(plan.reason)
    const result = await runUncapturable(plan.reason, query, connection, options.table, attribution, run)
    database.forget() // a definition may have changed
    return result
  } catch (error) {
    if (error instanceof AuditError) scope.error = error
    // undefined table or column: a migration changed the database under the catalog
    if (['42P01', '42703'].includes(sqlStateOf(error) ?? '')) database.forget()
    throw error
  }
}

function requireActor({ auditor, hasActor }: CaptureScope): void {
  if (hasActor || !auditor.options.requireActor) return
  throw new AuditError(
    'AUDIT_ACTOR_REQUIRED',
    'A write came without an actor, and the option requireActor is set. Nothing was written. Run it inside withAuditContext({ actor: { id, type } }, …).',
  )
}
