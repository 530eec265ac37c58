-- The part of a table's function that looks at the rows of a statement: whether there are many, and if not, what the
-- entry of its one row has. All in one query, as each costs more than what it does here. Empty where every row has a
-- trigger of its own.
--
-- part: the expressions of row_sql for rows called OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."single_sql"(relation oid, options jsonb, part jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT string_agg(format($body$
      IF TG_OP = %1$L THEN
        SELECT EXISTS (SELECT FROM %2$s OFFSET 1), %3$s, %4$s
        INTO are_many, is_drifted, %5$s
        FROM %6$s LIMIT 1;
      END IF;
$body$,
      operation,
      CASE operation WHEN 'DELETE' THEN '__audit_before' ELSE '__audit_after' END,
      "audit_logs_internal"."drift_sql"(relation, options, 'TG_RELID',
        CASE operation WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END, true, NULL),
      CASE operation
        WHEN 'INSERT' THEN concat_ws(', ', part ->> 'id_after', part ->> 'row_after')
        WHEN 'DELETE' THEN concat_ws(', ', part ->> 'id_before', part ->> 'row_before')
        ELSE concat_ws(', ', part ->> 'id_before', part ->> 'row_before', part ->> 'row_after', part ->> 'changed')
      END,
      CASE operation WHEN 'INSERT' THEN 'row_id, after' WHEN 'DELETE' THEN 'row_id, before' ELSE 'row_id, before, after, changed' END,
      CASE operation WHEN 'INSERT' THEN '__audit_after AS NEW' WHEN 'DELETE' THEN '__audit_before AS OLD'
        ELSE '__audit_before AS OLD, __audit_after AS NEW' END
    ), '' ORDER BY operation)
  FROM unnest("audit_logs_internal"."events_by_statement"(relation, options)) AS operation
$$;
