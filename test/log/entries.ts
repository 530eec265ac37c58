import type { AuditEntry } from '../../src/index.ts'
import type { Database } from '../support/database.ts'

/** An entry as a test wants it in the table; the rest is filled in. */
export interface GivenEntry {
  timestamp?: string
  action?: string
  actor_id?: string
  actor_type?: string
  actor_email?: string | null
  resource_type?: string
  resource_id?: string | null
  outcome?: string
  reason?: string | null
  details?: Record<string, unknown> | null
  request_id?: string | null
  organization_id?: string | null
  transaction_id?: string
}

/** Puts entries straight into the log, in order. */
export async function insertEntries(database: Database, entries: readonly GivenEntry[]): Promise<void> {
  await database.sql(
    `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id,
       outcome, reason, details, request_id, organization_id, transaction_id)
     SELECT gen_random_uuid(), coalesce("timestamp", clock_timestamp()), coalesce(action, 'order.update'),
       coalesce(actor_id, 'ada'), coalesce(actor_type, 'user'), actor_email, coalesce(resource_type, 'order'),
       resource_id, coalesce(outcome, 'success'), reason, details, request_id, organization_id,
       coalesce(transaction_id, 1)
     FROM jsonb_to_recordset($1::jsonb) AS e("timestamp" timestamptz, action text, actor_id text, actor_type text,
       actor_email text, resource_type text, resource_id text, outcome text, reason text, details jsonb,
       request_id text, organization_id text, transaction_id bigint)`,
    [JSON.stringify(entries)],
  )
}

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
