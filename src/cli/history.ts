import type { AuditEntry } from '../log/entry.ts'
import { resourceOf } from '../models/data-model.ts'
import { createAuditSearch } from '../search/search.ts'
import { withLog } from './open-log.ts'

/** All entries of a record, newest first, up to `limit`. */
export async function readHistory(
  model: string,
  id: string,
  { table, limit }: { table: string | undefined; limit: number },
): Promise<AuditEntry[]> {
  return withLog(table, async (log) => {
    const filter = { resource: { type: resourceOf(model), id } }
    const found: AuditEntry[] = []
    for await (const entry of createAuditSearch(log).stream(filter)) {
      found.push(entry)
      if (found.length === limit) break
    }
    return found
  })
}
