-- Makes the functions by which events, reads and failures reach the log. Their bodies name the log's schema, for whatever
-- search_path a caller has. audit_logs_write writes with the caller's privileges where he may INSERT. Everybody else needs
-- EXECUTE on audit_logs_write_as_owner, and nothing on the table.
--
-- A second attempt at an entry adds none, as its id is there. The key of a partitioned log cannot tell, so there the ids are claimed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_write"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  schema_name text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  log_table text := schema_name || '.' || (SELECT quote_ident(relname) FROM pg_class WHERE oid = log);
  writer text := schema_name || '.' || quote_ident(name);
  owner_writer text := schema_name || '.' || quote_ident(name || '_as_owner');
  claim text := schema_name || '.' || quote_ident(name || '_claim');
  is_partitioned boolean := (SELECT relkind = 'p' FROM pg_class WHERE oid = log)
    AND to_regclass('"audit_logs_internal"."written_ids"') IS NOT NULL;
  -- the row type of the table itself would keep anybody from dropping it
  columns text := 'id uuid, "timestamp" timestamptz, action varchar, actor_id varchar, actor_type varchar, actor_email varchar, resource_type varchar,
      resource_id varchar, outcome varchar, reason text, details jsonb, request_id varchar, ip inet, user_agent text,
      organization_id varchar, seq bigint, transaction_id bigint';
  body text := format(
$body$
  IF EXISTS (SELECT FROM jsonb_array_elements(entries) AS e
    WHERE e ->> 'outcome' = 'success' AND (e ->> 'resource_type' = 'auditLog' OR e ->> 'action' LIKE 'auditLog.%%'))
  THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA005',
      MESSAGE = 'an event cannot be about the audit log itself',
      HINT = 'Entries of auditLog are written by what is done to the log. Give the event another resource.';
  END IF;
  IF EXISTS (SELECT FROM jsonb_array_elements(entries) AS e WHERE jsonb_typeof(e -> 'details') NOT IN ('object', 'null')) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA005',
      MESSAGE = 'the details of an event are not an object',
      HINT = 'Put the value under a key.';
  END IF;
  RETURN QUERY INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id,
    outcome, reason, details, request_id, ip, user_agent, organization_id)
  SELECT e.id, e.action, e.actor_id, e.actor_type, e.actor_email, e.resource_type, e.resource_id, e.outcome, e.reason,
    -- a change that somebody tells must not look like one that the database saw
    CASE WHEN e.outcome = 'success'
        AND split_part(e.action, '.', 2) IN ('create', 'update', 'delete', 'connect', 'disconnect', 'truncate')
      THEN coalesce(e.details, '{}') || '{"operation": "logDataChange"}' ELSE e.details END,
    e.request_id, e.ip, e.user_agent, e.organization_id
  FROM jsonb_to_recordset(%s) AS e(id uuid, action text, actor_id text, actor_type text, actor_email text,
    resource_type text, resource_id text, outcome text, reason text, details jsonb, request_id text, ip inet,
    user_agent text, organization_id text)
  ON CONFLICT DO NOTHING
  RETURNING *;
$body$, log_table, CASE WHEN is_partitioned THEN claim || '(entries)' ELSE 'entries' END);
BEGIN
  IF is_partitioned THEN
    EXECUTE format(
      'CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS jsonb
      LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS %2$L', claim, format(
$body$
  WITH claimed AS (
    INSERT INTO "audit_logs_internal"."written_ids" (log, id)
    SELECT %L, (e ->> 'id')::uuid FROM jsonb_array_elements(entries) AS e
    ON CONFLICT DO NOTHING RETURNING id
  )
  SELECT coalesce(jsonb_agg(entry ORDER BY position), '[]') FROM (
    SELECT min(position) AS position FROM jsonb_array_elements(entries) WITH ORDINALITY AS e(entry, position)
    JOIN claimed ON claimed.id = (entry ->> 'id')::uuid GROUP BY claimed.id
  ) AS first JOIN jsonb_array_elements(entries) WITH ORDINALITY AS e(entry, position) USING (position)
$body$, log_table));
  END IF;
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS TABLE (%2$s)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS %3$L', owner_writer, columns,
    format(E'#variable_conflict use_column\nBEGIN %s END', body));
  EXECUTE format('REVOKE ALL ON FUNCTION %s(jsonb) FROM PUBLIC', owner_writer);
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS TABLE (%2$s)
    LANGUAGE plpgsql SET search_path = pg_catalog AS %3$L', writer, columns, format(
$body$
#variable_conflict use_column
BEGIN
  IF NOT has_any_column_privilege(%L, 'INSERT') THEN
    RETURN QUERY SELECT * FROM %s(entries);
    RETURN;
  END IF;
  %s
END
$body$, log_table, owner_writer, body));
END
$$;
