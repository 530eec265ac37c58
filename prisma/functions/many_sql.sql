-- The part of a table's function that records a statement with more than one row, from its transition tables. Empty where
-- every row has a trigger of its own.
--
-- part: the expressions of row_sql for rows called OLD and NEW
-- own_action, drift: expressions for what the statement does, and for whether the table's columns are others now
CREATE OR REPLACE FUNCTION "audit_logs_internal"."many_sql"(
  relation oid, resource text, options jsonb, log text, own_action text, part jsonb, drift text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT coalesce($body$
  IF are_many THEN
    IF TG_NARGS = 1 THEN
      extra := "audit_logs_internal"."cause"(TG_ARGV[0], $body$ || own_action || $body$);
    END IF;
$body$ || string_agg(format($body$
    IF TG_OP = %1$L %2$s THEN
      BEGIN
        -- the query is parsed, but never evaluated
        SELECT %3$s OR (CASE WHEN false THEN EXISTS (%4$s) END) INTO is_drifted FROM %5$s AS NEW LIMIT 1;
      EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
        is_drifted := true;
      END;
      IF is_drifted THEN
        EXECUTE "audit_logs_internal"."statement_sql"(TG_RELID, %6$L, %7$L, %8$L,
            to_jsonb("audit_logs_internal"."row_sql"(TG_RELID, %7$L, 'OLD', 'NEW')), TG_OP, %9$L)
          || ', (SELECT $1 AS context, $2 AS extra) AS given' USING context, extra;
      ELSE
        %10$s;
      END IF;
    END IF;
$body$,
    branch.operation,
    CASE WHEN branch.is_reached THEN 'AND TG_ARGV[0] <> ''0''' WHEN branch.is_either THEN 'AND TG_ARGV[0] = ''0''' END,
    drift,
    "audit_logs_internal"."changes_sql"(relation, part, branch.operation, branch.is_reached),
    CASE branch.operation WHEN 'DELETE' THEN '__audit_before' ELSE '__audit_after' END,
    resource, options, log, branch.is_reached,
    "audit_logs_internal"."statement_sql"(relation, resource, options, log, part, branch.operation, branch.is_reached)
  ), '') || $body$
    RETURN NULL;
  END IF;
$body$, '')
  FROM (
    SELECT e.operation, way.is_reached, e.is_either
    FROM (
      -- that referential actions updated rows makes a difference where several may have updated one
      SELECT operation, operation = 'UPDATE'
        AND (SELECT count(*) > 1 FROM "audit_logs_internal"."acting_keys"(relation)) AS is_either
      FROM unnest("audit_logs_internal"."events_by_statement"(relation, options)) AS operation
    ) AS e
    CROSS JOIN LATERAL unnest(CASE WHEN e.is_either THEN '{t,f}' ELSE '{f}' END::boolean[]) AS way(is_reached)
  ) AS branch
$$;
