-- The body of the function that the triggers of a table's rows call. Where one fires once for a statement, and that changed
-- one row, as most do, the function goes on as if it had fired for that row: a query for many rows costs more.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  part record;
  kind "char" := (SELECT relkind FROM pg_class WHERE oid = relation);
  -- the triggers of a partitioned table fire in its partitions
  own_relation text := CASE kind WHEN 'p' THEN quote_literal(relation::regclass) || '::regclass::oid' ELSE 'TG_RELID' END;
  action text := format('CASE operation WHEN ''INSERT'' THEN %L WHEN ''UPDATE'' THEN %L ELSE %L END',
    resource || '.create', resource || '.update', resource || '.delete');
  merges jsonb;
  drift text;
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(relation, options, 'OLD', 'NEW');
  merges := "audit_logs_internal"."merging_sql"(
    relation, own_relation, options, resource, log, part.id_before, part.id_after);
  drift := "audit_logs_internal"."drift_sql"(relation, options, own_relation,
    CASE WHEN kind <> 'p' AND merges ->> 'look' <> '' THEN
      (SELECT format('TG_TABLE_NAME <> %L OR TG_TABLE_SCHEMA <> %L', c.relname, n.nspname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation) END);
  RETURN format(
$body$
#variable_conflict use_column
DECLARE
  context jsonb;
  extra jsonb := '{}';
  operation text := TG_OP;
  row_id text;
  before jsonb;
  after jsonb;
  changed text[];
  noted text;
  are_many boolean := false;
  is_drifted boolean;
%9$s
BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN
    IF TG_OP = 'DELETE' THEN
      SELECT *, (SELECT count(*) > 1 FROM (SELECT FROM __audit_before LIMIT 2) AS r) AS __audit_many INTO OLD FROM __audit_before;
      are_many := FOUND AND OLD.__audit_many;
    ELSE
      SELECT *, (SELECT count(*) > 1 FROM (SELECT FROM __audit_after LIMIT 2) AS r) AS __audit_many INTO NEW FROM __audit_after;
      are_many := FOUND AND NEW.__audit_many;
    END IF;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND NOT are_many THEN
      SELECT * INTO OLD FROM __audit_before;
    END IF;
  END IF;
  BEGIN
%12$s
    IF NOT are_many AND (%1$s) THEN
      RAISE undefined_column;
    END IF;
%10$s
    IF are_many THEN
      NULL;
    ELSIF operation = 'INSERT' THEN
      row_id := %2$s;
      after := %3$s;
    ELSIF operation = 'DELETE' THEN
      row_id := %4$s;
      before := %5$s;
    ELSE
      changed := %6$s;
      IF changed = '{}' THEN
        RETURN NULL;
      END IF;
      row_id := %4$s;
      before := %5$s;
      after := %3$s;
    END IF;
  EXCEPTION
    WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
      -- a migration changed the table since: the same once more, by the catalog as it is now
      IF TG_LEVEL = 'STATEMENT' THEN
        are_many := true;
      ELSE
        SELECT * INTO row_id, before, after, changed
        FROM "audit_logs_internal"."drifted"(TG_RELID, TG_NAME, operation, %7$L, OLD, NEW);
        IF changed = '{}' THEN
          RETURN NULL;
        END IF;
      END IF;
  END;
%11$s
  context := "audit_logs_internal"."attribution"();
%13$s
  %8$s
  RETURN NULL;
END
$body$,
    drift, part.id_after, part.row_after, part.id_before, part.row_before, part.changed, options,
    "audit_logs_internal"."entry_sql"(log, action, quote_literal(resource), 'row_id',
      format($body$CASE operation WHEN 'INSERT' THEN jsonb_build_object('after', after)
        WHEN 'DELETE' THEN jsonb_build_object('before', before)
        ELSE jsonb_build_object('before', %s, 'after', %s, 'changed', changed) END
        || CASE WHEN TG_NARGS = 1 THEN "audit_logs_internal"."cause"(TG_ARGV[0], %s) ELSE '{}' END$body$,
        "audit_logs_internal"."snapshot_sql"(options, 'before'), "audit_logs_internal"."snapshot_sql"(options, 'after'), action)) || ';',
    merges ->> 'declare', merges ->> 'look', merges ->> 'skip',
    -- the row changes once more, and its entry is written by the trigger that fires after that
    coalesce($body$    IF TG_OP = 'UPDATE' AND TG_NAME LIKE '!%' AND ($body$ || "audit_logs_internal"."self_key_sql"(relation, 'OLD', 'NEW')
      || $body$) THEN
      RETURN NULL;
    END IF;$body$, ''),
    "audit_logs_internal"."many_sql"(relation, resource, options, log, action, to_jsonb(part), drift));
END
$$;
