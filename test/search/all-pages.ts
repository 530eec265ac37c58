import type { AuditEntry } from '../../src/index.ts'

/** Follows a page's cursors to the end. */
export async function allPages(
  read: (page: {
    limit: number
    cursor?: string
  }) => Promise<{ entries: AuditEntry[]; nextCursor: string | null }>,
  limit: number | (() => number),
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const size = typeof limit === 'number' ? limit : limit()
    const page = await read({ limit: size, ...(cursor === undefined ? {} : { cursor }) })
    if (page.entries.length > size) throw new Error('a page has more entries than its limit')
    entries.push(...page.entries)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return entries
}
