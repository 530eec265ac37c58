import type { AuditEntry } from '../log/entry.ts'
import { resourceOf } from '../models/data-model.ts'
import { createAuditSearch } from '../search/search.ts'
import { describeEmpty } from './empty-result.ts'
import { withLog } from './open-log.ts'

/**
 * All entries of a record, newest first, up to `limit`.
 *
 * @param onEmpty told what the log has instead
 */
export async function readHistory(
  model: string,
  id: string,
  { table, limit }: { table: string | undefined; limit: number },
  onEmpty: (note: string) => void,
): Promise<AuditEntry[]> {
  return withLog(table, async (log) => {
    const filter = { resource: { type: resourceOf(model), id } }
    const found: AuditEntry[] = []
    for await (const entry of createAuditSearch(log).stream(filter)) {
      found.push(entry)
      if (found.length === limit) break
    }
    if (found.length === 0) onEmpty(await describeEmpty(log, filter))
    return found
  })
}
