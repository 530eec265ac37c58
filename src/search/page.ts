import * as z from 'zod/mini'
import { archivedRow } from '../log/archived-log.ts'
import { type AuditEntry, type EntryRow, entryColumns, toEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import { check } from './check.ts'
import { type Conditions, resolveConditions } from './conditions.ts'
import { decodeCursor, encodeCursor, timestampText } from './cursor.ts'
import type { LogSource } from './entries-query.ts'
import type { ParsedFilter } from './filter.ts'
import { lastPosition } from './find-entries.ts'
import { findInBoth } from './find-in-both.ts'

/** Which page. */
export interface PageOptions {
  /** 1 to 1,000 entries; 50 by default. May change from page to page. */
  limit?: number | undefined
  /** `nextCursor` of the previous page. */
  cursor?: string | undefined
}

/** A page of entries, newest first. */
export interface AuditPage {
  entries: AuditEntry[]
  /** Pass it as `cursor` to the same helper with the same filter to get the next entries; null on the last page. */
  nextCursor: string | null
}

const pageSchema = z.strictObject(
  {
    limit: z._default(z.int().check(z.minimum(1), z.maximum(1_000)), 50),
    cursor: z.optional(z.string({ error: 'must be the nextCursor of the previous page, or be left out' })),
  },
  { error: ({ code }) => (code === 'unrecognized_keys' ? 'must have limit and cursor only' : undefined) },
)

export function parsePageOptions(options: unknown): PageOptions & { limit: number } {
  return check('The page', pageSchema, options)
}

/** One page of the entries that meet a filter, for a helper of `$audit`. */
export async function readAuditPage(
  log: ReadableLog,
  helper: string,
  filter: ParsedFilter,
  options: unknown,
): Promise<AuditPage> {
  const { limit, cursor } = parsePageOptions(options)
  const conditions = await resolveConditions(log, filter)
  const { rows, nextCursor } = await readPage<EntryRow>(entriesOf(log), helper, conditions, { limit, cursor })
  return { entries: rows.map(toEntry), nextCursor }
}

/** The log, as helpers read it. */
export function entriesOf(log: ReadableLog): LogSource {
  return {
    ...{ table: log.options.table, connection: log.connection, columns: entryColumns },
    archive: log.archive && { log: log.archive, toRow: archivedRow },
  }
}

/** A page before its rows become entries. */
export interface RowPage<Row> {
  readonly rows: Row[]
  readonly nextCursor: string | null
  /**
   * Set when the time ran out before the page was full: entries back to this moment (ISO 8601) were searched, and
   * `nextCursor` continues from there.
   */
  readonly stoppedAt: string | null
}

/**
 * One page of the rows of a source.
 *
 * @param asker the helper; no other accepts its cursors
 * @param options.time milliseconds after which the page is returned, full or not
 * @throws AuditError `AUDIT_INVALID_CURSOR`
 */
export async function readPage<Row>(
  source: LogSource,
  asker: string,
  conditions: Conditions,
  { limit, cursor, time }: { limit: number; cursor?: string | undefined; time?: number },
): Promise<RowPage<Row>> {
  const question = JSON.stringify([asker, conditions])
  const before = cursor === undefined ? undefined : decodeCursor(cursor, question)
  // one more than the page holds shows whether there is another page
  const found = await findInBoth<Row>(source, conditions, { before, count: limit + 1, time })
  const rows = found.rows.slice(0, limit)
  const end = found.stoppedAt ?? (found.rows.length > limit ? lastPosition(rows) : undefined)
  return {
    rows,
    nextCursor: end === undefined ? null : encodeCursor(end, question),
    stoppedAt: found.stoppedAt === undefined ? null : timestampText(found.stoppedAt),
  }
}
