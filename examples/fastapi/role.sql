-- The warehouse's role: it changes stock and asks the log. It cannot write to the log but by the function for events.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'warehouse') THEN
    CREATE ROLE warehouse LOGIN;
  END IF;
END $$;
GRANT SELECT, UPDATE ON "Product" TO warehouse;
GRANT SELECT ON audit_logs TO warehouse;
GRANT EXECUTE ON FUNCTION audit_logs_write_as_owner(jsonb) TO warehouse;
