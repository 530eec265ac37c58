-- A type with domains resolved away.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."base_type"(type oid) RETURNS pg_type
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH RECURSIVE base AS (
    SELECT t.oid, t.typtype, t.typbasetype FROM pg_type t WHERE t.oid = type
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'
  )
  SELECT t FROM base JOIN pg_type t ON t.oid = base.oid WHERE base.typtype <> 'd'
$$;
