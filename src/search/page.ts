import { z } from 'zod'
import { type AuditEntry, type EntryRow, toEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import { type Conditions, resolveConditions } from './conditions.ts'
import { decodeCursor, encodeCursor, type Position } from './cursor.ts'
import { check, type ParsedFilter } from './filter.ts'
import { pageQuery } from './page-query.ts'

/** Which page. */
export interface PageOptions {
  /** 1 to 1,000 entries; 50 by default. May change from page to page. */
  limit?: number | undefined
  /** `nextCursor` of the page before. */
  cursor?: string | undefined
}

/** A page of entries, newest first. */
export interface AuditPage {
  entries: AuditEntry[]
  /** Pass it as `cursor`, to the same helper with the same filter, for the entries that follow; null on the last page. */
  nextCursor: string | null
}

const pageSchema = z.strictObject(
  {
    limit: z.int().min(1).max(1_000).default(50),
    cursor: z.string({ error: 'must be the nextCursor of the page before, or be left out' }).optional(),
  },
  { error: ({ code }) => (code === 'unrecognized_keys' ? 'must have limit and cursor only' : undefined) },
)

export function parsePageOptions(options: unknown): z.output<typeof pageSchema> {
  return check('The page', pageSchema, options)
}

/** One page of the entries that meet a filter. */
export async function readPage(
  log: ReadableLog,
  helper: string,
  filter: ParsedFilter,
  options: unknown,
): Promise<AuditPage> {
  const { limit, cursor } = parsePageOptions(options)
  const conditions = await resolveConditions(log, filter)
  const question = JSON.stringify([helper, conditions])
  const position = cursor === undefined ? undefined : decodeCursor(cursor, question)
  // one more than the page holds tells whether there is another page
  const rows = await readRows(log, conditions, position, limit + 1)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    entries: shown.map(toEntry),
    nextCursor: rows.length > limit && last ? encodeCursor(last, question) : null,
  }
}

/** A row of the log and its place in the order. */
export type PageRow = EntryRow & Position

export async function readRows(
  log: ReadableLog,
  conditions: Conditions,
  position: Position | undefined,
  count: number,
): Promise<PageRow[]> {
  const { sql, values } = pageQuery(log.options.table, conditions, position, count)
  return log.connection.query<PageRow>(sql, ...values)
}
