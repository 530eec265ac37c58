import type pg from 'pg'
import { fillTables } from '../../scripts/fill-tables.ts'
import type { Log, RecordedChange, Row, Verb } from './contender.ts'
import { byColumn, modelNamed, tableOf } from './models.ts'
import { productState } from './product-state.ts'

const install = async () => {}

/** The model `AuditLog`, as most posts about an audit log with Prisma have it, and @explita/prisma-audit-log. */
export const auditLogModel: Log = {
  schemas: ['schema.prisma', 'audit-log.prisma'],
  install,
  tables: ['audit_logs'],
  fill: (pool, count) => fillTables(pool, ['audit_logs'], insert, count),
  read,
  recordsBefore: true,
  mergesInTransaction: false,
}

async function read(pool: pg.Pool): Promise<RecordedChange[]> {
  const { rows } = await pool.query<{
    id: string
    model: string
    record_id: string
    action: string
    old_data: Row | null
    new_data: Row | null
  }>('SELECT id, model, record_id, action, old_data, new_data FROM audit_logs')
  return rows.map(({ id, model: name, record_id, action, old_data, new_data }) => {
    const model = modelNamed(name)
    return {
      key: id,
      table: tableOf(model),
      id: record_id,
      // CREATE, UPDATE_upsert, …
      verb: action.split('_')[0]?.toLowerCase() as Verb,
      before: byColumn(model, old_data),
      after: byColumn(model, new_data),
    }
  })
}

const insert = `
  INSERT INTO audit_logs (id, user_id, record_id, action, model, old_data, new_data, changed_fields, ip_address,
    user_agent, created_at)
  SELECT 'c' || md5(n::text || clock_timestamp()), 'actor-' || n % 200, 'seed-' || n % 10000, 'UPDATE', 'Product',
    ${productState}, ${productState}, ARRAY['stock'], '203.0.113.7',
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', now() - n * interval '0.36 seconds'
  FROM generate_series(1, $1::int8) AS n`
