-- prisma.country.update({ where: { code: 'CH' }, data: { name: 'Suisse' } })

-- Prisma's statement:
-- UPDATE "public"."Country"
-- SET "name" = $1
-- WHERE ("public"."Country"."code" = $2 AND 1=1)
-- RETURNING "public"."Country"."code", "public"."Country"."name", "public"."Country"."population"

-- The change and its entries:
-- $3 = update, $4 = <a number>, $5 = <28 characters of a UUIDv7>, $6 = ada, $7 = user, $8 = null, $9 = null, $10 = r1, $11 = 192.0.2.1, $12 = null, $13 = null
WITH "__audit_locked" AS MATERIALIZED (
  SELECT
    "Country".tableoid AS "__audit_tableoid", "Country".ctid AS "__audit_ctid",
    "Country"."code" AS "__audit_b0", "Country"."name" AS "__audit_b1",
    "Country"."population" AS "__audit_b2"
  FROM "public"."Country"
  WHERE (("public"."Country"."code" = $2 AND 1=1))
  FOR NO KEY UPDATE OF "Country"
),
"__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_id", "__audit_details", "__audit_triggers",
  "__audit_shape"
) AS (
  UPDATE "public"."Country"
  SET "name" = $1
  FROM "__audit_locked"
  WHERE "Country"."code" = "__audit_locked"."__audit_b0"
  RETURNING
    "public"."Country"."code", "public"."Country"."name", "public"."Country"."population",
    pg_catalog.left((pg_catalog.to_jsonb("__audit_locked"."__audit_b0") #>> '{}'), 255),
    CASE
      WHEN ROW("__audit_locked"."__audit_b1")::record *<> ROW("Country"."name")::record
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'code', "__audit_locked"."__audit_b0",
            'name', "__audit_locked"."__audit_b1",
            'population', "__audit_locked"."__audit_b2"::text
          ),
          'after', pg_catalog.jsonb_build_object(
            'code', "Country"."code",
            'name', "Country"."name",
            'population', "Country"."population"::text
          ),
          'changed', pg_catalog.array_remove(
            ARRAY[
              CASE
                WHEN ROW("__audit_locked"."__audit_b1")::record *<> ROW("Country"."name")::record
                  THEN 'name'
              END
            ],
            NULL
          ),
          'operation', $3::pg_catalog.text
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
      $5::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($4::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'country.update', $6, $7, $8, 'country', "__audit_op"."__audit_id", 'success', $9,
    "__audit_op"."__audit_details", $10, $11::pg_catalog.inet, $12, $13
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT "__audit_r0" AS "code", "__audit_r1" AS "name", "__audit_r2" AS "population"
FROM "__audit_op";
