-- Refuses to partition a log that others have tied to its table: what they made would go on pointing to the old table.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."refuse_unfit"(log regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  obstacles text := (
    SELECT string_agg(DISTINCT description, ', ') FROM (
      SELECT format('the view %s', "audit_logs_internal"."log_name"(r.ev_class)) AS description
      FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = log AND r.ev_class <> log
      UNION ALL SELECT format('the rule %I', rulename) FROM pg_rewrite WHERE ev_class = log
      UNION ALL SELECT format('the policy %I', polname) FROM pg_policy WHERE polrelid = log
      UNION ALL SELECT format('the foreign key %I of %s', conname, "audit_logs_internal"."log_name"(conrelid))
        FROM pg_constraint WHERE contype = 'f' AND log IN (conrelid, confrelid)
      UNION ALL SELECT format('the unique index %I', relname) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
        WHERE indrelid = log AND indisunique AND NOT indisprimary AND indisvalid AND relname NOT LIKE '%\_partition\_key'
      UNION ALL SELECT format('the inheritance of %s', "audit_logs_internal"."log_name"(inhrelid)) FROM pg_inherits WHERE log IN (inhparent, inhrelid)
      UNION ALL SELECT format('the publication %I', pubname) FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid WHERE prrelid = log
      UNION ALL SELECT 'the subscription that writes to it' FROM pg_subscription_rel WHERE srrelid = log
      UNION ALL SELECT format('the trigger %I with transition tables', tgname) FROM pg_trigger
        WHERE tgrelid = log AND tgtype & 1 = 1 AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
    ) AS o);
BEGIN
  IF obstacles IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA006',
      MESSAGE = format('the log %s cannot be partitioned: %s would be left at the old table', "audit_logs_internal"."log_name"(log), obstacles),
      HINT = 'Drop these, partition the log, and create them again.';
  END IF;
END
$$;
