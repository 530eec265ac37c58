import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod/mini'
import { AuditError } from './errors.ts'
import type { Log } from './log/log.ts'
import { reporterOf } from './log/report-error.ts'
import { quoteTable } from './postgres/identifiers.ts'
import type { SqlClient } from './postgres/sql-client.ts'
import { auditOf } from './prisma-7/registry.ts'
import { connectionInside } from './prisma-7/transactions.ts'
import { beginUntilDisconnect } from './reader/until-disconnect.ts'
import { type Maintaining, maintainOn } from './retention/maintaining.ts'
import { type OwnedLog, ownedLog } from './retention/owned-log.ts'
import { requiredReaders } from './retention/required-readers.ts'
import { checkShape, errorHandler, milliseconds } from './values/check-shape.ts'

/** How to maintain. What leaves the table, and when, says the option `retention` of `withAudit`. */
export interface MaintainingOptions {
  /**
   * Milliseconds between two runs. Default 86,400,000, a day. Behind a run that had to wait for something, as another process archives
   * or a sink has not read all, the next one follows after ten minutes at the latest.
   */
  interval?: number | undefined
  /**
   * Called when a run failed: `AUDIT_NOT_MAINTAINED` where the role does not own the log's table, `AUDIT_ARCHIVE_BROKEN`, or
   * where the log can't be read. Another run follows, a minute later at the latest. Default: the option `onError` of `withAudit`,
   * else a process warning.
   */
  onError?: ((error: AuditError) => void) | undefined
}

const maintainingSchema = z.strictObject({
  interval: z._default(milliseconds, 86_400_000),
  onError: errorHandler,
})

/**
 * Does for the log of a client what the command `maintain` does, now and every day: creates the partitions of the months that come,
 * archives those that are over, and takes out of the table what need not stay. A log that is one table needs none of it. Any
 * number of processes may do so; one archives at a time, and for the others `metrics()` says so. It keeps the process alive until
 * `stop()` or `$disconnect()` ends it.
 *
 * The client has to connect as the owner of the log's table, which an application should not be: give a worker a client of its own.
 * Its pool needs two connections.
 *
 * @param client as `withAudit` returned it, or what `$extends` made of that
 * @returns once it has begun; what goes wrong in a run is told to `onError`
 * @throws AuditError `AUDIT_INVALID_OPTIONS`
 *
 * @example
 * ```ts
 * const owner = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: ownerUrl }) }), { retention })
 * const maintaining = await startMaintaining(owner)
 * process.once('SIGTERM', () => maintaining.stop())
 * ```
 */
export async function startMaintaining(
  client: object,
  options: MaintainingOptions = {},
): Promise<Maintaining> {
  const log = auditOf(client)?.log
  if (!log) throw maintainingRefused('the client is not audited. Pass the client that withAudit returned')
  const parsed = checkShape(maintainingSchema, options)
  if (!parsed.success) throw maintainingRefused(z.prettifyError(parsed.error), parsed.error)
  const { interval, onError } = parsed.data
  return beginUntilDisconnect(log, async () =>
    maintainOn(ownedBy(log), {
      interval,
      retention: async () => log.options.retention,
      readers: requiredReaders(log.options),
      onError: reporterOf(onError ?? log.options.onError),
    }),
  )
}

/** For as long as months may need to be archived. */
const longestTransaction = 2_147_483_647

/** For how many milliseconds a second connection is waited for. */
const patience = 5_000

function ownedBy(log: Log): OwnedLog {
  const { connection } = log
  const { table } = log.options
  const client = log.client() as LockingClient
  return ownedLog({
    ...{ table, connection },
    transaction: (work) =>
      client.$transaction(
        async (tx) => {
          await requireSecondConnection(log)
          return work(connectionInside(tx) as SqlClient)
        },
        { timeout: longestTransaction },
      ),
  })
}

interface LockingClient {
  $transaction<T>(work: (tx: object) => Promise<T>, options: { timeout: number }): Promise<T>
}

/** With one alone, the work inside of a transaction would wait for its end, and whoever else uses the pool, too. */
async function requireSecondConnection({ connection, options: { table } }: Log): Promise<void> {
  const timer = new AbortController()
  const late = sleep(patience, true, { signal: timer.signal }).catch(() => false)
  const isLate = await Promise.race([connection.query('SELECT 1').then(() => false), late])
  timer.abort()
  if (!isLate) return
  throw new AuditError(
    'AUDIT_NOT_MAINTAINED',
    `The months of the audit log ${quoteTable(table)} were not archived: one connection keeps the lock, and the client's pool had no second one for ${patience / 1_000} seconds. Give the pool at least two.`,
  )
}

function maintainingRefused(reason: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_INVALID_OPTIONS', `Maintaining can't begin, and nothing was done: ${reason}`, {
    cause,
  })
}
