-- prisma.team.delete({ where: { id: 1 } })

-- Prisma's statement:
-- DELETE FROM "public"."Team"
-- WHERE ("public"."Team"."id" = $1 AND 1=1)
-- RETURNING "public"."Team"."id", "public"."Team"."orgId"

-- 1. Lock the rows that are about to change:
SELECT "Team".ctid::text
FROM "public"."Team"
WHERE (("public"."Team"."id" = $1 AND 1=1))
FOR UPDATE OF "Team";

-- 2. Lock the rows that referential actions reach:
WITH RECURSIVE "__audit_start"(relation, "row", patch) AS (
  SELECT "Team".tableoid, "Team".ctid, NULL::jsonb
  FROM "public"."Team"
  WHERE "Team".ctid = ANY ((SELECT $1::pg_catalog.text)::pg_catalog.tid[])
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT 1, c.tableoid, c.ctid, NULL::jsonb
    FROM "public"."Team" AS p
    JOIN "public"."Task" AS c ON c."teamId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
    UNION ALL
    SELECT 1, c.tableoid, c.ctid, pg_catalog.jsonb_build_object('leadId', NULL::text)
    FROM "public"."Team" AS p
    JOIN "public"."Task" AS c ON c."leadId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_locked_1" AS MATERIALIZED (
  SELECT
  FROM "__audit_reached" AS r
  JOIN "public"."Task" AS "__audit_child"
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
  DELETE FROM "public"."Team"
  WHERE (("public"."Team"."id" = $1 AND 1=1))
    AND "Team".ctid = ANY ($2::pg_catalog.text::pg_catalog.tid[])
  RETURNING
    "public"."Team"."id", "public"."Team"."orgId", "Team"."id"::text,
    pg_catalog.jsonb_build_object(
      'before', pg_catalog.jsonb_build_object('id', "Team"."id", 'orgId', "Team"."orgId"),
      'operation', $3::pg_catalog.text
    ),
    "Team".tableoid, "Team".ctid, NULL::jsonb,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_350387b44f56c8919ea7a63953562f10', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, '350387b44f56c8919ea7a63953562f10', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL)::"public"."Team" END,
    (
      SELECT
        pg_catalog.set_config(
          'prisma_extension_audit.records',
          pg_catalog.concat(
            EXTRACT(epoch FROM pg_catalog.statement_timestamp()),
            ' 08d26c421862b2360a8a385763e7082f '
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
    FROM "public"."Team" AS p
    JOIN "public"."Task" AS c ON c."teamId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
    UNION ALL
    SELECT 1, c.tableoid, c.ctid, pg_catalog.jsonb_build_object('leadId', NULL::text)
    FROM "public"."Team" AS p
    JOIN "public"."Task" AS c ON c."leadId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_affected_1" AS (
  SELECT
    CASE WHEN a.gone THEN 'task.delete' ELSE 'task.update' END AS "__audit_action",
    "__audit_child"."id"::text AS "__audit_id",
    CASE
      WHEN a.gone
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'id', "__audit_child"."id",
            'title', "__audit_child"."title",
            'teamId', "__audit_child"."teamId",
            'leadId', "__audit_child"."leadId",
            'projectId', "__audit_child"."projectId"
          ),
          'cause', 'team.delete'::text,
          'operation', $3::pg_catalog.text
        )
      ELSE CASE
        WHEN "__audit_child"."id" IS DISTINCT FROM "__audit_patched"."id"
          OR ROW("__audit_child"."title")::record *<> ROW("__audit_patched"."title")::record
          OR "__audit_child"."teamId" IS DISTINCT FROM "__audit_patched"."teamId"
          OR "__audit_child"."leadId" IS DISTINCT FROM "__audit_patched"."leadId"
          OR "__audit_child"."projectId" IS DISTINCT FROM "__audit_patched"."projectId"
          THEN pg_catalog.jsonb_build_object(
            'before', pg_catalog.jsonb_build_object(
              'id', "__audit_child"."id",
              'title', "__audit_child"."title",
              'teamId', "__audit_child"."teamId",
              'leadId', "__audit_child"."leadId",
              'projectId', "__audit_child"."projectId"
            ),
            'after', pg_catalog.jsonb_build_object(
              'id', "__audit_patched"."id",
              'title', "__audit_patched"."title",
              'teamId', "__audit_patched"."teamId",
              'leadId', "__audit_patched"."leadId",
              'projectId', "__audit_patched"."projectId"
            ),
            'changed', pg_catalog.array_remove(
              ARRAY[
                CASE
                  WHEN "__audit_child"."id" IS DISTINCT FROM "__audit_patched"."id" THEN 'id'
                END,
                CASE
                  WHEN ROW("__audit_child"."title")::record *<> ROW(
                    "__audit_patched"."title"
                  )::record
                    THEN 'title'
                END,
                CASE
                  WHEN "__audit_child"."teamId" IS DISTINCT FROM "__audit_patched"."teamId"
                    THEN 'teamId'
                END,
                CASE
                  WHEN "__audit_child"."leadId" IS DISTINCT FROM "__audit_patched"."leadId"
                    THEN 'leadId'
                END,
                CASE
                  WHEN "__audit_child"."projectId" IS DISTINCT FROM "__audit_patched"."projectId"
                    THEN 'projectId'
                END
              ],
              NULL
            ),
            'cause', 'team.delete'::text,
            'operation', $3::pg_catalog.text
          )
      END
    END AS "__audit_details",
    CASE WHEN false THEN ROW(NULL, NULL, NULL, NULL, NULL)::"public"."Task" END AS "__audit_guard"
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
  JOIN "public"."Task" AS "__audit_child"
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
    SELECT 'team.delete', 'team', "__audit_op"."__audit_id", "__audit_op"."__audit_details"
    FROM "__audit_op"
    WHERE "__audit_op"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT
      "__audit_affected_1"."__audit_action", 'task', "__audit_affected_1"."__audit_id",
      "__audit_affected_1"."__audit_details"
    FROM "__audit_affected_1"
    WHERE "__audit_affected_1"."__audit_details" IS NOT NULL
  ) AS e(action, resource_type, resource_id, details)
)
SELECT "__audit_r0" AS "id", "__audit_r1" AS "orgId"
FROM "__audit_op";
