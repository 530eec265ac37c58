-- prisma.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name: 'Svizzera' }, update: { name: 'Svizzera' } })

-- Prisma's statement:
-- INSERT INTO "public"."Country" ("code","name","population")
-- VALUES ($1,$2,$3)
-- ON CONFLICT ("code") DO UPDATE
-- SET "name" = $4
-- WHERE ("public"."Country"."code" = $5 AND 1=1)
-- RETURNING "public"."Country"."code", "public"."Country"."name", "public"."Country"."population"

-- 1. Lock the rows that are about to change:
SELECT "Country".ctid::text
FROM "public"."Country" AS "Country"
WHERE (("Country"."code" = $1))
FOR NO KEY UPDATE OF "Country";

-- 2. The change and its entries (where the last column counts a row, it is undone, and all of this repeated):
-- $6 = upsert, $7 = {}, $8 = <a number>, $9 = <28 characters of a UUIDv7>, $10 = ada, $11 = user, $12 = null, $13 = null, $14 = r1, $15 = 192.0.2.1, $16 = null, $17 = null
WITH "__audit_locked" AS MATERIALIZED (
  SELECT
    "Country".tableoid AS "__audit_tableoid", "Country".ctid AS "__audit_ctid",
    "Country"."code" AS "__audit_b0", "Country"."name" AS "__audit_b1",
    "Country"."population" AS "__audit_b2"
  FROM "public"."Country" AS "Country"
  WHERE (("Country"."code" = $1)) AND "Country".ctid = ANY ($7::pg_catalog.text::pg_catalog.tid[])
),
"__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_n0", "__audit_n1", "__audit_n2",
  "__audit_xmax", "__audit_triggers", "__audit_shape"
) AS (
  INSERT INTO "public"."Country" ("code","name","population")
  VALUES ($1,$2,$3)
  ON CONFLICT ("code") DO UPDATE
  SET "name" = $4
  WHERE ("public"."Country"."code" = $5 AND 1=1)
  RETURNING
    "public"."Country"."code", "public"."Country"."name", "public"."Country"."population",
    "Country"."code", "Country"."name", "Country"."population", "Country".xmax,
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
"__audit_upserted" AS (
  SELECT
    CASE
      WHEN "__audit_locked"."__audit_tableoid" IS NULL THEN 'country.create'
      ELSE 'country.update'
    END AS "__audit_action",
    CASE
      WHEN "__audit_locked"."__audit_tableoid" IS NULL
        THEN pg_catalog.left((pg_catalog.to_jsonb("__audit_op"."__audit_n0") #>> '{}'), 255)
      ELSE pg_catalog.left((pg_catalog.to_jsonb("__audit_locked"."__audit_b0") #>> '{}'), 255)
    END AS "__audit_id",
    CASE
      WHEN "__audit_locked"."__audit_tableoid" IS NULL
        THEN pg_catalog.jsonb_build_object(
          'after', pg_catalog.jsonb_build_object(
            'code', "__audit_op"."__audit_n0",
            'name', "__audit_op"."__audit_n1",
            'population', "__audit_op"."__audit_n2"::text
          ),
          'operation', $6::pg_catalog.text
        )
      ELSE CASE
        WHEN ROW("__audit_locked"."__audit_b1")::record *<> ROW("__audit_op"."__audit_n1")::record
          THEN pg_catalog.jsonb_build_object(
            'before', pg_catalog.jsonb_build_object(
              'code', "__audit_locked"."__audit_b0",
              'name', "__audit_locked"."__audit_b1",
              'population', "__audit_locked"."__audit_b2"::text
            ),
            'after', pg_catalog.jsonb_build_object(
              'code', "__audit_op"."__audit_n0",
              'name', "__audit_op"."__audit_n1",
              'population', "__audit_op"."__audit_n2"::text
            ),
            'changed', pg_catalog.array_remove(
              ARRAY[
                CASE
                  WHEN ROW(
                    "__audit_locked"."__audit_b1"
                  )::record *<> ROW("__audit_op"."__audit_n1")::record
                    THEN 'name'
                END
              ],
              NULL
            ),
            'operation', $6::pg_catalog.text
          )
      END
    END AS "__audit_details",
    "__audit_locked"."__audit_tableoid" IS NULL
      AND "__audit_op"."__audit_xmax" <> '0'::pg_catalog.xid AS "__audit_missed"
  FROM "__audit_op"
  LEFT JOIN "__audit_locked" ON true
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    (
      $9::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($8::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    "__audit_upserted"."__audit_action", $10, $11, $12, 'country', "__audit_upserted"."__audit_id",
    'success', $13, "__audit_upserted"."__audit_details", $14, $15::pg_catalog.inet, $16, $17
  FROM "__audit_upserted"
  WHERE "__audit_upserted"."__audit_details" IS NOT NULL
)
SELECT
  "__audit_r0" AS "code", "__audit_r1" AS "name", "__audit_r2" AS "population",
  (SELECT pg_catalog.count(*)::int4 FROM "__audit_upserted" WHERE "__audit_missed")
FROM "__audit_op";
