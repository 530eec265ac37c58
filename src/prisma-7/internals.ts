import { AuditError } from '../errors.ts'
import type { ComputedField } from '../log/call.ts'
import type { DataModel } from '../models/data-model.ts'
import type { AdapterFactoryLike } from '../postgres/connection.ts'

/**
 * The private parts of a Prisma 7 client that this room uses. The functions below check each of them: another version
 * of Prisma may not have it.
 */
export interface ClientInternals {
  readonly _engineConfig?: { readonly adapter?: AdapterFactoryLike; readonly inlineSchema?: unknown }
  readonly _runtimeDataModel?: DataModel
  readonly _requestHandler?: { readonly dataloader?: Partial<DataLoader> }
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

/** Its first parameter is the object that query hooks get as a call's transaction. */
type CreateTransactionClient = (
  this: ClientInternals,
  ...parameters: unknown[]
) => Pick<ClientInternals, '$queryRawUnsafe'>

type RunTransaction = (
  this: ClientInternals,
  parameters: { readonly callback: (transaction: object) => unknown; readonly options?: unknown },
) => Promise<unknown>

/** Collects requests and sends them: the parts of it that are changed. */
export interface DataLoader {
  request(request: LoaderRequest): Promise<unknown>
  readonly options: {
    singleLoader(request: LoaderRequest): Promise<unknown>
    batchLoader(requests: LoaderRequest[]): Promise<unknown>
    /** Requests with the same text are sent as one. */
    batchBy(request: LoaderRequest): string | undefined
  }
}

export interface LoaderRequest {
  readonly transaction?: { readonly kind?: string }
}

/** What Prisma itself passes to a query hook about a call. */
export interface InternalParameters {
  readonly transaction?: {
    readonly kind?: 'itx' | 'batch'
    /** The same object for all calls of one `$transaction([…])`. */
    readonly lock?: object
  }
  /** `['select', 'posts']` for `user.findUnique(…).posts()`. */
  readonly dataPath?: readonly string[]
  /** The client that was called: `caller.ts` adds it. */
  readonly caller?: ClientInternals
  /** The arguments as the last extension left them. */
  args?: unknown
}

/** A client with these methods. */
type With<Method extends keyof ClientInternals> = {
  [Name in Method]-?: NonNullable<ClientInternals[Name]>
} & ClientInternals

/** The client below all extensions: they should not see our own statements. */
export function baseClient(client: ClientInternals): ClientInternals {
  return client._originalClient ?? client
}

/** @throws AuditError `AUDIT_NO_ADAPTER` or `AUDIT_UNSUPPORTED_DATABASE` */
export function adapterOf(client: ClientInternals | undefined): {
  readonly factory: AdapterFactoryLike
  readonly dataModel: DataModel
} {
  const factory = client?._engineConfig?.adapter
  const dataModel = client?._runtimeDataModel
  if (typeof factory?.connect !== 'function' || !dataModel) {
    throw new AuditError(
      'AUDIT_NO_ADAPTER',
      'The client has no driver adapter, which the audit needs. Clients of Prisma Accelerate have none, nor do clients older than Prisma 7. Create the client with new PrismaClient({ adapter: new PrismaPg({ connectionString }) }).',
    )
  }
  if (factory.provider !== 'postgres') {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_DATABASE',
      `The client's adapter is for ${factory.provider}, but the audit works only with PostgreSQL 14 and newer.`,
    )
  }
  return { factory, dataModel }
}

/** @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` */
export function dataLoaderOf({ _requestHandler: handler }: ClientInternals): DataLoader {
  const loader = handler?.dataloader
  const { request, options } = loader ?? {}
  if (!request || !options?.singleLoader || !options.batchLoader || !options.batchBy) {
    throw unsupported('sends its requests', 'entries could get the wrong actor')
  }
  return loader as DataLoader
}

/** @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` */
export function clientWithTransactions(
  client: ClientInternals,
): With<'_createItxClient' | '_transactionWithCallback'> {
  const base = baseClient(client)
  if (has(base, '_createItxClient') && has(base, '_transactionWithCallback')) return base
  throw unsupported('opens transactions', 'events recorded in one could outlive it')
}

/** @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` */
export function clientWithRequests(client: ClientInternals): With<'_request'> {
  const base = baseClient(client)
  if (has(base, '_request') && typeof client._extensions?.getAllComputedFields === 'function') return base
  throw unsupported(
    'handles calls',
    'reads could not be recorded without changing their results',
    ', or leave out the option reads',
  )
}

function has<Method extends keyof ClientInternals>(
  client: ClientInternals,
  method: Method,
): client is With<Method> {
  return typeof client[method] === 'function'
}

function unsupported(does: string, consequence: string, alternative = ''): AuditError {
  return new AuditError(
    'AUDIT_UNSUPPORTED_CLIENT',
    `This version of prisma-extension-audit does not support the way in which the client ${does}, so ${consequence}. Use a release of Prisma 7 that it supports (see its README)${alternative}.`,
  )
}
