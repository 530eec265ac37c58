-- The events of a table that are recorded once for each statement, from its transition tables: for many rows much faster
-- than a trigger for each. Entries stand in the order of the changes, and a row has one, so this is only for tables
-- where nothing changes a row once more before the triggers after its statement fire:
-- - no AFTER ROW trigger of somebody else's, no BEFORE trigger on a table that referential actions change
-- - no referential action that leads back to the table, none that changes a row which another one deletes, and where
--   several may change one row, they leave its key alone
-- - neither partitioned nor inherited, where statements may name another table. Not foreign, which has no transition
--   tables. Not an implicit many-to-many table, which has entries of two records. Not filled by logical replication,
--   which fires the triggers of rows only (manual, "Logical Replication", "Architecture")
CREATE OR REPLACE FUNCTION "audit_logs_internal"."events_by_statement"(relation oid, options jsonb) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE
    WHEN options ? 'link' OR c.relkind <> 'r' OR c.relispartition
      OR EXISTS (SELECT FROM pg_inherits i WHERE relation IN (i.inhrelid, i.inhparent))
      OR EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = relation)
      OR "audit_logs_internal"."has_other_triggers"(relation, 'AFTER ROW')
    THEN '{}'
    WHEN relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, 'down'))
      OR EXISTS (SELECT FROM "audit_logs_internal"."reached"(relation, 'down') AS r(oid)
        WHERE "audit_logs_internal"."has_other_triggers"(r.oid, 'BEFORE'))
      OR (SELECT bool_or(k.sets) AND bool_or(k.deletes) OR count(*) > 1 AND bool_or(k.moves)
        FROM "audit_logs_internal"."acting_keys"(relation) AS k)
    THEN '{INSERT}'
    ELSE '{INSERT,UPDATE,DELETE}'
  END::text[]
  FROM pg_class c WHERE c.oid = relation
$$;
