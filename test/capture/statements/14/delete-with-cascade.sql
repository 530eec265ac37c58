-- prisma.warehouse.delete({ where: { code: 'ZH' } })

-- Prisma's statement:
-- DELETE FROM "public"."Warehouse"
-- WHERE ("public"."Warehouse"."code" = $1 AND 1=1)
-- RETURNING "public"."Warehouse"."code", "public"."Warehouse"."city"

-- 1. Lock the rows that are about to change:
SELECT "Warehouse".ctid::text
FROM "public"."Warehouse"
WHERE (("public"."Warehouse"."code" = $1 AND 1=1))
FOR UPDATE OF "Warehouse";

-- 2. Lock the rows that referential actions reach:
WITH RECURSIVE "__audit_start"(relation, "row", patch) AS (
  SELECT "Warehouse".tableoid, "Warehouse".ctid, NULL::jsonb
  FROM "public"."Warehouse"
  WHERE "Warehouse".ctid = ANY ((SELECT $1::pg_catalog.text)::pg_catalog.tid[])
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT 1, c.tableoid, c.ctid, NULL::jsonb
    FROM "public"."Warehouse" AS p
    JOIN "public"."Shelf" AS c ON c."warehouseCode" = p."code"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_locked_1" AS MATERIALIZED (
  SELECT
  FROM "__audit_reached" AS r
  JOIN "public"."Shelf" AS "__audit_child"
    ON "__audit_child".tableoid = r.relation
    AND "__audit_child".ctid = r."row"
  WHERE r.node = 1
  FOR UPDATE OF "__audit_child"
)
SELECT ((SELECT pg_catalog.count(*) FROM "__audit_locked_1"))::int4;

-- 3. The change and its entries:
-- $2 = {}, $3 = delete, $4 = <a number>, $5 = <28 characters of a UUIDv7>, $6 = ada, $7 = user, $8 = null, $9 = null, $10 = r1, $11 = 192.0.2.1, $12 = null, $13 = null
WITH RECURSIVE "__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_id", "__audit_details", "__audit_relation", "__audit_row",
  "__audit_patch", "__audit_triggers", "__audit_shape", "__audit_claim"
) AS (
  DELETE FROM "public"."Warehouse"
  WHERE (("public"."Warehouse"."code" = $1 AND 1=1))
    AND "Warehouse".ctid = ANY ($2::pg_catalog.text::pg_catalog.tid[])
  RETURNING
    "public"."Warehouse"."code", "public"."Warehouse"."city",
    pg_catalog.left("Warehouse"."code"::text, 255),
    pg_catalog.jsonb_build_object(
      'before', pg_catalog.jsonb_build_object(
        'code', "Warehouse"."code", 'city', "Warehouse"."city"
      ),
      'operation', $3::pg_catalog.text
    ),
    "Warehouse".tableoid, "Warehouse".ctid, NULL::jsonb,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_a46d555daf763ba3cc7ca71fdccb9b75', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, 'a46d555daf763ba3cc7ca71fdccb9b75', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL)::"public"."Warehouse" END,
    (
      SELECT
        pg_catalog.set_config(
          'prisma_extension_audit.records',
          pg_catalog.concat(
            EXTRACT(epoch FROM pg_catalog.statement_timestamp()),
            ' abcf81e01a06714d6502199485f52cf4 '
          ),
          true
        )
    )
),
"__audit_start"(relation, "row", patch) AS (
  SELECT "__audit_relation", "__audit_row", "__audit_patch" FROM "__audit_op"
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT 1, c.tableoid, c.ctid, NULL::jsonb
    FROM "public"."Warehouse" AS p
    JOIN "public"."Shelf" AS c ON c."warehouseCode" = p."code"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_affected_1" AS (
  SELECT
    CASE WHEN a.gone THEN 'shelf.delete' ELSE 'shelf.update' END AS "__audit_action",
    pg_catalog.left(
      '[' || pg_catalog.to_json(
        "__audit_child"."warehouseCode"::text
      )::text || ',' || pg_catalog.to_json("__audit_child"."number"::text)::text || ']',
      255
    ) AS "__audit_id",
    CASE
      WHEN a.gone
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'warehouseCode', "__audit_child"."warehouseCode",
            'number', "__audit_child"."number",
            'label', "__audit_child"."label"
          ),
          'cause', 'warehouse.delete'::text,
          'operation', $3::pg_catalog.text
        )
      ELSE CASE
        WHEN ROW("__audit_child"."warehouseCode")::record *<> ROW(
          "__audit_patched"."warehouseCode"
        )::record
          OR "__audit_child"."number" IS DISTINCT FROM "__audit_patched"."number"
          OR ROW("__audit_child"."label")::record *<> ROW("__audit_patched"."label")::record
          THEN pg_catalog.jsonb_build_object(
            'before', pg_catalog.jsonb_build_object(
              'warehouseCode', "__audit_child"."warehouseCode",
              'number', "__audit_child"."number",
              'label', "__audit_child"."label"
            ),
            'after', pg_catalog.jsonb_build_object(
              'warehouseCode', "__audit_patched"."warehouseCode",
              'number', "__audit_patched"."number",
              'label', "__audit_patched"."label"
            ),
            'changed', pg_catalog.array_remove(
              ARRAY[
                CASE
                  WHEN ROW("__audit_child"."warehouseCode")::record *<> ROW(
                    "__audit_patched"."warehouseCode"
                  )::record
                    THEN 'warehouseCode'
                END,
                CASE
                  WHEN "__audit_child"."number" IS DISTINCT FROM "__audit_patched"."number"
                    THEN 'number'
                END,
                CASE
                  WHEN ROW("__audit_child"."label")::record *<> ROW(
                    "__audit_patched"."label"
                  )::record
                    THEN 'label'
                END
              ],
              NULL
            ),
            'cause', 'warehouse.delete'::text,
            'operation', $3::pg_catalog.text
          )
      END
    END AS "__audit_details",
    CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Shelf" END AS "__audit_guard"
  FROM (
    SELECT
      r.relation, r."row", pg_catalog.bool_or(r.patch IS NULL) AS gone,
      pg_catalog.jsonb_object_agg(f.key, f.value) FILTER (WHERE f.key IS NOT NULL) AS patch
    FROM "__audit_reached" AS r
    LEFT JOIN LATERAL pg_catalog.jsonb_each(r.patch) AS f ON true
    WHERE r.node = 1
      AND NOT EXISTS (
        SELECT
        FROM "__audit_op" AS o
        WHERE o."__audit_relation" = r.relation AND o."__audit_row" = r."row"
      )
    GROUP BY r.relation, r."row"
  ) AS a
  JOIN "public"."Shelf" AS "__audit_child"
    ON "__audit_child".tableoid = a.relation
    AND "__audit_child".ctid = a."row"
  CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
    "__audit_child", coalesce(a.patch, '{}')
  ) AS "__audit_patched"
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    (
      $5::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($4::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    e.action, $6, $7, $8, e.resource_type, e.resource_id, 'success', $9, e.details, $10,
    $11::pg_catalog.inet, $12, $13
  FROM (
    SELECT
      'warehouse.delete', 'warehouse', "__audit_op"."__audit_id", "__audit_op"."__audit_details"
    FROM "__audit_op"
    WHERE "__audit_op"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT
      "__audit_affected_1"."__audit_action", 'shelf', "__audit_affected_1"."__audit_id",
      "__audit_affected_1"."__audit_details"
    FROM "__audit_affected_1"
    WHERE "__audit_affected_1"."__audit_details" IS NOT NULL
  ) AS e(action, resource_type, resource_id, details)
)
SELECT "__audit_r0" AS "code", "__audit_r1" AS "city"
FROM "__audit_op";
