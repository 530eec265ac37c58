-- A log of $COUNT entries over 400 days, as a shop with 40 employees and 20,000 orders would have it.
WITH entry AS (
  SELECT
    i,
    now() - interval '400 days' * (1 - i::float8 / $COUNT) ^ 1.3 AS at,
    hashint4(i) & 1023 AS dice,
    (hashint4(i + 7) & 65535) % 40 AS person,
    (hashint4(i + 13) & 1048575) % 20000 AS thing
  FROM generate_series(1, $COUNT) AS i
), kind AS (
  SELECT *, CASE
    WHEN dice < 460 THEN 'order.update' WHEN dice < 640 THEN 'order.create' WHEN dice < 800 THEN 'product.update'
    WHEN dice < 880 THEN 'customer.update' WHEN dice < 920 THEN 'customer.create' WHEN dice < 940 THEN 'order.delete'
    WHEN dice < 980 THEN 'user.login' WHEN dice < 990 THEN 'report.export' WHEN dice < 1010 THEN 'product.read'
    ELSE 'product.connect' END AS action
  FROM entry
), full_entry AS (
  SELECT *, split_part(action, '.', 1) AS resource,
    action = 'user.login' AND dice % 5 = 0 OR action = 'order.update' AND i % 211 = 0 AS failed,
    CASE WHEN action IN ('order.create', 'customer.create') AND dice % 3 = 0 THEN 'api_key'
      WHEN action = 'product.update' AND dice % 2 = 0 THEN 'system' ELSE 'user' END AS who
  FROM kind
)
INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome,
  reason, details, request_id, ip, user_agent, organization_id, transaction_id)
SELECT
  (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(i & 4095), 3, '0') || '8'
    || substr(md5(i::text), 1, 15))::uuid,
  at, action,
  CASE who WHEN 'user' THEN 'user-' || person WHEN 'system' THEN 'price-sync' ELSE 'key_' || substr(md5(person::text), 1, 8) END,
  who, CASE WHEN who = 'user' THEN 'person' || person || '@shop.example' END,
  resource, CASE WHEN action = 'user.login' THEN 'user-' || person ELSE thing::text END,
  CASE WHEN failed THEN 'failure' ELSE 'success' END,
  CASE WHEN failed AND resource = 'user' THEN 'wrong password' WHEN failed THEN 'P2034: write conflict' END,
  CASE WHEN failed THEN NULL
    WHEN action LIKE '%.update' THEN jsonb_build_object(
      'before', jsonb_build_object('id', thing, 'status', (ARRAY['new','paid','packed','shipped'])[1 + dice % 4], 'total', (thing % 900) || '.90', 'currency', 'EUR', 'note', null),
      'after', jsonb_build_object('id', thing, 'status', (ARRAY['paid','packed','shipped','done'])[1 + dice % 4], 'total', (thing % 900) || '.90', 'currency', 'EUR', 'note', null),
      'changed', jsonb_build_array('status'), 'operation', 'update')
    WHEN action LIKE '%.create' THEN jsonb_build_object('operation', 'create', 'after',
      jsonb_build_object('id', thing, 'status', 'new', 'total', (thing % 900) || '.90', 'currency', 'EUR', 'note', null))
    WHEN action LIKE '%.delete' THEN jsonb_build_object('operation', 'delete', 'before',
      jsonb_build_object('id', thing, 'status', 'new', 'total', (thing % 900) || '.90', 'currency', 'EUR', 'note', null))
    WHEN action LIKE '%.connect' THEN jsonb_build_object('operation', 'update', 'relation', 'tags', 'target',
      jsonb_build_object('type', 'tag', 'id', (dice % 30)::text)) END,
  'req-' || substr(md5((i / 3)::text), 1, 8), ('203.0.113.' || (dice % 250))::inet, 'Mozilla/5.0 (Macintosh) Firefox/145.0',
  CASE WHEN dice % 2 = 0 THEN 'shop' END, 1000 + i / 3
FROM full_entry;
