-- One statement may change a row twice: by two foreign keys, or by its own and then by a referential action. There is one
-- entry for both, and the first event writes it, for when it fires the row already is what the last one made of it. The
-- later events find that entry. Only tables to which this can happen get the parts of their function that this takes.
--
-- The row is read by the table's name, with the rights of whoever watches it. Where it has another name by now, or
-- row-level security applies to that role, each change has an entry of its own.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merging_sql"(
  relation oid, own_relation text, options jsonb, resource text, log text, id_before text, id_after text
) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  key_columns text[] := "audit_logs_internal"."key_columns"(relation);
  -- a key that a referential action changes no longer finds its row
  is_moved boolean := EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation) AS k WHERE k.moves);
BEGIN
  IF key_columns IS NULL OR NOT (
    relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, 'down'))
    OR (SELECT count(*) > 1 FROM "audit_logs_internal"."acting_keys"(relation)))
  THEN
    RETURN '{"declare": "", "begin": "", "look": "", "skip": ""}';
  END IF;
  RETURN jsonb_build_object(
    'declare', '  latest record;
  merged record;',
    'look', format(
$body$
    IF TG_OP = 'UPDATE' AND NOT row_security_active(%8$s) THEN
      SELECT %7$s INTO latest FROM %1$s AS t WHERE %2$s;
      IF (CASE WHEN FOUND THEN latest *<> NEW ELSE %3$s END) THEN
        noted := "audit_logs_internal"."merge"(%4$L, %5$s, %6$s);
        IF FOUND THEN
          NEW := latest;
        ELSE
          operation := 'DELETE';
        END IF;
      END IF;
    END IF;
$body$, relation::regclass,
      (SELECT string_agg(format('t.%1$I = NEW.%1$I', name), ' AND ') FROM unnest(key_columns) AS name),
      CASE WHEN is_moved THEN 'false' ELSE 'true' END, resource, id_before, id_after,
      -- NEW has no values of virtual generated columns
      (SELECT string_agg(CASE WHEN computed IS NULL THEN format('t.%I', name)
          ELSE format('NULL::%s', format_type(type, modifier)) END, ', ' ORDER BY number)
        FROM "audit_logs_internal"."columns"(relation, options)),
      own_relation),
    'skip', format(
$body$
  IF operation <> 'INSERT' THEN
    merged := "audit_logs_internal"."merged"(%2$L);
    IF merged.since IS NOT NULL AND EXISTS (SELECT FROM %1$s AS e
      WHERE e.resource_type = %2$L AND e.resource_id IN (row_id, merged.keys ->> row_id)
        AND e."timestamp" >= statement_timestamp() AND extract(epoch FROM e."timestamp") >= merged.since
        AND e.transaction_id = (pg_current_xact_id()::text)::bigint AND e.outcome = 'success'
        AND (e.action = %3$L OR operation = 'UPDATE' AND e.details -> 'after' @> %4$s))
    THEN
      RETURN NULL;
    END IF;
  END IF;
$body$, log, resource, resource || '.delete', "audit_logs_internal"."snapshot_sql"(options, 'after')));
END
$$;
