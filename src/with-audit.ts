import { setTimeout as sleep } from 'node:timers/promises'
import { currentContext } from './attribution.ts'
import { createAudit } from './audit.ts'
import type { CaptureConfiguration } from './capture/configuration.ts'
import { openScope } from './capture/scope.ts'
import { recordFailedCommit } from './failures/failures.ts'
import { Background } from './log/background.ts'
import type { Log } from './log/log.ts'
import { EntryQueue } from './log/queue.ts'
import { StoredModels } from './models/stored-models.ts'
import { type AuditOptions, resolveOptions } from './options.ts'
import type { Audited, PrismaClientLike } from './prisma-7/audited.ts'
import { passCaller } from './prisma-7/caller.ts'
import { keepScopes } from './prisma-7/data-loader.ts'
import { beforeDisconnect } from './prisma-7/disconnect.ts'
import { adapterOf, baseClient, type ClientInternals } from './prisma-7/internals.ts'
import { connectionOf } from './prisma-7/log-connection.ts'
import { withOn } from './prisma-7/on.ts'
import { TapProbe } from './prisma-7/probe.ts'
import { createQueryHook } from './prisma-7/query-hook.ts'
import { refuseAudited, registerAudit } from './prisma-7/registry.ts'
import { tapFactory } from './prisma-7/tap.ts'
import { auditTransactions } from './prisma-7/transactions.ts'

/**
 * Returns a client that records every change made through it: who, what, when, from where, before and after, in the
 * same statement as the change. Nothing else about the client changes.
 *
 * Wrap the client before its first query.
 *
 * @throws AuditError `AUDIT_ALREADY_WRAPPED`, `AUDIT_NO_ADAPTER`, `AUDIT_UNSUPPORTED_DATABASE`,
 * `AUDIT_INVALID_OPTIONS` or `AUDIT_UNSUPPORTED_CLIENT`
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
  refuseAudited(internals)
  const { factory, dataModel } = adapterOf(internals)
  const resolved = resolveOptions(options, dataModel)
  const configuration: CaptureConfiguration = { options: resolved, dataModel }
  const base = baseClient(internals)

  // what is changed in Prisma itself: once, however many audits share the client
  keepScopes(internals)
  auditTransactions(internals)
  if (resolved.recordsReads) passCaller(internals)
  tapFactory(factory)

  const probe = new TapProbe(internals)
  const log = openLog(configuration, base, probe, () => bare)
  beforeDisconnect(internals, async () => {
    await endAll(log.endings, resolved.flushTimeout)
    await log.flush()
  })

  const createAuditOf = (of: Log) => createAudit<Client>(of, () => probe.verify(openScope(configuration)))
  const $audit = createAuditOf(log)
  registerAudit($audit, {
    log,
    openTransaction: (connection, join) =>
      createAuditOf({ ...log, connection, client: () => join(bare), isTransaction: true }),
    commitFailed: (error) => recordFailedCommit(log, error),
  })

  const extension = {
    name: 'prisma-extension-audit',
    client: { $audit },
    query: { $allOperations: createQueryHook(configuration, internals, log, probe) },
  }
  // entries hold values as stored, and undoing writes them as they are: an extension would encrypt them twice
  const bare = base.$extends(extension)
  const extended = base === internals ? bare : internals.$extends(extension)
  return withOn(extended, internals) as Audited<Client>
}

/** Ends what runs until the client disconnects; what takes longer than the time goes on without a database. */
async function endAll(endings: Log['endings'], time: number): Promise<void> {
  if (endings.size === 0) return
  const timer = new AbortController()
  const ended = Promise.all([...endings].map((end) => end())).finally(() => timer.abort())
  await Promise.race([ended, sleep(time, undefined, { signal: timer.signal }).catch(() => {})])
}

/** The log as the client reads and writes it. */
function openLog(
  { options, dataModel }: CaptureConfiguration,
  base: ClientInternals,
  probe: TapProbe,
  client: () => object,
): Log {
  const connection = connectionOf(base)
  const queue = new EntryQueue(options.table, connection, options.onError)
  const background = new Background()
  const defaultSchema = async () => (await probe.confirm()).getConnectionInfo?.().schemaName ?? 'public'
  return {
    ...{ options, dataModel, connection, queue, background, client },
    models: new StoredModels(dataModel, defaultSchema, base._engineConfig?.inlineSchema),
    flush: async () => {
      const start = performance.now()
      await background.settled(options.flushTimeout)
      await queue.flush(Math.max(0, start + options.flushTimeout - performance.now()))
    },
    endings: new Set(),
    context: () => currentContext(options).context,
    isTransaction: false,
  }
}
