-- prisma.country.updateMany({ data: { population: { increment: 1 } } })

-- Prisma's statement:
-- UPDATE "public"."Country" SET "population" = ("public"."Country"."population" + $1) WHERE 1=1

-- The change and its entries:
-- $2 = updateMany, $3 = <a number>, $4 = <28 characters of a UUIDv7>, $5 = ada, $6 = user, $7 = null, $8 = null, $9 = r1, $10 = 192.0.2.1, $11 = null, $12 = null
WITH "__audit_locked" AS MATERIALIZED (
  SELECT
    "Country".tableoid AS "__audit_tableoid", "Country".ctid AS "__audit_ctid",
    "Country"."code" AS "__audit_b0", "Country"."name" AS "__audit_b1",
    "Country"."population" AS "__audit_b2"
  FROM "public"."Country"
  WHERE (1=1)
  FOR NO KEY UPDATE OF "Country"
),
"__audit_op"("__audit_id", "__audit_details", "__audit_triggers", "__audit_shape") AS (
  UPDATE "public"."Country"
  SET "population" = ("public"."Country"."population" + $1)
  FROM "__audit_locked"
  WHERE "Country"."code" = "__audit_locked"."__audit_b0"
  RETURNING
    pg_catalog.left((pg_catalog.to_jsonb("__audit_locked"."__audit_b0") #>> '{}'), 255),
    CASE
      WHEN "__audit_locked"."__audit_b2" IS DISTINCT FROM "Country"."population"
        THEN (
          SELECT pg_catalog.to_jsonb("__audit_details")
          FROM (
            SELECT
              "__audit_before" AS "before", "__audit_after" AS "after",
              pg_catalog.array_remove(
                ARRAY[
                  CASE
                    WHEN "__audit_locked"."__audit_b2" IS DISTINCT FROM "Country"."population"
                      THEN 'population'
                  END
                ],
                NULL
              ) AS "changed",
              $2::pg_catalog.text AS "operation"
            FROM (
              SELECT
                "__audit_locked"."__audit_b0" AS "code", "__audit_locked"."__audit_b1" AS "name",
                "__audit_locked"."__audit_b2"::text AS "population"
            ) AS "__audit_before",
            (
              SELECT
                "Country"."code" AS "code", "Country"."name" AS "name",
                "Country"."population"::text AS "population"
            ) AS "__audit_after"
          ) AS "__audit_details"
        )
    END,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_b04deb61a8ea1fb8d15de316791f5675', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, 'b04deb61a8ea1fb8d15de316791f5675', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Country" END
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    (
      $4::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($3::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'country.update', $5, $6, $7, 'country', "__audit_op"."__audit_id", 'success', $8,
    "__audit_op"."__audit_details", $9, $10::pg_catalog.inet, $11, $12
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT pg_catalog.count(*)::int4
FROM "__audit_op";
