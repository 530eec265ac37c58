-- What others than its owner may do with a relation: "privilege" as GRANT takes it, with a column where it is on one only.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."grants"(relation regclass)
RETURNS TABLE (privilege text, grantee text, is_grantable boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT a.privilege_type || a.on_column, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, a.is_grantable
  FROM pg_class c CROSS JOIN LATERAL (
    SELECT x.*, '' AS on_column FROM aclexplode(c.relacl) AS x
    UNION ALL
    SELECT x.*, format(' (%I)', attname) FROM pg_attribute, aclexplode(attacl) AS x WHERE attrelid = c.oid AND NOT attisdropped
  ) AS a
  WHERE c.oid = relation AND a.grantee <> c.relowner
$$;
