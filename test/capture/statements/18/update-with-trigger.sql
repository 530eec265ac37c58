-- prisma.stamped.update({ where: { id: 1 }, data: { counter: { increment: 1 } } })

-- Prisma's statement:
-- UPDATE "public"."Stamped"
-- SET "counter" = ("public"."Stamped"."counter" + $1)
-- WHERE ("public"."Stamped"."id" = $2 AND 1=1)
-- RETURNING "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at"

-- The change and its entries:
-- $3 = update, $4 = ada, $5 = user, $6 = null, $7 = null, $8 = r1, $9 = 192.0.2.1, $10 = null, $11 = null
WITH "__audit_locked" AS MATERIALIZED (
  SELECT
    "Stamped".tableoid AS "__audit_tableoid", "Stamped".ctid AS "__audit_ctid",
    "Stamped"."id" AS "__audit_b0", "Stamped"."counter" AS "__audit_b1",
    "Stamped"."stamped_at" AS "__audit_b2"
  FROM "public"."Stamped"
  WHERE (("public"."Stamped"."id" = $2 AND 1=1))
  FOR NO KEY UPDATE OF "Stamped"
),
"__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_id", "__audit_details", "__audit_rekeyed",
  "__audit_triggers", "__audit_shape"
) AS (
  UPDATE "public"."Stamped"
  SET "counter" = ("public"."Stamped"."counter" + $1)
  FROM "__audit_locked"
  WHERE "Stamped"."id" = "__audit_locked"."__audit_b0"
  RETURNING
    "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at",
    "__audit_locked"."__audit_b0"::text,
    CASE
      WHEN "__audit_locked"."__audit_b0" IS DISTINCT FROM "Stamped"."id"
        OR "__audit_locked"."__audit_b1" IS DISTINCT FROM "Stamped"."counter"
        OR "__audit_locked"."__audit_b2" IS DISTINCT FROM "Stamped"."stamped_at"
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'id', "__audit_locked"."__audit_b0",
            'counter', "__audit_locked"."__audit_b1",
            'stampedAt', CASE
              WHEN "__audit_locked"."__audit_b2" < '0001-01-01'
                THEN pg_catalog.to_jsonb("__audit_locked"."__audit_b2") #>> '{}'
              ELSE COALESCE(
                pg_catalog.to_char("__audit_locked"."__audit_b2", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                "__audit_locked"."__audit_b2"::text
              )
            END
          ),
          'after', pg_catalog.jsonb_build_object(
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
          'changed', pg_catalog.array_remove(
            ARRAY[
              CASE WHEN "__audit_locked"."__audit_b0" IS DISTINCT FROM "Stamped"."id" THEN 'id' END,
              CASE
                WHEN "__audit_locked"."__audit_b1" IS DISTINCT FROM "Stamped"."counter"
                  THEN 'counter'
              END,
              CASE
                WHEN "__audit_locked"."__audit_b2" IS DISTINCT FROM "Stamped"."stamped_at"
                  THEN 'stampedAt'
              END
            ],
            NULL
          ),
          'operation', $3::pg_catalog.text
        )
    END,
    "__audit_locked"."__audit_b0" IS DISTINCT FROM "Stamped"."id",
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_c4c339d619d30e7a755043a7ab830e5d', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, 'c4c339d619d30e7a755043a7ab830e5d', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Stamped" END
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    pg_catalog.uuidv7(), e.action, $4, $5, $6, e.resource_type, e.resource_id, 'success', $7,
    e.details, $8, $9::pg_catalog.inet, $10, $11
  FROM (
    SELECT 'stamped.update', 'stamped', "__audit_op"."__audit_id", "__audit_op"."__audit_details"
    FROM "__audit_op"
    WHERE "__audit_op"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT
      'raw.execute', 'raw', NULL,
      pg_catalog.jsonb_build_object(
        'statement', 'UPDATE "public"."Stamped" SET "counter" = ("public"."Stamped"."counter" + $1) WHERE ("public"."Stamped"."id" = $2 AND ?=?) RETURNING "public"."Stamped"."id", "public"."Stamped"."counter", "public"."Stamped"."stamped_at"'::text,
        'reason', 'trigger'::text,
        'operation', $3::pg_catalog.text
      )
    FROM (SELECT) AS "__audit_one"
    WHERE EXISTS (SELECT FROM "__audit_op" WHERE "__audit_op"."__audit_rekeyed")
  ) AS e(action, resource_type, resource_id, details)
)
SELECT "__audit_r0" AS "id", "__audit_r1" AS "counter", "__audit_r2" AS "stamped_at"
FROM "__audit_op";
