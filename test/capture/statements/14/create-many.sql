-- prisma.country.createMany({ data: [{ code: 'CH', name: 'Switzerland', population: 9 }] })

-- Prisma's statement:
-- INSERT INTO "public"."Country" ("code","name","population") VALUES ($1,$2,$3)

-- The change and its entries:
-- $4 = createMany, $5 = <a number>, $6 = <28 characters of a UUIDv7>, $7 = ada, $8 = user, $9 = null, $10 = null, $11 = r1, $12 = 192.0.2.1, $13 = null, $14 = null
WITH "__audit_op"("__audit_id", "__audit_details", "__audit_triggers", "__audit_shape") AS (
  INSERT INTO "public"."Country" ("code","name","population")
  VALUES ($1,$2,$3)
  RETURNING
    pg_catalog.left((pg_catalog.to_jsonb("Country"."code") #>> '{}'), 255),
    (
      SELECT pg_catalog.to_jsonb("__audit_details")
      FROM (
        SELECT "__audit_after" AS "after", $4::pg_catalog.text AS "operation"
        FROM (
          SELECT
            "Country"."code" AS "code", "Country"."name" AS "name",
            "Country"."population"::text AS "population"
        ) AS "__audit_after"
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
      $6::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($5::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    'country.create', $7, $8, $9, 'country', "__audit_op"."__audit_id", 'success', $10,
    "__audit_op"."__audit_details", $11, $12::pg_catalog.inet, $13, $14
  FROM "__audit_op"
  WHERE "__audit_op"."__audit_details" IS NOT NULL
)
SELECT pg_catalog.count(*)::int4
FROM "__audit_op";
