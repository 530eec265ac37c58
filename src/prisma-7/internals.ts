import { runOutsideScope } from '../capture/scope.ts'
import { AuditError } from '../errors.ts'
import type { ComputedField, ResultShape } from '../log/call.ts'
import { type DataModel, resourceOf } from '../models/data-model.ts'
import type { AdapterFactoryLike } from '../postgres/connection.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { LogConnection } from '../postgres/sql-client.ts'
import type { RequestHandlerLike } from './data-loader.ts'

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
  _transactionWithCallback?: RunTransaction
  _request?: (this: ClientInternals, parameters: object) => Promise<unknown>
  /** The option `omit`, by the client's properties for the models. */
  readonly _globalOmit?: Readonly<Record<string, Record<string, boolean> | undefined>>
  readonly _extensions?: {
    getAllComputedFields?(model: string): Record<string, ComputedField> | undefined
  }
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

type RunTransaction = (
  this: ClientInternals,
  parameters: { readonly callback: (transaction: object) => unknown; readonly options?: unknown },
) => Promise<unknown>

/** Runs the log's own SQL on a client without extensions, or on a transaction of one. */
export function connectionOf(client: Pick<ClientInternals, '$queryRawUnsafe'>): LogConnection {
  return {
    query: <Row>(sql: string, ...values: readonly unknown[]) =>
      runOutsideScope(async () => (await client.$queryRawUnsafe(sql, ...values)) as Row[]),
  }
}

/** What an audit does about the interactive transactions of its client. */
export interface TransactionAudit {
  /** Makes the `$audit` of a transaction: whose entries commit with it. `join` gives a client its half in there. */
  open(connection: LogConnection, join: (client: object) => object): object
  /** Hears of a transaction whose work was done and whose end failed: no query hook sees that. */
  commitFailed(transaction: object, error: unknown): Promise<void>
}

/** Every `$audit` there is, with what it does in transactions; what `$extends` makes of a client inherits it. */
const audits = new WeakMap<object, TransactionAudit>()

/** Where the entries of each `$audit` of a client go. */
const tables = new WeakMap<object, TableName>()

/** Notes that `audit` belongs to an audited client. */
export function registerAudit(audit: object, transactions: TransactionAudit, table?: TableName): void {
  audits.set(audit, transactions)
  if (table) tables.set(audit, table)
}

/** The table that an audited client, or what `$extends` made of it, writes its entries to. */
export function tableOfLog(client: object): TableName | undefined {
  const { $audit } = client as Partial<ClientInternals>
  return $audit && tables.get($audit)
}

export function isAudited(client: ClientInternals | undefined): boolean {
  return client?.$audit !== undefined && audits.has(client.$audit)
}

const withTransactions = new WeakSet<object>()
/** Connections by Prisma's own objects for transactions, and these by the client that the work gets. */
const connections = new WeakMap<object, LogConnection>()
const handles = new WeakMap<object, object>()
/** The transactions around nested ones. */
const outer = new WeakMap<object, object>()

/** Runs the log's own SQL inside an interactive transaction, by what a query hook knows of it. */
export function connectionInside(transaction: object): LogConnection | undefined {
  return connections.get(transaction)
}

/** The transaction that commits, of one that may be nested in it. */
export function outermost(transaction: object): object {
  const around = outer.get(transaction)
  return around ? outermost(around) : transaction
}

/**
 * Gives the client of every interactive transaction an `$audit` of its own: `tx.$audit.record(…)` commits with `tx`.
 * Prisma makes that client by `_createItxClient`, on whatever `$extends` made of the base client.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma makes it in another way
 */
export function auditTransactions(client: ClientInternals): void {
  const base = baseClient(client)
  if (withTransactions.has(base)) return
  const { _createItxClient: create, _transactionWithCallback: run } = base
  if (typeof create !== 'function' || typeof run !== 'function') {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_CLIENT',
      'The client opens transactions in a way that the audit does not know, so events recorded in one could outlive it. Use a release of Prisma 7 that this version of prisma-extension-audit supports, see its README.',
    )
  }
  withTransactions.add(base)
  base._createItxClient = function (this: ClientInternals, ...parameters) {
    const transaction = create.apply(this, parameters)
    const audit = this.$audit && audits.get(this.$audit)
    if (!audit) return transaction
    const connection = connectionOf(create.apply(base, parameters))
    const [handle] = parameters // what Prisma hands the query hooks as the transaction of a call
    const join = (client: object) => create.apply(client as ClientInternals, parameters)
    const own = audit.open(connection, join)
    registerAudit(own, audit)
    const audited = new Proxy(transaction, {
      get: (target, key) => (key === '$audit' ? own : Reflect.get(target, key, target)),
    })
    if (typeof handle === 'object' && handle !== null) {
      connections.set(handle, connection)
      handles.set(audited, handle)
    }
    return audited
  }
  base._transactionWithCallback = async function (this: ClientInternals, { callback, ...parameters }) {
    const around = handles.get(this)
    let done: object | undefined
    const noting = async (transaction: object) => {
      const handle = handles.get(transaction)
      if (around && handle) outer.set(handle, around)
      const result = await callback(transaction)
      done = handle
      return result
    }
    try {
      return await run.call(this, { ...parameters, callback: noting })
    } catch (error) {
      // a nested one is a part of the outer one, which has not ended
      if (done && !around) await (this.$audit && audits.get(this.$audit)?.commitFailed(done, error))
      throw error
    }
  }
}

const passing = new WeakSet<object>()

/**
 * Lets the query hook see as `__internalParams.caller` which client a call came through: what `$extends` adds to
 * results is known to that one only.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma sends calls in another way
 */
export function passCaller(client: ClientInternals): void {
  const base = baseClient(client)
  if (passing.has(base)) return
  const request = base._request
  if (typeof request !== 'function' || typeof client._extensions?.getAllComputedFields !== 'function') {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_CLIENT',
      'The client sends its calls in a way that the audit does not know, so reads could not be recorded without changing their results. Use a release of Prisma 7 that this version of prisma-extension-audit supports, see its README, or leave the option reads out.',
    )
  }
  passing.add(base)
  base._request = function (this: ClientInternals, parameters) {
    return request.call(this, { ...parameters, caller: this })
  }
}

/** Which fields a client gives beside those that the arguments ask for. */
export function shapeOf(client: ClientInternals): ResultShape {
  return {
    omitted: (model) => client._globalOmit?.[resourceOf(model)] ?? {},
    computed: (model) => Object.values(client._extensions?.getAllComputedFields?.(model) ?? {}),
  }
}

/** Runs `work` before the client, or what `$extends` made of it, disconnects. */
export function beforeDisconnect(client: ClientInternals, work: () => Promise<void>): void {
  const base = baseClient(client)
  const disconnect = base.$disconnect?.bind(base)
  base.$disconnect = async () => {
    try {
      await work()
    } finally {
      await disconnect?.()
    }
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
