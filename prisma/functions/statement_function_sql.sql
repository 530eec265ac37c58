-- The body of the function that the triggers after a table's statements call.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format(
$body$
#variable_conflict use_column
DECLARE
  context jsonb;
  extra jsonb := '{}';
  is_drifted boolean;
BEGIN
%1$s
END
$body$, string_agg(format(
$body$
  IF %1$s THEN
    BEGIN
      SELECT %2$s INTO is_drifted FROM %3$s AS __audit_row LIMIT 1;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
    EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
      is_drifted := true;
    END;
    context := "audit_logs_internal"."attribution"();
    %4$s
    IF is_drifted THEN
      -- a migration changed the table since: the same by the catalog as it is now
      EXECUTE "audit_logs_internal"."statement_sql"(TG_RELID, %5$L, %6$L, %7$L, %8$L, %9$s)
        || ', (SELECT $1 AS context, $2 AS extra) AS given' USING context, extra;
    ELSE
      %10$s;
    END IF;
    RETURN NULL;
  END IF;
$body$,
    branch.condition,
    "audit_logs_internal"."drift_sql"(relation, options, 'TG_RELID', '__audit_row',
      -- parsed, as all of it, but never evaluated
      format('(CASE WHEN false THEN EXISTS (%s) END)', branch.changes)),
    branch.rows,
    CASE WHEN branch.has_cause THEN format('extra := "audit_logs_internal"."cause"(TG_ARGV[0], %L);', resource || branch.verb) ELSE '' END,
    resource, options, log, branch.operation, branch.is_reached,
    "audit_logs_internal"."statement_sql"(relation, resource, options, log, branch.operation, branch.is_reached)
  ), '' ORDER BY branch.position, branch.is_reached DESC))
  FROM (
    SELECT e.*, way.is_reached, keys.number > 0 AND e.operation <> 'INSERT' AS has_cause,
      format('TG_OP = %L', e.operation) || CASE WHEN way.is_reached THEN ' AND TG_ARGV[0] <> ''0''' ELSE '' END AS condition,
      "audit_logs_internal"."changes_sql"(relation, options, e.operation, way.is_reached) AS changes
    FROM (VALUES (1, 'INSERT', '.create', '__audit_after'), (2, 'UPDATE', '.update', '__audit_after'),
      (3, 'DELETE', '.delete', '__audit_before')) AS e(position, operation, verb, rows)
    CROSS JOIN (SELECT count(*) AS number FROM "audit_logs_internal"."acting_keys"(relation)) AS keys
    -- only where several referential actions may update one row does it matter that they did it
    CROSS JOIN LATERAL unnest(CASE WHEN e.operation = 'UPDATE' AND keys.number > 1 THEN '{t,f}' ELSE '{f}' END::boolean[])
      AS way(is_reached)
    WHERE e.operation = ANY ("audit_logs_internal"."events_by_statement"(relation, options))
  ) AS branch
$$;
