-- prisma.$executeRaw`TRUNCATE "Country"`

-- Prisma's statement:
-- TRUNCATE "Country"

-- 1. The entry, with the text of the statement, without its values, as $1:
-- $2 = $executeRaw, $3 = <a number>, $4 = <28 characters of a UUIDv7>, $5 = ada, $6 = user, $7 = null, $8 = null, $9 = r1, $10 = 192.0.2.1, $11 = null, $12 = null
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
  'raw.execute', $5, $6, $7, 'raw', NULL, 'success', $8,
  (
    SELECT pg_catalog.to_jsonb("__audit_details")
    FROM (
      SELECT
        $1::text AS "statement", 'truncate'::text AS "reason", $2::pg_catalog.text AS "operation"
    ) AS "__audit_details"
  ),
  $9, $10::pg_catalog.inet, $11, $12;

-- 2. The statement as it is, in the same transaction:
TRUNCATE "Country";
