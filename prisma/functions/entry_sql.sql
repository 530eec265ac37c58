-- The INSERT of one entry, or of entries.
--
-- log: the log's quoted table
-- action, type, id, details: SQL expressions, details are only what this entry has beside those of its context. A context
--   can be set by hand, so nothing of what triggers see themselves is taken from it
-- source: what stands behind FROM, for an entry of each of its rows. NULL for one entry, which costs less with VALUES
CREATE OR REPLACE FUNCTION "audit_logs_internal"."entry_sql"(
  log text, action text, type text, id text, details text, source text DEFAULT NULL
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format(
    'INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
      request_id, ip, user_agent, organization_id)
    %s%s(), %s, context ->> ''actor_id'', context ->> ''actor_type'', context ->> ''actor_email'', %s, %s,
      ''success'', context ->> ''reason'',
      coalesce((context -> ''details'') - ''{before,after,changed,cause,relation,target,rows,estimated,partition,source}''::text[], ''{}'')
        || coalesce(context -> ''database'', ''{}'') || %s,
      context ->> ''request_id'', (context ->> ''ip'')::inet, context ->> ''user_agent'', context ->> ''organization_id''%s',
    log, CASE WHEN source IS NULL THEN 'VALUES (' ELSE 'SELECT ' END,
    CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'uuidv7'
      ELSE '"audit_logs_internal"."uuidv7"' END,
    action, type, id, details, coalesce(' FROM ' || source, ')'))
$$;
