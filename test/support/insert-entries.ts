import type { Database } from './database.ts'

/** An entry as a test wants it in the table; the rest is filled in. */
export interface GivenEntry {
  id?: string
  timestamp?: string
  action?: string
  actor_id?: string
  actor_type?: string
  actor_email?: string | null
  resource_type?: string
  resource_id?: string | null
  outcome?: string
  reason?: string | null
  /** An object, or the text of some JSON. */
  details?: Record<string, unknown> | string | null
  request_id?: string | null
  ip?: string | null
  organization_id?: string | null
  transaction_id?: string
}

/** Puts entries straight into the log; gives their ids in the same order. */
export async function insertEntries(database: Database, entries: readonly GivenEntry[]): Promise<string[]> {
  const rows = await database.sql<{ id: string }>(
    `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id,
       outcome, reason, details, request_id, ip, organization_id, transaction_id)
     SELECT coalesce(id, gen_random_uuid()), coalesce("timestamp", clock_timestamp()), coalesce(action, 'order.update'),
       coalesce(actor_id, 'ada'), coalesce(actor_type, 'user'), actor_email, coalesce(resource_type, 'order'),
       resource_id, coalesce(outcome, 'success'), reason, details::jsonb, request_id, ip, organization_id,
       coalesce(transaction_id, 1)
     FROM jsonb_to_recordset($1::jsonb) AS e(id uuid, "timestamp" timestamptz, action text, actor_id text,
       actor_type text, actor_email text, resource_type text, resource_id text, outcome text, reason text, details text,
       request_id text, ip inet, organization_id text, transaction_id bigint)
     RETURNING id`,
    [JSON.stringify(entries)],
  )
  return rows.map(({ id }) => id)
}
