import type { Types } from '@prisma/client/runtime/client'
import type { AdapterFactoryLike } from './capture/adapter.ts'
import type { DataModel } from './capture/catalog/data-model.ts'
import { keepScopes, type RequestHandlerLike } from './capture/dispatch.ts'
import { type Auditor, type CaptureScope, type ProbeScope, runAsProbe, runInScope } from './capture/scope.ts'
import { tapFactory } from './capture/tap.ts'
import { getAuditContext, mergeContexts, parseContext } from './context.ts'
import { AuditError } from './errors.ts'
import { type AuditOptions, resolveOptions } from './options.ts'

/** What an audited client has beside its own. */
export interface Audit {
  /**
   * Makes sure that writes can be recorded: statements pass through the audit, the server is PostgreSQL 14 or newer,
   * the log's table is there. The first write checks the same; call this at start-up to know earlier.
   *
   * @throws AuditError `AUDIT_NOT_INTERCEPTED`, `AUDIT_UNSUPPORTED_DATABASE` or `AUDIT_TABLE_MISSING`
   *
   * @example
   * ```ts
   * const prisma = withAudit(new PrismaClient({ adapter }))
   * await prisma.$audit.verify()
   * ```
   */
  verify(): Promise<void>
}

/** A client that records its writes: the same type, and `$audit`, which `$extends` keeps. */
export type Audited<Client> = { $audit: Audit; $extends: AuditedExtends<Client> } & Client

/** The client's own `$extends`, as if an extension of the client had added `$audit`. */
type AuditedExtends<Client> = Client extends {
  $extends: Types.Extensions.ExtendsHook<'extends', infer TypeMapCb, infer ExtArgs, infer TypeMap>
}
  ? Types.Extensions.ExtendsHook<'extends', TypeMapCb, ExtArgs & { client: { $audit: () => Audit } }, TypeMap>
  : unknown

/** What `withAudit` needs of a Prisma client. */
export interface PrismaClientLike {
  $extends: unknown
  $connect(): Promise<void>
  $transaction: unknown
}

/** The private parts of a Prisma 7 client that the audit stands on, each checked before it is used. */
interface ClientInternals {
  readonly _engineConfig?: { readonly adapter?: AdapterFactoryLike }
  readonly _runtimeDataModel?: DataModel
  readonly _requestHandler?: RequestHandlerLike
  readonly $audit?: object
  readonly $extends: (extension: unknown) => object
  readonly $on?: (...parameters: unknown[]) => unknown
  readonly $queryRawUnsafe: (sql: string) => PromiseLike<unknown>
  readonly _originalClient?: Pick<ClientInternals, '$queryRawUnsafe'>
}

interface HookParameters {
  readonly operation: string
  readonly args: unknown
  readonly query: (args: unknown) => PromiseLike<unknown>
  readonly __internalParams?: { readonly transaction?: { readonly kind?: string; readonly lock?: object } }
}

/** Every `$audit` there is; what `$extends` makes of a client inherits it. */
const audits = new WeakSet<object>()

/**
 * Gives a client that records every change made through it: who, what, when, from where, before and after, in the
 * same statement as the change. Nothing else about the client changes.
 *
 * Wrap the client before its first query.
 *
 * @throws AuditError `AUDIT_ALREADY_WRAPPED`, `AUDIT_NO_ADAPTER`, `AUDIT_UNSUPPORTED_DATABASE` or
 * `AUDIT_INVALID_OPTIONS`
 *
 * @example
 * ```ts
 * const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
 * await prisma.user.update({ where: { id: 1 }, data: { name: 'Ada' } })
 * // audit_logs: user.update, before { name: 'Eda', … }, after { name: 'Ada', … }, changed ['name']
 * ```
 */
export function withAudit<Client extends PrismaClientLike>(
  client: Client,
  options: AuditOptions<Client> = {},
): Audited<Client> {
  const internals = client as unknown as ClientInternals
  const { factory, dataModel } = checkClient(internals)
  const resolved = resolveOptions(
    options,
    Object.entries(dataModel.models).map(([name, { fields }]) => ({
      name,
      fields: new Map(
        fields.filter(({ kind }) => kind !== 'object').map((field) => [field.name, field.name]),
      ),
    })),
  )
  keepScopes(internals._requestHandler)
  tapFactory(factory)

  const auditor: Auditor = { options: resolved, dataModel }
  const interception = new Interception(internals)
  const batches = new WeakMap<object, CaptureScope>()

  const audit: Audit = { verify: () => interception.verify(auditor) }
  audits.add(audit)
  const extended: object = internals.$extends({
    name: 'prisma-extension-audit',
    client: { $audit: audit },
    query: {
      async $allOperations({ operation, args, query, __internalParams }: HookParameters) {
        const scope = openScope(auditor, operation, __internalParams?.transaction, batches)
        if (!interception.isSure) await interception.ensure()
        try {
          // a PrismaPromise starts when it is awaited, and that has to be inside the scope
          return await runInScope(scope, async () => await query(args))
        } catch (error) {
          throw scope.error ?? error
        }
      },
    },
  })
  return withOn(extended, internals) as Audited<Client>
}

/** `$extends` takes `$on` away, and the audited client has what the client had. */
function withOn(extended: object, internals: ClientInternals): object {
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

function checkClient(client: ClientInternals | undefined): {
  factory: AdapterFactoryLike
  dataModel: DataModel
} {
  if (client?.$audit && audits.has(client.$audit)) {
    throw new AuditError(
      'AUDIT_ALREADY_WRAPPED',
      'The client is audited already, and a second audit would write every entry twice. Call withAudit once, on the client as PrismaClient or $extends gave it.',
    )
  }
  const factory = client?._engineConfig?.adapter
  const dataModel = client?._runtimeDataModel
  if (typeof factory?.connect !== 'function' || !dataModel) {
    throw new AuditError(
      'AUDIT_NO_ADAPTER',
      'The client has no driver adapter for the audit to ride on; a client of Prisma Accelerate has none, nor has one older than Prisma 7. Create it with new PrismaClient({ adapter: new PrismaPg({ connectionString }) }).',
    )
  }
  if (factory.provider !== 'postgres') {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_DATABASE',
      `The client's adapter is for ${factory.provider}, and the audit works on PostgreSQL 14 and newer only.`,
    )
  }
  return { factory, dataModel }
}

/** All calls of a `$transaction([…])` run in the scope of its first one, so they share it. */
function openScope(
  auditor: Auditor,
  operation: string,
  transaction: { readonly kind?: string; readonly lock?: object } | undefined,
  batches: WeakMap<object, CaptureScope>,
): CaptureScope {
  const batch = transaction?.kind === 'batch' ? transaction.lock : undefined
  const shared = batch && batches.get(batch)
  if (shared) {
    shared.operations.push(operation)
    return shared
  }
  const { options } = auditor
  const given = options.context?.()
  const around = getAuditContext() ?? {}
  const context = given ? mergeContexts(parseContext(given), around) : around
  const scope: CaptureScope = {
    auditor,
    context: { ...context, actor: context.actor ?? options.actor },
    hasActor: context.actor !== undefined || options.hasOwnActor,
    operations: [operation],
  }
  if (batch) batches.set(batch, scope)
  return scope
}

/** Whether the client's statements pass through the tap: asked once, with a query that the tap answers itself. */
class Interception {
  readonly #client: ClientInternals
  #check: Promise<void> | undefined
  /** The question was answered, and well. */
  isSure = false

  constructor(client: ClientInternals) {
    this.#client = client
  }

  ensure(): Promise<void> {
    this.#check ??= this.#probe().then(
      () => {
        this.isSure = true
      },
      (error: unknown) => {
        this.#check = undefined
        throw error
      },
    )
    return this.#check
  }

  async verify(auditor: Auditor): Promise<void> {
    await this.ensure()
    const scope = openScope(auditor, '$queryRawUnsafe', undefined, new WeakMap())
    const client = this.#client._originalClient ?? this.#client
    await runInScope(scope, async () => await client.$queryRawUnsafe('SELECT 1')).catch((error: unknown) => {
      throw scope.error ?? error
    })
  }

  async #probe(): Promise<void> {
    const probe: ProbeScope = { answer: undefined }
    // below all extensions, which should not see a question of ours
    const client = this.#client._originalClient ?? this.#client
    await runAsProbe(probe, async () => await client.$queryRawUnsafe('SELECT 1'))
    if (probe.answer) return
    throw new AuditError(
      'AUDIT_NOT_INTERCEPTED',
      "The client had connected before it was wrapped, so its statements don't pass through the audit. Nothing was written. Call withAudit right after new PrismaClient, before the first query and before $connect().",
    )
  }
}
