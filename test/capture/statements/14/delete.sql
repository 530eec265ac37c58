-- prisma.country.delete({ where: { code: 'CH' } })

-- Prisma's statement:
-- DELETE FROM "public"."Country"
-- WHERE ("public"."Country"."code" = $1 AND 1=1)
-- RETURNING "public"."Country"."code", "public"."Country"."name", "public"."Country"."population"

-- The change and its entries:
-- $2 = delete, $3 = <a number>, $4 = <28 characters of a UUIDv7>, $5 = ada, $6 = user, $7 = null, $8 = null, $9 = r1, $10 = 192.0.2.1, $11 = null, $12 = null
WITH "__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_id", "__audit_details", "__audit_triggers",
  "__audit_shape"
) AS (
  DELETE FROM "public"."Country"
  WHERE ("public"."Country"."code" = $1 AND 1=1)
  RETURNING
    "public"."Country"."code", "public"."Country"."name", "public"."Country"."population",
    pg_catalog.left((pg_catalog.to_jsonb("Country"."code") #>> '{}'), 255),
    pg_catalog.jsonb_build_object(
      'before', pg_catalog.jsonb_build_object(
        'code', "Country"."code",
        'name', "Country"."name",
        'population', "Country"."population"::text
      ),
      'operation', $2::pg_catalog.text
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
      $4::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($3::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'country.delete', $5, $6, $7, 'country', "__audit_op"."__audit_id", 'success', $8,
    "__audit_op"."__audit_details", $9, $10::pg_catalog.inet, $11, $12
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT "__audit_r0" AS "code", "__audit_r1" AS "name", "__audit_r2" AS "population"
FROM "__audit_op";
