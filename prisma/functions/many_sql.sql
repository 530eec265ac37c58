-- The part of a table's function that records a statement with more than one row, from its transition tables. NULL where
-- every row has a trigger of its own.
--
-- part: the expressions of row_sql for rows called OLD and NEW
-- own_action: an expression for what the statement does
CREATE OR REPLACE FUNCTION "audit_logs_internal"."many_sql"(
  relation oid, resource text, options jsonb, log text, own_action text, part jsonb
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT $body$
  IF are_many THEN
    IF TG_NARGS = 1 THEN
      extra := "audit_logs_internal"."cause"(TG_ARGV[0], $body$ || own_action || $body$);
    END IF;
$body$ || string_agg(format($body$
    IF TG_OP = %1$L %2$s THEN
      IF is_drifted THEN
        EXECUTE "audit_logs_internal"."statement_sql"(TG_RELID, %3$L, %4$L, %5$L,
            to_jsonb("audit_logs_internal"."row_sql"(TG_RELID, %4$L, 'OLD', 'NEW')), TG_OP, %6$L)
          || ', (SELECT $1 AS context, $2 AS extra) AS given' USING context, extra;
      ELSE
        %7$s;
      END IF;
    END IF;
$body$,
    branch.operation,
    CASE WHEN branch.is_reached THEN 'AND TG_ARGV[0] <> ''0''' WHEN branch.is_either THEN 'AND TG_ARGV[0] = ''0''' END,
    resource, options, log, branch.is_reached,
    "audit_logs_internal"."statement_sql"(relation, resource, options, log, part, branch.operation, branch.is_reached)
  ), '') || $body$
    RETURN NULL;
  END IF;
$body$
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
