-- Brings back into the table what is in the archive of a partition, from a table beside the log that was filled from there: it
-- has to have exactly what was archived, and what stayed in the log is part of that. Recorded by an entry, in the same transaction.
-- What was erased meanwhile is erased again before anybody sees it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."restore_partition"(log regclass, beside text, upper timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  archived record;
  restored regclass := beside::regclass; -- its name changes
  partition text;
  found_entries bigint := 0;
  found_sum numeric := 0;
  beside_entries bigint;
  beside_sum numeric;
  can_erase constant boolean := to_regclass('"audit_logs_internal"."erasures"') IS NOT NULL; -- the log's next migration
  later jsonb;
  erased jsonb;
BEGIN
  IF can_erase THEN
    LOCK TABLE "audit_logs_internal"."erasing" IN SHARE ROW EXCLUSIVE MODE; -- others erase before, or afterwards
    later := (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.ordinality)
      FROM "audit_logs_internal"."erased_since"(log_table, restored) WITH ORDINALITY AS s);
  END IF;
  SELECT * INTO archived FROM "audit_logs_internal"."archives" AS a
  WHERE a.log = log_table AND a.upper = restore_partition.upper FOR UPDATE;
  SELECT "audit_logs_internal"."log_name"(p.partition) INTO partition
  FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.upper = restore_partition.upper AND p.lower = archived.lower;
  IF partition IS NOT NULL THEN
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE MODE', partition);
    EXECUTE format('SELECT count(*), coalesce(sum(seq), 0) FROM ONLY %s', partition) INTO found_entries, found_sum;
  END IF;
  EXECUTE format('SELECT count(*), coalesce(sum(seq), 0) FROM %s', beside) INTO beside_entries, beside_sum;
  IF (found_entries, found_sum) IS DISTINCT FROM (archived.online_entries, archived.online_seq_sum)
    OR (beside_entries, beside_sum) IS DISTINCT FROM (archived.entries, archived.seq_sum) THEN
    RAISE EXCEPTION USING ERRCODE = 'ZA007',
      MESSAGE = format('%s of %s entries came from the archive, and the log has %s that are not in it', beside_entries, archived.entries,
        found_entries - archived.online_entries);
  END IF;
  PERFORM "audit_logs_internal"."replace_partition"(log, partition::regclass, restored, archived.lower, archived.upper);
  PERFORM "audit_logs_internal"."record_own"(log_table, 'auditLog.restore', "audit_logs_internal"."log_name"(restored), jsonb_build_object(
    'range', jsonb_build_object('from', nullif(archived.lower, '-infinity'), 'to', archived.upper), 'entries', beside_entries - found_entries));
  FOR erased IN SELECT jsonb_array_elements(later) LOOP
    PERFORM "audit_logs_internal"."erase_entries"(log, jsonb_build_object('entries', erased -> 'entries'), erased ->> 'reason',
      ARRAY(SELECT jsonb_array_elements_text(erased -> 'fields')), erased -> 'keys', "audit_logs_internal"."attribution"());
  END LOOP;
  UPDATE "audit_logs_internal"."archives" AS a SET online_entries = a.entries, online_seq_sum = a.seq_sum, retired_at = NULL
  WHERE a.log = log_table AND a.upper = restore_partition.upper;
  RETURN beside_entries - found_entries;
END
$$;
