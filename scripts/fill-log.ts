import type pg from 'pg'
import { fillTables } from './fill-tables.ts'

/**
 * Fills an empty log with `count` entries, 10,000 an hour up to now. Every fourth is an update of order 42 by `ada`, every
 * fourth a login, nine out of ten of them failed. The others are of 300 actions of which few are busy, 200 actors, 1,000
 * records a resource. 100 organizations, transactions of five entries.
 */
export async function fillLog(pool: pg.Pool, count: number): Promise<void> {
  await fillTables(pool, ['audit_logs'], generate, count)
}

const generate = `
  INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, outcome, details,
    request_id, ip, user_agent, organization_id, transaction_id)
  SELECT (lpad(to_hex(floor(extract(epoch FROM time) * 1000)::int8), 12, '0') || '7' || substr(hash, 1, 3) || '8'
      || substr(hash, 4, 15))::uuid,
    time,
    CASE n % 4 WHEN 0 THEN 'order.update' WHEN 1 THEN 'user.login' ELSE resource || '.' || verb END,
    CASE n % 4 WHEN 0 THEN 'ada' ELSE 'actor-' || n * 7919 % 200 END,
    'user',
    CASE n % 4 WHEN 0 THEN 'order' WHEN 1 THEN 'user' ELSE resource END,
    CASE n % 4 WHEN 0 THEN '42' ELSE (n * 104729 % 1000)::text END,
    CASE WHEN n % 4 = 1 AND n % 40 > 3 THEN 'failure' ELSE 'success' END,
    CASE WHEN n % 4 <> 1 THEN jsonb_build_object('before', jsonb_build_object('id', n, 'status', 'DRAFT'),
      'after', jsonb_build_object('id', n, 'status', 'PAID'), 'changed', '["status"]'::jsonb) END,
    hash, '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'organization-' || n / 7 % 100, 1000000000 + n / 5
  FROM (
    SELECT n, md5(n::text) AS hash, now() - ($1::int8 - n) * interval '0.36 seconds' AS time,
      'resource' || floor(60 * power(abs(hashint8(n)::int8) / 2147483648.0, 3)) AS resource,
      (ARRAY['create', 'update', 'update', 'update', 'delete', 'read', 'export'])[1 + n / 4 % 7] AS verb
    FROM generate_series(1, $1::int8) AS n
  ) AS numbered`
