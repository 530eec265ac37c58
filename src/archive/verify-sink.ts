import { type Consumer, findConsumer } from '../reader/consumer.ts'
import { startOf } from '../reader/cursor.ts'
import { type Era, readPosition } from '../reader/eras.ts'
import { lacksArchive, type ReaderLog } from '../reader/reader-log.ts'
import type { Archive, ArchivePart, ArchiveReading, Sink } from '../sink.ts'
import { consumerOfSink } from '../sinks/ship.ts'
import { type ArchiveReport, ReportBuilder } from './archive-report.ts'
import { Comparison, type Lines } from './comparison.ts'
import { LogStream } from './log-stream.ts'

/** A sink whose archive can be read back. */
export type ArchivingSink = Sink & { readonly archive: Archive }

/** How far it is. */
export interface ArchiveProgress {
  readonly sink: string
  /** Lines that were compared. */
  readonly entries: number
  /** An estimate, from 0 to 1. */
  readonly fraction: number
}

export interface ComparisonOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: ArchiveProgress) => void
}

/** Whether a sink's archive can be read back. */
export function isArchiving(sink: Sink): sink is ArchivingSink {
  return sink.archive !== undefined
}

/**
 * Compares what a sink has stored with the log, in one pass with constant memory. May run while the log is written and shipped.
 *
 * @throws AuditError where the log or the archive can't be read; the reason of `signal` once it is aborted
 */
export async function verifySink(
  log: ReaderLog,
  { name, archive }: ArchivingSink,
  { signal, onProgress }: ComparisonOptions,
): Promise<ArchiveReport> {
  const position = await readPosition(log)
  const find = () => findConsumer(log, position, consumerOfSink({ name }))
  const consumer = await find()
  const builder = new ReportBuilder()
  if (!consumer)
    builder.note(`The log has no place of a sink ${JSON.stringify(name)}: nothing counts as shipped.`)
  if (await lacksArchive(log))
    builder.note(
      'Months have left the log for its archive, and count as extra: the option retention, which says where that is, is missing.',
    )
  const comparison = new Comparison(new LogStream(log, position), builder)
  const reading: ArchiveReading = {
    acknowledged: { batches: acknowledgedBatches(consumer), state: consumer?.state ?? null },
    era: eraNow(position.eras.at(-1) as Era),
    begun: async () => (await find())?.batch ?? 0n,
    fault: (kind, place, message) => builder.faults.add({ kind, place, message }),
    note: (message) => builder.note(message),
    signal,
  }
  let entries = 0
  for await (const part of archive.read(reading)) {
    for await (const lines of chunksOf(part)) {
      signal.throwIfAborted()
      await comparison.compare(lines)
      entries += lines.texts.length
      onProgress({ sink: name, entries, fraction: part.fraction })
    }
  }
  signal.throwIfAborted()
  await comparison.finish(consumer?.cursor ?? startOf(1))
  return builder.report(name, archive.place)
}

function acknowledgedBatches(consumer: Consumer | undefined): bigint {
  if (!consumer) return 0n
  return consumer.inFlight ? consumer.batch - 1n : consumer.batch
}

function eraNow({ number, id, beganAt }: Era): ArchiveReading['era'] {
  return { number, id, beganAt }
}

const chunk = { lines: 500, length: 4 * 1024 * 1024 }

/** The lines of a part, so many at a time that the log can be asked for all of them at once. */
async function* chunksOf(part: ArchivePart): AsyncGenerator<Lines> {
  let texts: string[] = []
  let number = 1
  let length = 0
  for await (const text of part.lines) {
    texts.push(text)
    length += text.length
    if (texts.length < chunk.lines && length < chunk.length) continue
    yield { part, texts, number }
    number += texts.length
    texts = []
    length = 0
  }
  if (texts.length > 0) yield { part, texts, number }
}
