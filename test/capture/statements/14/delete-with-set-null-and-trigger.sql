-- prisma.stamped.delete({ where: { id: 1 } })

-- Prisma's statement:
-- DELETE FROM "public"."Stamped"
-- WHERE ("public"."Stamped"."id" = $1 AND 1=1)
-- RETURNING "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at"

-- 1. Lock the rows that are about to change:
SELECT "Stamped".ctid::text
FROM "public"."Stamped"
WHERE (("public"."Stamped"."id" = $1 AND 1=1))
FOR UPDATE OF "Stamped";

-- 2. Lock the rows that referential actions reach:
WITH RECURSIVE "__audit_start"(relation, "row", patch) AS (
  SELECT "Stamped".tableoid, "Stamped".ctid, NULL::jsonb
  FROM "public"."Stamped"
  WHERE "Stamped".ctid = ANY ((SELECT $1::pg_catalog.text)::pg_catalog.tid[])
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT 1, c.tableoid, c.ctid, pg_catalog.jsonb_build_object('stampedId', NULL::text)
    FROM "public"."Stamped" AS p
    JOIN "public"."Meter" AS c ON c."stampedId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_locked_1" AS MATERIALIZED (
  SELECT
  FROM "__audit_reached" AS r
  JOIN "public"."Meter" AS "__audit_child"
    ON "__audit_child".tableoid = r.relation
    AND "__audit_child".ctid = r."row"
  WHERE r.node = 1
  FOR NO KEY UPDATE OF "__audit_child"
)
SELECT ((SELECT pg_catalog.count(*) FROM "__audit_locked_1"))::int4;

-- 3. The change and its entries:
-- $2 = {}, $3 = delete, $4 = <a number>, $5 = <28 characters of a UUIDv7>, $6 = ada, $7 = user, $8 = null, $9 = null, $10 = r1, $11 = 192.0.2.1, $12 = null, $13 = null
WITH RECURSIVE "__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_id", "__audit_details", "__audit_relation",
  "__audit_row", "__audit_patch", "__audit_triggers", "__audit_shape", "__audit_claim"
) AS (
  DELETE FROM "public"."Stamped"
  WHERE (("public"."Stamped"."id" = $1 AND 1=1))
    AND "Stamped".ctid = ANY ($2::pg_catalog.text::pg_catalog.tid[])
  RETURNING
    "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at",
    "Stamped"."id"::text,
    pg_catalog.jsonb_build_object(
      'before', pg_catalog.jsonb_build_object(
        'id', "Stamped"."id",
        'counter', "Stamped"."counter",
        'stampedAt', CASE
          WHEN "Stamped"."stamped_at" < '0001-01-01'
            THEN pg_catalog.to_jsonb("Stamped"."stamped_at") #>> '{}'
          ELSE COALESCE(
            pg_catalog.to_char("Stamped"."stamped_at", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            "Stamped"."stamped_at"::text
          )
        END
      ),
      'operation', $3::pg_catalog.text
    ),
    "Stamped".tableoid, "Stamped".ctid, NULL::jsonb,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_c4c339d619d30e7a755043a7ab830e5d', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, 'c4c339d619d30e7a755043a7ab830e5d', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Stamped" END,
    (
      SELECT
        pg_catalog.set_config(
          'prisma_extension_audit.records',
          pg_catalog.concat(
            EXTRACT(epoch FROM pg_catalog.statement_timestamp()),
            ' b3ca5c5781b528d4cadc6224e14634c3 '
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
    SELECT 1, c.tableoid, c.ctid, pg_catalog.jsonb_build_object('stampedId', NULL::text)
    FROM "public"."Stamped" AS p
    JOIN "public"."Meter" AS c ON c."stampedId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch IS NULL
  ) AS step
),
"__audit_affected_1" AS (
  SELECT
    CASE WHEN a.gone THEN 'meter.delete' ELSE 'meter.update' END AS "__audit_action",
    "__audit_child"."id"::text AS "__audit_id",
    CASE
      WHEN a.gone
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'id', "__audit_child"."id",
            'revision', "__audit_child"."revision",
            'stampedId', "__audit_child"."stampedId"
          ),
          'cause', 'stamped.delete'::text,
          'operation', $3::pg_catalog.text
        )
      ELSE NULL::jsonb
    END AS "__audit_details",
    CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Meter" END AS "__audit_guard",
    CASE
      WHEN NOT a.gone
        THEN pg_catalog.jsonb_build_object(
          'before', (
            ROW(
              "__audit_child"."id", "__audit_child"."revision", "__audit_child"."stampedId"
            )::"public"."Meter"
          )::text,
          'expected', (
            ROW(
              "__audit_patched"."id", "__audit_patched"."revision", "__audit_patched"."stampedId"
            )::"public"."Meter"
          )::text,
          'gone', false
        )
    END AS "__audit_unread"
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
  JOIN "public"."Meter" AS "__audit_child"
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
    SELECT 'stamped.delete', 'stamped', "__audit_op"."__audit_id", "__audit_op"."__audit_details"
    FROM "__audit_op"
    WHERE "__audit_op"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT
      "__audit_affected_1"."__audit_action", 'meter', "__audit_affected_1"."__audit_id",
      "__audit_affected_1"."__audit_details"
    FROM "__audit_affected_1"
    WHERE "__audit_affected_1"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT NULL, NULL, NULL, NULL::jsonb
    FROM (
      SELECT
        pg_catalog.set_config(
          'prisma_extension_audit.unread_1',
          (
            SELECT
              coalesce(
                pg_catalog.jsonb_agg("__audit_affected_1"."__audit_unread") FILTER (
                  WHERE "__audit_affected_1"."__audit_unread" IS NOT NULL
                ),
                '[]'
              )::text
            FROM "__audit_affected_1"
          ),
          true
        ) AS value
    ) AS "__audit_kept"
    WHERE "__audit_kept".value IS NULL
  ) AS e(action, resource_type, resource_id, details)
)
SELECT "__audit_r0" AS "id", "__audit_r1" AS "counter", "__audit_r2" AS "stamped_at"
FROM "__audit_op";

-- 4. Read rows again that a trigger may have changed further:
-- $1 = delete, $2 = <a number>, $3 = <28 characters of a UUIDv7>, $4 = ada, $5 = user, $6 = null, $7 = null, $8 = r1, $9 = 192.0.2.1, $10 = null, $11 = null
INSERT INTO "public"."audit_logs" (
  "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
  "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
)
SELECT
  (
    $3::pg_catalog.text || pg_catalog.lpad(
      pg_catalog.to_hex($2::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
    )
  )::pg_catalog.uuid,
  e.action, $4, $5, $6, e.resource_type, e.resource_id, 'success', $7, e.details, $8,
  $9::pg_catalog.inet, $10, $11
FROM (
  SELECT u.action, 'meter', u.id, u.details
  FROM (
    SELECT
      CASE WHEN (n."id" IS NOT NULL) THEN 'meter.update' ELSE 'meter.delete' END AS action,
      b."id"::text AS id,
      CASE
        WHEN (n."id" IS NOT NULL)
          THEN CASE
            WHEN b."id" IS DISTINCT FROM n."id"
              OR b."revision" IS DISTINCT FROM n."revision"
              OR b."stampedId" IS DISTINCT FROM n."stampedId"
              THEN (
                SELECT pg_catalog.to_jsonb("__audit_details")
                FROM (
                  SELECT
                    "__audit_before" AS "before", "__audit_after" AS "after",
                    pg_catalog.array_remove(
                      ARRAY[
                        CASE WHEN b."id" IS DISTINCT FROM n."id" THEN 'id' END,
                        CASE WHEN b."revision" IS DISTINCT FROM n."revision" THEN 'revision' END,
                        CASE WHEN b."stampedId" IS DISTINCT FROM n."stampedId" THEN 'stampedId' END
                      ],
                      NULL
                    ) AS "changed",
                    'stamped.delete'::text AS "cause", $1::pg_catalog.text AS "operation"
                  FROM (
                    SELECT b."id" AS "id", b."revision" AS "revision", b."stampedId" AS "stampedId"
                  ) AS "__audit_before",
                  (
                    SELECT n."id" AS "id", n."revision" AS "revision", n."stampedId" AS "stampedId"
                  ) AS "__audit_after"
                ) AS "__audit_details"
              )
          END
        WHEN (r.value -> 'gone')::bool
          THEN (
            SELECT pg_catalog.to_jsonb("__audit_details")
            FROM (
              SELECT
                "__audit_before" AS "before", 'stamped.delete'::text AS "cause",
                $1::pg_catalog.text AS "operation"
              FROM (
                SELECT b."id" AS "id", b."revision" AS "revision", b."stampedId" AS "stampedId"
              ) AS "__audit_before"
            ) AS "__audit_details"
          )
      END AS details
    FROM pg_catalog.jsonb_array_elements(
      pg_catalog.current_setting('prisma_extension_audit.unread_1')::jsonb
    ) AS r
    CROSS JOIN LATERAL (SELECT ((r.value ->> 'before')::"public"."Meter").*) AS b
    CROSS JOIN LATERAL (SELECT ((r.value ->> 'expected')::"public"."Meter").*) AS x
    LEFT JOIN "public"."Meter" AS n ON n."id" = x."id"
  ) AS u
  WHERE u.details IS NOT NULL
  UNION ALL
  SELECT
    'raw.execute', 'raw', NULL,
    (
      SELECT pg_catalog.to_jsonb("__audit_details")
      FROM (
        SELECT
          'DELETE FROM "public"."Stamped" WHERE ("public"."Stamped"."id" = $1 AND ?=?) RETURNING "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at"'::text AS "statement",
          'trigger'::text AS "reason", $1::pg_catalog.text AS "operation"
      ) AS "__audit_details"
    )
  FROM (SELECT) AS "__audit_one"
  WHERE EXISTS (
    SELECT
    FROM pg_catalog.jsonb_array_elements(
      pg_catalog.current_setting('prisma_extension_audit.unread_1')::jsonb
    ) AS r
    CROSS JOIN LATERAL (SELECT ((r.value ->> 'before')::"public"."Meter").*) AS b
    CROSS JOIN LATERAL (SELECT ((r.value ->> 'expected')::"public"."Meter").*) AS x
    LEFT JOIN "public"."Meter" AS n ON n."id" = x."id"
    WHERE NOT (n."id" IS NOT NULL) AND NOT (r.value -> 'gone')::bool
  )
) AS e(action, resource_type, resource_id, details);
