import type pg from 'pg'

/** When the shop's log ends: a constant, so that its pictures come out alike. */
export const shopEnd = new Date('2026-11-24T16:20:00Z')

/**
 * Fills an empty log with a year of a shop: the lives of `orders` orders, more and more of them, and the logins of the
 * people who look after them.
 */
export async function fillShopLog(pool: pg.Pool, orders: number): Promise<void> {
  await pool.query(generate, [orders, shopEnd])
  await pool.query('VACUUM (ANALYZE) audit_logs')
}

const generate = `
  WITH orders AS (
    SELECT n, $2::timestamptz - interval '1 year' * (1 - power(n / $1::float8, 0.8)) AS placed,
      (ARRAY['amara', 'jonas', 'mei', 'tomas', 'priya', 'lucia'])[1 + abs(hashint4(n)) % 6] AS person,
      jsonb_build_object('id', n, 'status', 'new', 'carrier', null,
        'customer', (ARRAY['Ada Byrne', 'Bruno Costa', 'Chloé Martin', 'Dženan Hodžić', 'Eva Lindqvist'])[1 + n % 5],
        'address', 1 + n % 90 || ' Harbour Street, Galway',
        'total', to_char(4.5 + abs(hashint4(n)) % 20000 / 100.0, 'FM990.00')) AS first
    FROM generate_series(1, $1::int4) AS n
  ), steps (step, verb, every, delay, before, after, actor, actor_type, reason) AS (VALUES
    (1, 'create', 1, interval '0 minutes', '{}'::jsonb, '{}'::jsonb, 'webshop', 'system', NULL),
    (2, 'update', 1, '4 minutes', '{}', '{"status": "paid"}', 'payments', 'api_key', NULL),
    (3, 'update', 7, '50 minutes', '{"status": "paid"}', '{"status": "paid", "address": "3 Harbour Road, Galway"}', NULL,
      'user', 'The customer gave the wrong address'),
    (4, 'update', 1, '3 hours', '{"status": "paid"}', '{"status": "packed"}', NULL, 'user', NULL),
    (5, 'update', 1, '21 hours', '{"status": "packed"}', '{"status": "shipped", "carrier": "DHL"}', NULL, 'user', NULL),
    (6, 'update', 21, '6 days', '{"status": "shipped", "carrier": "DHL"}', '{"status": "refunded", "carrier": "DHL"}', NULL,
      'user', 'Arrived broken')
  ), entries AS (
    SELECT placed + delay AS time, 'order' AS resource, n::text AS id, verb, coalesce(actor, person) AS actor, actor_type,
      reason, 'success' AS outcome, n, step,
      CASE verb WHEN 'create' THEN jsonb_build_object('after', first)
        ELSE jsonb_build_object('before', first || moved || before, 'after', first || moved || after, 'operation', 'update',
          'changed', (SELECT jsonb_agg(key) FROM jsonb_each(first || moved || after) WHERE value <> (first || moved || before)->key))
      END AS details
    FROM orders CROSS JOIN steps
      CROSS JOIN LATERAL (SELECT CASE WHEN step > 3 AND n % 7 = 0 THEN '{"address": "3 Harbour Road, Galway"}'::jsonb ELSE '{}' END AS moved) AS move
    WHERE n % every = 0
    UNION ALL
    SELECT placed - interval '9 minutes', 'user', person, 'login', person, 'user',
      CASE WHEN hashint4(n + 2) % 8 = 0 THEN 'wrong password' END, CASE WHEN hashint4(n + 2) % 8 = 0 THEN 'failure' ELSE 'success' END, n, 0, NULL
    FROM orders WHERE n % 4 = 0
  )
  INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome,
    reason, details, request_id, ip, user_agent, organization_id, transaction_id)
  SELECT (lpad(to_hex(floor(extract(epoch FROM time) * 1000)::int8), 12, '0') || '7000' || lpad(to_hex(32768 + step), 4, '0')
      || lpad(to_hex(n), 12, '0'))::uuid, time,
    resource || '.' || verb, actor, actor_type, CASE actor_type WHEN 'user' THEN actor || '@shop.example' END, resource, id,
    outcome, reason, details, 'req-' || left(md5(n || ' ' || step), 8),
    CASE actor_type WHEN 'user' THEN ('203.0.113.' || 1 + floor(40 * power(abs(hashint4(n + 1)) / 2147483648.0, 3)))::inet END,
    CASE actor_type WHEN 'user' THEN 'Mozilla/5.0 (Macintosh) Firefox/145.0' END, 'shop', 400000 + row_number() OVER (ORDER BY time)
  FROM entries WHERE time < $2::timestamptz ORDER BY time`
