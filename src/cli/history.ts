import type { AuditEntry } from '../log/entry.ts'
import { createSearching } from '../search/search.ts'
import { resourceNamed } from './filter-options.ts'
import { withLog } from './open-log.ts'

/** All entries of a record, newest first, up to `limit`. */
export async function readHistory(
  model: string,
  id: string,
  { table, limit }: { table: string | undefined; limit: number },
): Promise<AuditEntry[]> {
  return withLog(table, async (log) => {
    const filter = { resource: { type: resourceNamed(model), id } }
    const found: AuditEntry[] = []
    for await (const entry of createSearching(log).stream(filter)) {
      found.push(entry)
      if (found.length === limit) break
    }
    return found
  })
}
