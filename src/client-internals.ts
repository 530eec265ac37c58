import type { AdapterFactoryLike } from './capture/adapter.ts'
import type { RequestHandlerLike } from './capture/dispatch.ts'
import { runOutsideScope } from './capture/scope.ts'
import type { DataModel } from './data-model.ts'
import { AuditError } from './errors.ts'
import type { LogConnection } from './log/connection.ts'

/** The private parts of a Prisma 7 client that the audit stands on, each checked before it is used. */
export interface ClientInternals {
  readonly _engineConfig?: { readonly adapter?: AdapterFactoryLike; readonly inlineSchema?: unknown }
  readonly _runtimeDataModel?: DataModel
  readonly _requestHandler?: RequestHandlerLike
  readonly $audit?: object
  readonly $extends: (extension: unknown) => object
  readonly $on?: (...parameters: unknown[]) => unknown
  readonly $queryRawUnsafe: RawQuery
  /** The client as `new PrismaClient` gave it, below all extensions. */
  readonly _originalClient?: ClientInternals
  $disconnect?: () => Promise<void>
  _createItxClient?: CreateTransactionClient
}

type RawQuery = (sql: string, ...values: unknown[]) => PromiseLike<unknown>
type CreateTransactionClient = (
  this: ClientInternals,
  ...parameters: unknown[]
) => Pick<ClientInternals, '$queryRawUnsafe'>

/** The client below all extensions: they should not see statements of ours. */
export function baseClient(client: ClientInternals): ClientInternals {
  return client._originalClient ?? client
}

/** Runs the log's own SQL on a client without extensions, or on a transaction of one. */
export function connectionOf(client: Pick<ClientInternals, '$queryRawUnsafe'>): LogConnection {
  return {
    query: <Row>(sql: string, ...values: readonly unknown[]) =>
      runOutsideScope(async () => (await client.$queryRawUnsafe(sql, ...values)) as Row[]),
  }
}

/** Makes the `$audit` of a transaction: whose entries commit with it. `join` gives a client its half in there. */
type AuditOfTransaction = (connection: LogConnection, join: (client: object) => object) => object

/** Every `$audit` there is, and how to make the one of its transactions; what `$extends` makes of a client inherits it. */
const audits = new WeakMap<object, AuditOfTransaction>()

/** Notes that `audit` belongs to an audited client. */
export function registerAudit(audit: object, ofTransaction: AuditOfTransaction): void {
  audits.set(audit, ofTransaction)
}

export function isAudited(client: ClientInternals | undefined): boolean {
  return client?.$audit !== undefined && audits.has(client.$audit)
}

const withTransactions = new WeakSet<object>()

/**
 * Gives the client of every interactive transaction an `$audit` of its own: `tx.$audit.record(…)` commits with `tx`.
 * Prisma makes that client by `_createItxClient`, on whatever `$extends` made of the base client.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma makes it in another way
 */
export function auditTransactions(client: ClientInternals): void {
  const base = baseClient(client)
  if (withTransactions.has(base)) return
  const create = base._createItxClient
  if (typeof create !== 'function') {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_CLIENT',
      'The client opens transactions in a way that the audit does not know, so events recorded in one could outlive it. Use a release of Prisma 7 that this version of prisma-extension-audit supports, see its README.',
    )
  }
  withTransactions.add(base)
  base._createItxClient = function (this: ClientInternals, ...parameters) {
    const transaction = create.apply(this, parameters)
    const ofTransaction = this.$audit && audits.get(this.$audit)
    if (!ofTransaction) return transaction
    const join = (client: object) => create.apply(client as ClientInternals, parameters)
    const audit = ofTransaction(connectionOf(create.apply(base, parameters)), join)
    registerAudit(audit, ofTransaction)
    return new Proxy(transaction, {
      get: (target, key) => (key === '$audit' ? audit : Reflect.get(target, key, target)),
    })
  }
}

/** Runs `work` before the client, or what `$extends` made of it, disconnects. */
export function beforeDisconnect(client: ClientInternals, work: () => Promise<void>): void {
  const base = baseClient(client)
  const disconnect = base.$disconnect?.bind(base)
  base.$disconnect = async () => {
    await work()
    await disconnect?.()
  }
}

/** `$extends` takes `$on` away, and the audited client has what the client had. */
export function withOn(extended: object, internals: ClientInternals): object {
  if (typeof internals.$on !== 'function') return extended
  const client: object = Object.create(extended, {
    $on: {
      value: (...parameters: unknown[]) => {
        internals.$on?.(...parameters)
        return client
      },
    },
  })
  return client
}
