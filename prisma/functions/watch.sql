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
AS $$
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"));
BEGIN
  RETURN "audit_logs_internal"."watch"(relation, resource, options, log);
END
$$;
