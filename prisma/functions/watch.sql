-- Records every change of a table from now on, whoever makes it, by triggers that this function makes from the catalog,
-- or renews. Recorded as auditLog.watch. Gives false where everything was so already.
--
-- relation: the table, such as '"public"."Order"'
-- resource: what entries call it: order.create, order.update, order.delete
-- options: fields {"column": "field"} where they differ, redact ["field"], redactSecrets (true), ignore ["field"],
--   snapshot ("full" or "changed"), origin (false: the triggers fire ALWAYS), and for an implicit many-to-many table
--   link {"A": {"resource": "post", "relation": "tags"}, "B": {"resource": "tag", "relation": "posts"}}
--
-- The caller must own the table and be allowed to write entries: the triggers do it with his privileges.
--
-- SELECT audit_logs_watch('"public"."users"', 'user', '{"fields": {"password_hash": "passwordHash"}}')
CREATE OR REPLACE FUNCTION "audit_logs_watch"(relation regclass, resource text, options jsonb DEFAULT '{}')
RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET quote_all_identifiers = off
AS $$
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"));
BEGIN
  IF NOT pg_catalog.has_table_privilege(log, 'INSERT') OR NOT pg_catalog.has_schema_privilege('"audit_logs_internal"'::pg_catalog.regnamespace, 'USAGE') THEN
    RAISE EXCEPTION USING
      ERRCODE = '42501',
      MESSAGE = pg_catalog.format('the role %I may not watch tables: triggers write to the log with the privileges of whoever made them',
        current_user),
      HINT = 'Watch tables with the role that owns the log.';
  END IF;
  RETURN "audit_logs_internal"."watch"(relation, resource, coalesce(options, '{}'), log);
END
$$;
