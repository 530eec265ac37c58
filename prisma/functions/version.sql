-- The number of the last migration of the log that is in: what the library and the command line compare.
CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$SELECT 2$$;
