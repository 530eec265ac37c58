import * as z from 'zod/mini'
import type { ArchiveReport } from './archive/archive-report.ts'
import { type ArchiveProgress, isArchiving, verifySink } from './archive/verify-sink.ts'
import { AuditError } from './errors.ts'
import { questionsTo } from './log/readable.ts'
import { configuredArchive } from './parquet/archived-entries.ts'
import { auditOf } from './prisma-7/registry.ts'
import { readerLog } from './reader/reader-log.ts'
import type { Sink } from './sink.ts'
import { sinksSchema } from './sink-schema.ts'
import { checkShape } from './values/check-shape.ts'

/** What to verify. */
export interface VerifyArchiveOptions {
  /** Whose archives. Default: those of the option `sinks` of `withAudit` that can be read back. */
  sinks?: readonly Sink[] | undefined
  /** Called as lines have been compared. */
  onProgress?: ((progress: ArchiveProgress) => void) | undefined
  /** Aborting it ends it: it rejects with the reason. */
  signal?: AbortSignal | undefined
}

const verifySchema = z.strictObject({
  sinks: z.optional(sinksSchema),
  onProgress: z.optional(
    z.custom<(progress: ArchiveProgress) => void>((value) => typeof value === 'function'),
  ),
  signal: z.optional(z.instanceof(AbortSignal)),
})

/**
 * Compares what sinks have stored with the log, entry by entry and byte for byte, and checks each archive by itself: digests, the chain of
 * manifests, Object Lock. One pass, in constant memory, while the log is written and shipped. What has left the table is compared with
 * the archive of the option `retention`.
 *
 * @param client as `withAudit` returned it, or what `$extends` made of that
 * @returns a report for each sink
 * @throws AuditError `AUDIT_INVALID_OPTIONS` where a sink can't be read back, `AUDIT_ARCHIVE_UNREADABLE`, `AUDIT_TABLE_MISSING`,
 *   `AUDIT_UNREADABLE` or `AUDIT_ERA_UNCLEAR`
 *
 * @example
 * ```ts
 * const reports = await verifyArchive(prisma)
 * for (const { sink, ok, differences, faults } of reports) if (!ok) await alert(sink, differences.kinds, faults.kinds)
 * ```
 */
export async function verifyArchive(
  client: object,
  options: VerifyArchiveOptions = {},
): Promise<ArchiveReport[]> {
  const log = auditOf(client)?.log
  if (!log) throw notVerified('the client is not audited. Pass the client that withAudit returned')
  const parsed = checkShape(verifySchema, options)
  if (!parsed.success) throw notVerified(z.prettifyError(parsed.error), parsed.error)
  const { sinks, onProgress = () => {}, signal = new AbortController().signal } = parsed.data
  const unreadable = sinks?.find((sink) => !isArchiving(sink))
  if (unreadable) throw notVerified(`the sink ${JSON.stringify(unreadable.name)} can't be read back`)
  const archiving = (sinks ?? log.options.sinks).filter(isArchiving)
  if (archiving.length === 0)
    throw notVerified('there is no sink that can be read back. Name it with the option sinks')
  const reports: ArchiveReport[] = []
  const asked = readerLog({ ...log, archive: configuredArchive(log.options, questionsTo(log)) })
  for (const sink of archiving) reports.push(await verifySink(asked, sink, { signal, onProgress }))
  return reports
}

function notVerified(reason: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_INVALID_OPTIONS',
    `No archive was verified, and nothing was read: ${reason}.`,
    {
      cause,
    },
  )
}
