-- One statement may change a row twice: by two foreign keys, or by its own and then by a referential action. There is one
-- entry for both, and the first event writes it, for when it fires the row already is what the last one made of it. The
-- later events find that entry. Only tables to which this can happen get the parts of their function that this takes.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merging_sql"(
  relation oid, resource text, log text, id_before text, id_after text
) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  key_columns text[];
  is_moved boolean;
BEGIN
  SELECT array_agg(a.attname::text ORDER BY k.ordinality),
    -- a key that a referential action changes no longer finds its row
    bool_or(EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid = relation
      AND a.attnum = ANY (f.conkey) AND f.confupdtype IN ('c', 'n', 'd')))
  INTO key_columns, is_moved
  FROM pg_index i
  CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, ordinality)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = relation AND i.indisprimary;
  IF key_columns IS NULL OR NOT (
    relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, 'down'))
    OR (SELECT count(*) > 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid = relation
      AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))))
  THEN
    RETURN '{"declare": "", "look": "", "skip": ""}';
  END IF;
  RETURN jsonb_build_object(
    'declare', format('  latest %s;
  merged text;', relation::regclass),
    'look', format(
$body$
    IF TG_OP = 'UPDATE' THEN
      IF TG_NAME LIKE '!%%' AND (%4$s) THEN
        RETURN NULL;
      END IF;
      SELECT t.* INTO latest FROM %1$s AS t WHERE %2$s;
      IF (CASE WHEN FOUND THEN latest *<> NEW ELSE %3$s END) THEN
        merged := "audit_logs_internal"."merge"(%5$s, %6$s);
        IF FOUND THEN
          NEW := latest;
        ELSE
          operation := 'DELETE';
        END IF;
      END IF;
    END IF;
$body$, relation::regclass,
      (SELECT string_agg(format('t.%1$I = NEW.%1$I', name), ' AND ') FROM unnest(key_columns) AS name),
      CASE WHEN is_moved THEN 'false' ELSE 'true' END,
      coalesce("audit_logs_internal"."self_key_sql"(relation), 'false'), id_before, id_after),
    'skip', format(
$body$
  IF operation <> 'INSERT'
    AND starts_with(current_setting('prisma_extension_audit.merged', true), extract(epoch FROM statement_timestamp()) || ' ')
    AND EXISTS (SELECT FROM %1$s AS e
      WHERE e.resource_type = %2$L AND e.resource_id IN (row_id, "audit_logs_internal"."merged"() ->> row_id) AND e."timestamp" >= statement_timestamp()
        AND e.transaction_id = (pg_current_xact_id()::text)::bigint AND e.outcome = 'success'
        AND (e.action = %3$L OR operation = 'UPDATE' AND e.details -> 'after' @> after))
  THEN
    RETURN NULL;
  END IF;
$body$, log, resource, resource || '.delete'));
END
$$;
