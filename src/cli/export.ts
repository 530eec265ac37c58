import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { csvHeader, csvLine } from '../log/csv.ts'
import type { AuditEntry } from '../log/entry.ts'
import { jsonLine } from '../log/json-line.ts'
import type { SearchFilter } from '../search/filter.ts'
import { createAuditSearch } from '../search/search.ts'
import { describeEmpty } from './empty-result.ts'
import { withLog } from './open-log.ts'

export const exportFormats = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

const pageSize = 1_000

export interface ExportProgress {
  readonly written: number
  /** Where to go on; null at the end. */
  readonly cursor: string | null
  /** An estimate, from 0 to 1. */
  readonly fraction: number
}

export interface ExportOptions {
  readonly table: string | undefined
  readonly format: ExportFormat
  /** Where an export that was interrupted goes on. */
  readonly cursor: string | undefined
  /** Stops after the page at hand. */
  readonly signal: AbortSignal
  /** Called after each page. */
  readonly onProgress: (progress: ExportProgress) => void
  /** Told what the log has where there is nothing to export. */
  readonly onEmpty: (note: string) => void
}

/**
 * Writes all entries that meet a filter, newest first, page by page, as fast as `output` takes them.
 *
 * @returns how far it came: at the end, or where it was stopped
 */
export async function exportEntries(
  filter: SearchFilter,
  output: Writable,
  options: ExportOptions,
): Promise<ExportProgress> {
  const { table, format, signal, onProgress } = options
  const line: (entry: AuditEntry) => string = format === 'csv' ? csvLine : jsonLine
  return withLog(table, async (log) => {
    const { search } = createAuditSearch(log)
    let progress: ExportProgress = { written: 0, cursor: options.cursor ?? null, fraction: 0 }
    let first: AuditEntry | undefined
    do {
      const { cursor, written } = progress
      const page = await search(filter, { limit: pageSize, cursor: cursor ?? undefined })
      const header = format === 'csv' && cursor === null ? csvHeader : ''
      await writeOut(output, header + page.entries.map(line).join(''))
      first ??= page.entries[0]
      progress = {
        written: written + page.entries.length,
        cursor: page.nextCursor,
        fraction: page.nextCursor === null ? 1 : fractionDone(filter, first, page.entries.at(-1)),
      }
      onProgress(progress)
    } while (progress.cursor !== null && !signal.aborted)
    if (progress.written === 0 && options.cursor === undefined) {
      options.onEmpty(await describeEmpty(log, filter))
    }
    return progress
  })
}

async function writeOut(output: Writable, text: string): Promise<void> {
  if (text !== '' && !output.write(text)) await once(output, 'drain')
}

/**
 * How far an export has come, from 0 to 1: by time where the filter says where it ends, else by the order of entries,
 * which begins near 0. Counting them first would read them twice.
 */
function fractionDone(
  filter: SearchFilter,
  first: AuditEntry | undefined,
  last: AuditEntry | undefined,
): number {
  if (!first || !last) return 1
  if (filter.from === undefined) return Number(first.seq - last.seq) / Math.max(Number(first.seq), 1)
  const end = +new Date(filter.from)
  return (+first.timestamp - +last.timestamp) / Math.max(+first.timestamp - end, 1)
}
