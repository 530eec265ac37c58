-- Takes out of the table what does not have to stay in it, of a partition whose entries are all in the archive: one that keeps
-- nothing is dropped, else one with what stays takes its place. Recorded by an entry, in the same transaction. Gives how many
-- entries went, and NULL where there was nothing to do, as another process has done it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."retire_partition"(
  log regclass, partition text, upper timestamptz, rules jsonb, others_stay boolean, reason text
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  archived record;
  found_entries bigint;
  found_sum numeric;
  staying bigint;
  staying_sum numeric;
  lowest bigint;
  highest bigint;
  beside text;
  columns text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = log AND attnum > 0 AND NOT attisdropped);
BEGIN
  SELECT * INTO archived FROM "audit_logs_internal"."archives" AS a
  WHERE a.log = log_table AND a.upper = retire_partition.upper FOR UPDATE; -- one at a time
  IF archived IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'ZA007', MESSAGE = format('nothing of the partition %s is in the archive', partition);
  END IF;
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."partitions"(log) AS p
    WHERE "audit_logs_internal"."log_name"(p.partition) = retire_partition.partition AND p.upper = retire_partition.upper) THEN
    RETURN NULL;
  END IF;
  EXECUTE format('LOCK TABLE ONLY %s IN SHARE MODE', partition); -- nobody adds to it from here on
  EXECUTE format('SELECT count(*), coalesce(sum(seq), 0), count(*) FILTER (WHERE s), coalesce(sum(seq) FILTER (WHERE s), 0),
      min(seq) FILTER (WHERE NOT s), max(seq) FILTER (WHERE NOT s)
    FROM (SELECT seq, "audit_logs_internal"."stays"(resource_type, organization_id, $1, $2) AS s FROM ONLY %s) AS e', partition)
  INTO found_entries, found_sum, staying, staying_sum, lowest, highest USING rules, others_stay;
  IF (found_entries, found_sum) IS DISTINCT FROM (archived.online_entries, archived.online_seq_sum) THEN
    RAISE EXCEPTION USING ERRCODE = 'ZA007',
      MESSAGE = format('the partition %s has %s entries, and %s of them were read back from the archive', partition, found_entries, archived.online_entries);
  END IF;
  IF staying = found_entries AND found_entries > 0 THEN
    RETURN NULL;
  END IF;
  IF staying > 0 THEN
    beside := "audit_logs_internal"."create_beside"(log, 'staying');
    EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM ONLY %s AS e
      WHERE "audit_logs_internal"."stays"(e.resource_type, e.organization_id, $1, $2) ORDER BY "timestamp", seq', beside, columns, columns, partition)
    USING rules, others_stay;
  END IF;
  PERFORM "audit_logs_internal"."replace_partition"(log, partition::regclass, beside::regclass, archived.lower, archived.upper);
  PERFORM "audit_logs_internal"."record_own"(log_table, 'auditLog.retire', partition, jsonb_build_object(
    'range', jsonb_build_object('from', nullif(archived.lower, '-infinity'), 'to', archived.upper),
    'entries', found_entries - staying, 'staying', staying,
    'seq', jsonb_build_object('lowest', lowest::text, 'highest', highest::text), 'why', reason,
    'archive', jsonb_build_object('location', archived.location, 'manifests',
      (SELECT jsonb_agg(m -> 'reference' || jsonb_build_object('entries', m -> 'manifest' -> 'entries', 'content', m -> 'manifest' -> 'content') ORDER BY n)
        FROM jsonb_array_elements(archived.manifests) WITH ORDINALITY AS e(m, n)))));
  UPDATE "audit_logs_internal"."archives" AS a SET online_entries = staying, online_seq_sum = staying_sum,
    retired_at = coalesce(a.retired_at, clock_timestamp())
  WHERE a.log = log_table AND a.upper = retire_partition.upper;
  RETURN found_entries - staying;
END
$$;
