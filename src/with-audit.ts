import { currentContext } from './attribution.ts'
import { createAudit } from './audit.ts'
import type { CaptureConfiguration } from './capture/configuration.ts'
import { type CaptureScope, runInScope } from './capture/scope.ts'
import { revertedEntry } from './context/context.ts'
import { AuditError } from './errors.ts'
import { attemptsWrite, recordFailedCommit, recordFailure } from './failures/failures.ts'
import { Background } from './log/background.ts'
import type { Call } from './log/call.ts'
import type { Log } from './log/log.ts'
import { EntryQueue } from './log/queue.ts'
import type { DataModel } from './models/data-model.ts'
import { LoggedModels } from './models/stored-models.ts'
import { type AuditOptions, resolveOptions } from './options.ts'
import type { AdapterFactoryLike } from './postgres/connection.ts'
import type { LogConnection } from './postgres/sql-client.ts'
import type { Audited, PrismaClientLike } from './prisma-7/audited.ts'
import { keepScopes } from './prisma-7/data-loader.ts'
import {
  auditTransactions,
  baseClient,
  beforeDisconnect,
  type ClientInternals,
  connectionInside,
  connectionOf,
  isAudited,
  outermost,
  passCaller,
  registerAudit,
  shapeOf,
  type TransactionAudit,
  withOn,
} from './prisma-7/internals.ts'
import { Interception } from './prisma-7/probe.ts'
import { tapFactory } from './prisma-7/tap.ts'
import { prepareRead, type RecordedRead } from './reads/reads.ts'
import { loggedValue } from './values/logged-value.ts'

interface HookParameters {
  readonly model?: string
  readonly operation: string
  readonly args: unknown
  readonly query: (args: unknown) => PromiseLike<unknown>
  readonly __internalParams?: InternalParameters
}

/** What Prisma itself knows of a call. */
interface InternalParameters {
  readonly transaction?: Transaction
  /** `['select', 'posts']` for `user.findUnique(…).posts()`. */
  readonly dataPath?: readonly string[]
  /** The client that was called; there when reads are recorded. */
  readonly caller?: ClientInternals
  /** The arguments as the last extension left them. */
  args?: unknown
}

interface Transaction {
  readonly kind?: 'itx' | 'batch'
  readonly lock?: object
}

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
  auditTransactions(internals)
  if (resolved.recordsReads) passCaller(internals)
  tapFactory(factory)

  const configuration: CaptureConfiguration = { options: resolved, dataModel }
  const interception = new Interception(internals)
  const batches = new WeakMap<object, CaptureScope>()
  const connection = connectionOf(baseClient(internals))
  const queue = new EntryQueue(resolved.table, connection, resolved.onError)
  const background = new Background()
  const log: Log = {
    ...{ options: resolved, dataModel, connection, queue, background },
    models: new LoggedModels(
      dataModel,
      async () => (await interception.ensure()).getConnectionInfo?.().schemaName ?? 'public',
      internals._engineConfig?.inlineSchema,
    ),
    flush: async () => {
      await background.settled()
      await queue.flush()
    },
    context: () => currentContext(resolved).context,
    client: () => bare,
    isTransaction: false,
    valueOf: loggedValue,
  }
  beforeDisconnect(internals, log.flush)

  const verify = () =>
    interception.verify(openScope(configuration, '$queryRawUnsafe', undefined, new WeakMap()))
  const audit = createAudit<Client>(log, verify)
  const writing = new WeakSet<object>()
  const transactions: TransactionAudit = {
    open: (transaction, join) => {
      const joined = { connection: transaction, client: () => join(bare), isTransaction: true }
      return createAudit<Client>({ ...log, ...joined }, verify)
    },
    commitFailed: async (transaction, error) => {
      if (resolved.failures && writing.has(transaction)) await recordFailedCommit(log, error)
    },
  }
  registerAudit(audit, transactions, resolved.table)
  const extension = {
    name: 'prisma-extension-audit',
    client: { $audit: audit },
    query: {
      async $allOperations({ model, operation, args, query, __internalParams: internal }: HookParameters) {
        const scope = openScope(configuration, operation, internal?.transaction, batches)
        const describeCall = (): Call => {
          const { context, hasActor } = scope
          const place = placeOf(internal, internals, connection)
          return { model, operation, args, context, hasActor, ...place }
        }
        let read: RecordedRead | undefined
        if (
          resolved.failures &&
          internal?.transaction?.kind === 'itx' &&
          attemptsWrite(log, describeCall())
        ) {
          writing.add(outermost(internal.transaction))
        }
        try {
          if (!interception.isSure) await interception.ensure()
          if (resolved.recordsReads) read = await prepareRead(log, describeCall())
          // a PrismaPromise starts when it is awaited, and that has to be inside the scope
          const result = await runInScope(scope, async () => await query(read ? read.args : args))
          return read ? await read.finish(result) : result
        } catch (caught) {
          const error = scope.error ?? caught
          await read?.fail(error)
          if (resolved.failures) await recordFailure(log, describeCall(), error, scope.failedToWrite)
          throw error
        } finally {
          // Prisma goes by the arguments again when it adds computed fields
          if (read && internal && internal.args === read.args) internal.args = args
        }
      },
    },
  }
  const base = baseClient(internals)
  // entries hold what is stored, and undoing puts it back as it is: an extension would encrypt it once more
  const bare = base.$extends(extension)
  const extended = base === internals ? bare : internals.$extends(extension)
  return withOn(extended, internals) as Audited<Client>
}

/** Where a call runs, and what its result will be like. */
function placeOf(
  { transaction, dataPath = [], caller }: InternalParameters = {},
  client: ClientInternals,
  pool: LogConnection,
): Pick<Call, 'path' | 'transaction' | 'batch' | 'connection' | 'shape'> {
  return {
    path: dataPath.filter((_, index) => index % 2 === 1),
    transaction: transaction?.kind,
    batch: transaction?.kind === 'batch' ? transaction.lock : undefined,
    connection: (transaction?.kind === 'itx' && connectionInside(transaction)) || pool,
    shape: shapeOf(caller ?? client),
  }
}

function checkClient(client: ClientInternals | undefined): {
  factory: AdapterFactoryLike
  dataModel: DataModel
} {
  if (isAudited(client)) {
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
  configuration: CaptureConfiguration,
  operation: string,
  transaction: Transaction | undefined,
  batches: WeakMap<object, CaptureScope>,
): CaptureScope {
  const batch = transaction?.kind === 'batch' ? transaction.lock : undefined
  const shared = batch && batches.get(batch)
  if (shared) {
    shared.operations.push(operation)
    return shared
  }
  const who = currentContext(configuration.options)
  const scope: CaptureScope = {
    kind: 'capture',
    configuration,
    ...who,
    operations: [operation],
    revertOf: revertedEntry(),
  }
  if (batch) batches.set(batch, scope)
  return scope
}
