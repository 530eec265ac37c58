-- Makes a log a table of months, in one transaction: its table becomes the partition for all before the next month, or is
-- dropped where it never had an entry, and a new table takes its place, with the same name, privileges, indexes and triggers.
-- "seq" goes on. Where a validated CHECK says how far the entries reach, and a unique index has the new key, this takes a
-- moment. Else both are made here, while everybody waits, and so a large log is refused.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partition_log"(log regclass, ahead integer DEFAULT 12) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  schema_name text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  name text := (SELECT relname FROM pg_class WHERE oid = log);
  key_index text := name || '_partition_key';
  bound text := name || '_partition_bound';
  bounded boolean := EXISTS (SELECT FROM pg_constraint WHERE conrelid = log AND conname = bound AND convalidated);
  keyed boolean := EXISTS (SELECT FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = log AND relname = key_index AND indisvalid);
  number_sequence regclass := pg_get_serial_sequence(log_table, 'seq');
  old_name text;
  old_table text;
  new_table regclass;
  new_sequence regclass;
  last_number bigint;
  is_called boolean;
  is_empty boolean;
  until timestamptz;
  sequence_grants text[];
  index_definitions text[] := ARRAY[]::text[];
  trigger_definitions text[] := ARRAY[]::text[];
  found_one record;
  statement text;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = log) = 'p' THEN
    RETURN false;
  END IF;
  PERFORM "audit_logs_internal"."refuse_unfit"(log);
  IF NOT (bounded AND keyed) AND pg_relation_size(log) > 1e9 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA006',
      MESSAGE = format('the log %s is large: to partition it here would have everybody wait for long', log_table),
      HINT = 'Run "npx prisma-extension-audit partition --convert" with its database, which lets others go on. Then this has nothing to do.';
  END IF;
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log);

  -- nobody writes from here on
  is_empty := pg_relation_size(log) = 0;
  EXECUTE format('SELECT last_value, is_called FROM %s', number_sequence) INTO last_number, is_called;
  until := date_trunc('month', clock_timestamp()) + interval '1 month';
  IF bounded THEN
    until := (SELECT substring(pg_get_constraintdef(oid) FROM '''([^'']*)''')::timestamptz FROM pg_constraint WHERE conrelid = log AND conname = bound);
  ELSIF NOT is_empty THEN
    EXECUTE format('SELECT greatest($1, date_trunc(''month'', max("timestamp")) + interval ''1 month'') FROM %s', log_table) INTO until USING until;
  END IF;
  old_name := name || to_char(until, '_"before"_YYYY_MM');
  old_table := format('%s.%I', schema_name, old_name);

  FOR found_one IN
    SELECT c.relname, pg_get_indexdef(c.oid) AS definition, row_number() OVER (ORDER BY c.oid) AS position
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = log AND NOT indisprimary AND indisvalid AND c.relname <> key_index
  LOOP
    index_definitions := index_definitions || found_one.definition;
    EXECUTE format('ALTER INDEX %s.%I RENAME TO %I', schema_name, found_one.relname, old_name || '_idx' || found_one.position);
  END LOOP;
  FOR found_one IN
    SELECT tgname, pg_get_triggerdef(oid) AS definition, tgtype & 1 = 1 AS is_for_rows,
      CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'D' THEN 'DISABLE' ELSE 'ENABLE' END AS enabling
    FROM pg_trigger WHERE tgrelid = log AND NOT tgisinternal
  LOOP
    trigger_definitions := trigger_definitions || found_one.definition
      || format('ALTER TABLE %s %s TRIGGER %I', log_table, found_one.enabling, found_one.tgname);
    IF found_one.is_for_rows THEN -- attaching makes it again
      EXECUTE format('DROP TRIGGER %I ON %s', found_one.tgname, log_table);
    END IF;
  END LOOP;

  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', log_table, (SELECT conname FROM pg_constraint WHERE conrelid = log AND contype = 'p'));
  EXECUTE format('ALTER TABLE %s RENAME TO %I', log_table, old_name);
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY %s', old_table, old_name || '_pkey',
    CASE WHEN keyed THEN format('USING INDEX %I', key_index) ELSE '("id", "timestamp")' END);

  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE ("timestamp")',
    log_table, old_table);
  new_table := log_table::regclass;
  PERFORM "audit_logs_internal"."give_to_owner"(log, log_table);
  PERFORM "audit_logs_internal"."copy_grants"(log, new_table);
  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', log_table, bound);

  -- a partition must not have numbers of its own
  sequence_grants := ARRAY(SELECT format('GRANT %s ON %%s TO %s%s', privilege, grantee, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM "audit_logs_internal"."grants"(number_sequence));
  EXECUTE format('ALTER TABLE %s ALTER COLUMN "seq" DROP IDENTITY', old_table);
  EXECUTE format('ALTER TABLE %s ALTER COLUMN "seq" ADD GENERATED ALWAYS AS IDENTITY', log_table);
  new_sequence := pg_get_serial_sequence(log_table, 'seq');
  PERFORM setval(new_sequence, last_number, is_called);
  PERFORM "audit_logs_internal"."revoke_all"(new_sequence);
  FOREACH statement IN ARRAY sequence_grants LOOP
    EXECUTE format(statement, "audit_logs_internal"."log_name"(new_sequence));
  END LOOP;

  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY ("id", "timestamp")', log_table, name || '_pkey');
  FOREACH statement IN ARRAY index_definitions || trigger_definitions LOOP
    EXECUTE statement;
  END LOOP;

  IF is_empty THEN
    EXECUTE format('DROP TABLE %s', old_table);
  ELSE
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%L)', log_table, old_table, until);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', old_table, bound);
    PERFORM "audit_logs_internal"."protect_partition"(new_table, log);
    -- Whoever tries to write again what he has no answer about tries for less long than this. Found by the ids, which are
    -- UUIDs of version 7: the index of times knows nothing of the newest blocks.
    EXECUTE 'INSERT INTO "audit_logs_internal"."written_ids" (log, id) ' || format('SELECT %L, id FROM %s
      WHERE "timestamp" > clock_timestamp() - interval ''2 minutes'' AND id >= $1 ON CONFLICT DO NOTHING', log_table, old_table)
    USING (lpad(to_hex(((extract(epoch FROM clock_timestamp()) - 600) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  END IF;
  PERFORM "audit_logs_internal"."create_partitions"(new_table, ahead);
  PERFORM "audit_logs_internal"."make_write"(new_table, name || '_write');
  PERFORM "audit_logs_internal"."make_newest"(new_table, name || '_newest');
  -- the ids of transactions go on as they were
  UPDATE "audit_logs_internal"."eras" AS e SET table_oid = new_table WHERE e.log = log_table AND e.table_oid = partition_log.log;
  RETURN true;
END
$$;
