CREATE OR REPLACE FUNCTION "audit_logs_internal"."watch"(relation oid, resource text, options jsonb, log oid)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  log_table text := (SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  target record;
  wanted jsonb;
  is_origin boolean;
  definition text;
  previous record;
  child oid;
BEGIN
  IF relation IS NULL OR resource IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = 'a table and its resource must be given to watch it',
      HINT = 'Give both, such as ''"public"."Order"'' and ''order''.';
  END IF;
  SELECT c.relkind, format('%I.%I', n.nspname, c.relname) AS name, CASE
      WHEN c.oid = log THEN 'the audit log itself'
      WHEN c.relpersistence = 't' THEN 'a temporary table'
      WHEN c.relispartition THEN 'a partition'
      WHEN c.relkind NOT IN ('r', 'p', 'f') THEN 'not a table'
    END AS problem
  INTO target
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
  IF target.problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = format('%s cannot be watched: it is %s', target.name, target.problem),
      HINT = CASE target.problem WHEN 'a partition' THEN 'Watch the partitioned table.' ELSE 'Watch the tables behind a view.' END;
  END IF;
  IF resource !~ '^[^[:space:].]{1,89}$' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = format('%L cannot be the resource of %s', resource, target.name),
      HINT = 'A resource is a word of at most 89 characters without dots, such as orderItem.';
  END IF;

  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation);
  wanted := "audit_logs_internal"."normalized_options"(relation, options);
  is_origin := coalesce((options -> 'origin')::boolean, false);
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = watch.relation;
  definition := "audit_logs_internal"."definition_sql"(relation, resource, wanted, log_table, is_origin);
  wanted := wanted || jsonb_build_object('definition', md5(definition), 'log', log_table,
    'triggers', (SELECT count(*) FROM "audit_logs_internal"."row_triggers"(relation, wanted)));

  IF previous.resource IS DISTINCT FROM resource OR previous.options IS DISTINCT FROM wanted
    OR previous.enabled IS DISTINCT FROM (CASE WHEN is_origin THEN 'O' ELSE 'A' END)::"char"
    OR NOT "audit_logs_internal"."is_whole"(relation, previous.enabled, (wanted ->> 'triggers')::int)
  THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation);
    EXECUTE definition;
    EXECUTE "audit_logs_internal"."truncate_triggers_sql"(relation, "audit_logs_internal"."function_name"(relation, 'truncate'),
      CASE WHEN is_origin THEN 'ENABLE' ELSE 'ENABLE ALWAYS' END);
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, resource, wanted);
    PERFORM "audit_logs_internal"."record_own"(log_table, 'auditLog.watch', target.name, jsonb_build_object(
      'table', target.name, 'resource', resource, 'options', options));
    definition := '';
  END IF;
  -- also where a further foreign key leads here from a table that knows nothing of it yet
  PERFORM "audit_logs_internal"."renew_ancestors"(relation);

  -- a table that inherits has rows of its own, which are also the parent's
  FOR child IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = relation AND NOT c.relispartition
  LOOP
    IF "audit_logs_internal"."watch"(child, resource, options, log) THEN
      definition := '';
    END IF;
  END LOOP;
  RETURN definition = '';
END
$$;
