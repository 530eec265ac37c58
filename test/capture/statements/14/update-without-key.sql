-- prisma.reading.update({ where: { sensor: 's1' }, data: { value: 2 } })

-- Prisma's statement:
-- UPDATE "public"."Reading"
-- SET "value" = $1
-- WHERE ("public"."Reading"."sensor" = $2 AND 1=1)
-- RETURNING "public"."Reading"."sensor", "public"."Reading"."value"

-- 1. Lock the rows that are about to change:
SELECT "Reading".ctid::text
FROM "public"."Reading"
WHERE (("public"."Reading"."sensor" = $1 AND 1=1))
FOR NO KEY UPDATE OF "Reading";

-- 2. The change and its entries:
-- $3 = {}, $4 = update, $5 = <a number>, $6 = <28 characters of a UUIDv7>, $7 = ada, $8 = user, $9 = null, $10 = null, $11 = r1, $12 = 192.0.2.1, $13 = null, $14 = null
WITH "__audit_locked" AS MATERIALIZED (
  SELECT
    "Reading".tableoid AS "__audit_tableoid", "Reading".ctid AS "__audit_ctid",
    "Reading"."sensor" AS "__audit_b0", "Reading"."value" AS "__audit_b1"
  FROM "public"."Reading"
  WHERE (
    (("public"."Reading"."sensor" = $2 AND 1=1))
      AND "Reading".ctid = ANY ($3::pg_catalog.text::pg_catalog.tid[])
  )
),
"__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_id", "__audit_details", "__audit_triggers", "__audit_shape"
) AS (
  UPDATE "public"."Reading"
  SET "value" = $1
  FROM "__audit_locked"
  WHERE "Reading".tableoid = "__audit_locked"."__audit_tableoid"
    AND "Reading".ctid = "__audit_locked"."__audit_ctid"
  RETURNING
    "public"."Reading"."sensor", "public"."Reading"."value", NULL::text,
    CASE
      WHEN ROW("__audit_locked"."__audit_b1")::record *<> ROW("Reading"."value")::record
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'sensor', "__audit_locked"."__audit_b0", 'value', "__audit_locked"."__audit_b1"
          ),
          'after', pg_catalog.jsonb_build_object(
            'sensor', "Reading"."sensor", 'value', "Reading"."value"
          ),
          'changed', pg_catalog.array_remove(
            ARRAY[
              CASE
                WHEN ROW("__audit_locked"."__audit_b1")::record *<> ROW("Reading"."value")::record
                  THEN 'value'
              END
            ],
            NULL
          ),
          'operation', $4::pg_catalog.text
        )
    END,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_1afda68e27a0db6bad9422bb935d98d0', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, '1afda68e27a0db6bad9422bb935d98d0', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL)::"public"."Reading" END
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    (
      $6::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($5::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'reading.update', $7, $8, $9, 'reading', "__audit_op"."__audit_id", 'success', $10,
    "__audit_op"."__audit_details", $11, $12::pg_catalog.inet, $13, $14
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT "__audit_r0" AS "sensor", "__audit_r1" AS "value"
FROM "__audit_op";
