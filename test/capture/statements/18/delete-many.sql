-- prisma.country.deleteMany()

-- Prisma's statement:
-- DELETE FROM "public"."Country" WHERE 1=1

-- The change and its entries:
-- $1 = deleteMany, $2 = <a number>, $3 = <28 characters of a UUIDv7>, $4 = ada, $5 = user, $6 = null, $7 = null, $8 = r1, $9 = 192.0.2.1, $10 = null, $11 = null
WITH "__audit_op"("__audit_id", "__audit_details", "__audit_triggers", "__audit_shape") AS (
  DELETE FROM "public"."Country"
  WHERE 1=1
  RETURNING
    pg_catalog.left((pg_catalog.to_jsonb("Country"."code") #>> '{}'), 255),
    (
      SELECT pg_catalog.to_jsonb("__audit_details")
      FROM (
        SELECT "__audit_before" AS "before", $1::pg_catalog.text AS "operation"
        FROM (
          SELECT
            "Country"."code" AS "code", "Country"."name" AS "name",
            "Country"."population"::text AS "population"
        ) AS "__audit_before"
      ) AS "__audit_details"
    ),
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
      $3::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($2::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'country.delete', $4, $5, $6, 'country', "__audit_op"."__audit_id", 'success', $7,
    "__audit_op"."__audit_details", $8, $9::pg_catalog.inet, $10, $11
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT pg_catalog.count(*)::int4
FROM "__audit_op";
