-- A type with domains resolved away.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."base_type"(type oid) RETURNS pg_type
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  base pg_type;
BEGIN
  SELECT * INTO base FROM pg_type t WHERE t.oid = type;
  WHILE base.typtype = 'd' LOOP
    SELECT * INTO base FROM pg_type t WHERE t.oid = base.typbasetype;
  END LOOP;
  RETURN base;
END
$$;
