import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEntry } from '../log/entry.ts'
import type { SearchFilter } from '../search/filter.ts'
import { type AuditSearch, createAuditSearch } from '../search/search.ts'
import { describeEmpty } from './empty-result.ts'
import { withLog } from './open-log.ts'

const pollEvery = 1_000
/** An entry becomes visible when its transaction commits, which may be this long after its time. */
const longestTransaction = 60_000

/**
 * The newest entries, oldest first; with `follow` also those that come, until `signal` aborts.
 *
 * @param show called with each entry, once
 * @param onEmpty told what the log has where there is none to begin with
 */
export async function tail(
  filter: SearchFilter,
  {
    table,
    count,
    follow,
    signal,
  }: { table: string | undefined; count: number; follow: boolean; signal: AbortSignal },
  show: (entry: AuditEntry) => void,
  onEmpty: (note: string) => void,
): Promise<void> {
  await withLog(table, async (log) => {
    const search = createAuditSearch(log)
    const { entries } = await search.search(filter, { limit: count })
    for (const entry of entries.toReversed()) show(entry)
    if (entries.length === 0) onEmpty(await describeEmpty(log, filter))
    if (!follow) return
    // everything that is visible at the start counts as shown, the older entries too
    const begin = entries[0]?.timestamp ?? new Date()
    const shown = new Map(
      (await entriesSince(search, filter, begin)).map((entry) => [entry.id, entry.timestamp]),
    )
    let newest = begin
    while (!signal.aborted) {
      await sleep(pollEvery, undefined, { signal }).catch(() => {})
      for (const entry of await entriesSince(search, filter, newest)) {
        if (shown.has(entry.id)) continue
        show(entry)
        shown.set(entry.id, entry.timestamp)
        if (entry.timestamp > newest) newest = entry.timestamp
      }
      for (const [id, time] of shown) if (+newest - +time > 2 * longestTransaction) shown.delete(id)
    }
  })
}

/** Oldest first, with those that may have been committed late. */
async function entriesSince(
  search: AuditSearch<unknown>,
  filter: SearchFilter,
  time: Date,
): Promise<AuditEntry[]> {
  const from = new Date(Math.max(+time - longestTransaction, +new Date(filter.from ?? 0)))
  const found: AuditEntry[] = []
  for await (const entry of search.stream({ ...filter, from })) found.push(entry)
  return found.reverse()
}
