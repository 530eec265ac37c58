import { isoInstant } from '../../values/iso-timestamp.ts'
import type { WireEntry, WirePage } from '../wire.ts'
import { conditions, Parameters } from './conditions.ts'
import { type WirePosition, writeCursor } from './cursor.ts'
import { listEntry } from './entry-json.ts'
import type { Filter } from './filter.ts'
import type { ReadConnection } from './read-connection.ts'
import { chooseWalk, type Walk } from './walk.ts'

/** What a page may take, in milliseconds: then it comes as far as it got. One statement may go on for twice that. */
const timeForPage = 1500

/** Entries in the first window of a search that has to look at each, and in the largest. */
const [firstWindow, largestWindow] = [4_000, 128_000]

export interface PageRequest {
  readonly table: string
  readonly filter: Filter
  /** The actions that `filter.action` stands for. */
  readonly actions: readonly string[]
  readonly limit: number
  readonly after: WirePosition | undefined
}

/**
 * Reads a page in windows of time, from new to old. The lower end of a window is the moment at which an index has given
 * enough candidates, so an order by time costs no more than the window, and a search that finds little can stop in
 * between and say how far it looked.
 */
export async function readWirePage(connection: ReadConnection, request: PageRequest): Promise<WirePage> {
  const { filter, actions, limit } = request
  if (filter.action !== undefined && actions.length === 0)
    return { entries: [], nextCursor: null, stoppedAt: null }

  const walk = await chooseWalk(connection, request.table, filter, actions)
  const deadline = performance.now() + timeForPage
  const entries: WireEntry[] = []
  let before = request.after
  let size = walk.exact ? limit + 1 : firstWindow
  while (true) {
    const start = await windowStart(connection, request, walk, before, size)
    entries.push(
      ...(await readWindow(connection, request, { before, start, limit: limit + 1 - entries.length })),
    )
    if (entries.length > limit) return page(entries.slice(0, limit), true)
    if (start === undefined) return page(entries, false)
    before = { timestamp: start, seq: '-1' }
    size = Math.min(size * 4, largestWindow)
    if (performance.now() > deadline) {
      return { entries, nextCursor: writeCursor(before), stoppedAt: start }
    }
  }
}

function page(entries: WireEntry[], more: boolean): WirePage {
  const last = entries.at(-1)
  return { entries, nextCursor: more && last ? writeCursor(last) : null, stoppedAt: null }
}

/** The time of the `size`th candidate before `before`; undefined when there are fewer, or the time range ends first. */
async function windowStart(
  connection: ReadConnection,
  { table, filter }: PageRequest,
  walk: Walk,
  before: WirePosition | undefined,
  size: number,
): Promise<string | undefined> {
  const parameters = new Parameters()
  const candidates = walk.candidates(
    timeConditions(filter, before, undefined, parameters),
    before ?? upperEnd(filter),
    parameters,
  )
  const sql = `SELECT to_json(${isoInstant('min("timestamp")')})
    FROM (${candidates(table, parameters.add(size, 'bigint'))}) AS "window"
    HAVING count(*) = ${parameters.add(size, 'bigint')}`
  const [start] = await connection.read<string>(sql, parameters.values, 2 * timeForPage)
  return start
}

function upperEnd({ to }: Filter): WirePosition | undefined {
  return to === undefined ? undefined : { timestamp: to, seq: '0' }
}

function readWindow(
  connection: ReadConnection,
  { table, filter, actions }: PageRequest,
  window: { before: WirePosition | undefined; start: string | undefined; limit: number },
): Promise<WireEntry[]> {
  const parameters = new Parameters()
  const where = [
    ...timeConditions(filter, window.before, window.start, parameters),
    ...conditions(filter, actions, parameters),
  ]
  const sql = `SELECT ${listEntry} FROM ${table} WHERE ${where.join(' AND ') || 'true'}
    ORDER BY "timestamp" DESC, seq DESC LIMIT ${parameters.add(window.limit, 'bigint')}`
  return connection.read<WireEntry>(sql, parameters.values, 2 * timeForPage)
}

/** From `start` on and before `before`, within the filter's range. */
function timeConditions(
  { from, to }: Filter,
  before: WirePosition | undefined,
  start: string | undefined,
  parameters: Parameters,
): string[] {
  const timestamp = (text: string) => parameters.add(text, 'timestamptz')
  return [
    ...(start === undefined ? [] : [`"timestamp" >= ${timestamp(start)}`]),
    ...(from === undefined ? [] : [`"timestamp" >= ${timestamp(from)}`]),
    ...(to === undefined ? [] : [`"timestamp" < ${timestamp(to)}`]),
    // a block range index does not understand the comparison of rows, so the time is there by itself too
    ...(before === undefined
      ? []
      : [
          `"timestamp" <= ${timestamp(before.timestamp)}`,
          `("timestamp", seq) < (${timestamp(before.timestamp)}, ${parameters.add(before.seq, 'bigint')})`,
        ]),
  ]
}
