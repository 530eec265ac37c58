-- The condition that an update changes a key to which the table itself refers by a foreign key that acts: a referential
-- action then changes the same row once more. NULL for a table without such a key.
--
-- before, after: expressions for the row as it was and as it is, such as OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."self_key_sql"(relation oid, before text, after text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT string_agg(DISTINCT format('%s.%I IS DISTINCT FROM %s.%2$I', before, a.attname, after), ' OR ')
  FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = ANY (f.confkey)
  WHERE f.contype = 'f' AND f.conrelid = relation AND f.confrelid = relation AND f.confupdtype IN ('c', 'n', 'd')
$$;
