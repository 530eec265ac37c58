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
  -- how a trigger learns what changed: of one that fires for a statement, and of one that fires for a row
  single text;
  look text;
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(relation, options, 'OLD', 'NEW');
  merges := "audit_logs_internal"."merging_sql"(
    relation, own_relation, options, resource, log, part.id_before, part.id_after);
  look := format(
$body$
%7$s
      IF %1$s THEN
        RAISE undefined_column;
      END IF;
%8$s
      IF operation = 'INSERT' THEN
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
$body$,
    "audit_logs_internal"."drift_sql"(relation, options, own_relation, 'NEW', false,
      CASE WHEN kind <> 'p' AND merges ->> 'look' <> '' THEN
        (SELECT format('TG_TABLE_NAME <> %L OR TG_TABLE_SCHEMA <> %L', c.relname, n.nspname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation) END),
    part.id_after, part.row_after, part.id_before, part.row_before, part.changed,
    -- the row changes once more, and its entry is written by the trigger that fires after that
    coalesce($body$    IF TG_OP = 'UPDATE' AND TG_NAME LIKE '!%' AND ($body$ || "audit_logs_internal"."self_key_sql"(relation, 'OLD', 'NEW')
      || $body$) THEN
      RETURN NULL;
    END IF;$body$, ''),
    merges ->> 'look');
  single := "audit_logs_internal"."single_sql"(relation, options, to_jsonb(part)) || $body$
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
$body$;
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."row_triggers"(relation, options) AS t WHERE t.level = 'ROW') THEN
    look := single;
  ELSIF single IS NOT NULL THEN
    look := format('IF TG_LEVEL = ''STATEMENT'' THEN %s ELSE %s END IF;', single, look);
  END IF;
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
  is_drifted boolean := false;
%1$s
BEGIN
%2$s
  BEGIN
%3$s
  EXCEPTION
    WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function OR syntax_error THEN
      is_drifted := true;
  END;
  IF is_drifted THEN
    -- a migration changed the table since: the same by the catalog as it is now
    IF TG_LEVEL = 'STATEMENT' THEN
      are_many := true;
    ELSE
      SELECT * INTO row_id, before, after, changed
      FROM "audit_logs_internal"."drifted"(TG_RELID, TG_NAME, operation, %4$L, OLD, NEW);
    END IF;
  END IF;
  IF changed = '{}' AND NOT are_many THEN
    RETURN NULL;
  END IF;
%5$s
  context := "audit_logs_internal"."attribution"();
%6$s
  %7$s
  RETURN NULL;
END
$body$,
    merges ->> 'declare',
    "audit_logs_internal"."no_rows_sql"(relation, options),
    look, options, merges ->> 'skip',
    "audit_logs_internal"."many_sql"(relation, resource, options, log, action, to_jsonb(part)),
    "audit_logs_internal"."entry_sql"(log, action, quote_literal(resource), 'row_id',
      format($body$CASE operation WHEN 'INSERT' THEN jsonb_build_object('after', after)
        WHEN 'DELETE' THEN jsonb_build_object('before', before)
        ELSE jsonb_build_object('before', %s, 'after', %s, 'changed', changed) END
        || CASE WHEN TG_NARGS = 1 THEN "audit_logs_internal"."cause"(TG_ARGV[0], %s) ELSE '{}' END$body$,
        "audit_logs_internal"."snapshot_sql"(options, 'before'), "audit_logs_internal"."snapshot_sql"(options, 'after'), action)) || ';');
END
$$;
