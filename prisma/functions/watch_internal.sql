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
  is_origin boolean := coalesce((options -> 'origin')::boolean, false);
  is_reached boolean;
  definition text;
  previous record;
  trigger_name text;
  child oid;
BEGIN
  SELECT c.relkind, c.relpersistence, format('%I.%I', n.nspname, c.relname) AS name INTO target
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
  IF target.relkind NOT IN ('r', 'p', 'f') OR target.relpersistence = 't' OR relation = log THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = format('%s cannot be watched: it is %s', target.name, CASE
        WHEN relation = log THEN 'the audit log itself' WHEN target.relpersistence = 't' THEN 'a temporary table'
        ELSE 'not a table' END),
      HINT = 'Watch the tables behind a view.';
  END IF;
  IF resource !~ '^[^[:space:].]{1,93}$' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = format('%L cannot be the resource of %s', resource, target.name),
      HINT = 'A resource is a word of at most 93 characters without dots, such as orderItem.';
  END IF;
  IF NOT has_table_privilege(log, 'INSERT') THEN
    RAISE EXCEPTION USING
      ERRCODE = '42501',
      MESSAGE = format('the role %s may not write to %s, so its triggers could not record', current_user, log_table),
      HINT = 'Watch tables with the role that owns the log.';
  END IF;

  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation);
  wanted := "audit_logs_internal"."normalized_options"(relation, options);
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = watch.relation;
  is_reached := EXISTS (SELECT FROM pg_constraint
    WHERE contype = 'f' AND conrelid = relation
      AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')));
  definition := "audit_logs_internal"."definition_sql"(relation, resource, wanted, log_table, is_reached, is_origin);
  wanted := wanted || jsonb_build_object('definition', md5(definition), 'log', log_table);

  IF previous.resource IS DISTINCT FROM resource OR previous.options IS DISTINCT FROM wanted
    OR previous.enabled IS DISTINCT FROM (CASE WHEN is_origin THEN 'O' ELSE 'A' END)::"char"
    OR NOT "audit_logs_internal"."is_whole"(relation, previous.enabled)
  THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation);
    EXECUTE definition;
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, resource, wanted);
    PERFORM "audit_logs_internal"."renew_ancestors"(relation);
    PERFORM "audit_logs_internal"."record_own"(log_table, 'auditLog.watch', target.name, jsonb_build_object(
      'table', target.name, 'resource', resource, 'options', options));
    definition := '';
  END IF;

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
