-- A log that is a table of months: what creates and protects its partitions, what makes a log such a table, and what takes
-- months out of it that are in the archive.
-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions/partitions.

CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";

-- The ids of what audit_logs_write has written to a partitioned log of late. Its key has the time beside the id, so that a
-- second attempt, a moment later, is no conflict there: it is one here. Writing waits for nobody but an attempt at the same ids.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."written_ids" (
  "log"        text        NOT NULL,
  "id"         uuid        NOT NULL,
  "written_at" timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),

  CONSTRAINT "written_ids_pkey" PRIMARY KEY ("id", "log")
);

-- A table with its schema, quoted where needed: how the tables of this schema name a log.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."log_name"(log regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(''%I.%I'', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log
';

-- The partitions of a log in order: from "lower", inclusive, to "upper", exclusive, and whether nobody can change or remove
-- entries by addressing the partition itself. The statement triggers of a partitioned table fire for statements that name it only.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partitions"(log regclass)
RETURNS TABLE (partition regclass, lower timestamptz, upper timestamptz, is_protected boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
  SELECT c.oid, coalesce(substring(bound FROM ''^FOR VALUES FROM \\(''''([^'''']*)''''\\)''), ''-infinity'')::timestamptz AS lower,
    coalesce(substring(bound FROM ''TO \\(''''([^'''']*)''''\\)$''), ''infinity'')::timestamptz,
    -- BEFORE and for each statement: 2, and 16, 8 or 32 for UPDATE, DELETE or TRUNCATE
    (SELECT count(DISTINCT tgtype) = 3 FROM pg_trigger WHERE tgrelid = c.oid AND tgtype IN (18, 10, 34) AND tgenabled = ''A''
      AND tgqual IS NULL AND tgattr = '''' AND tgfoid IN (SELECT tgfoid FROM pg_trigger WHERE tgrelid = log AND tgtype = 34))
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
  WHERE i.inhparent = log AND c.relispartition ORDER BY 2, 1
';

-- Up to when a log has partitions for every moment from now on: what is written then and later is refused. NULL where it has
-- none for now, 'infinity' for a log that is not partitioned.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partitions_end"(log regclass) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  moment timestamptz := clock_timestamp()\073
  covered timestamptz\073
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = ''p'') THEN
    RETURN ''infinity''\073
  END IF\073
  LOOP
    SELECT p.upper INTO moment FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.lower <= moment AND p.upper > moment\073
    EXIT WHEN moment IS NULL\073
    covered := moment\073
  END LOOP\073
  RETURN covered\073
END
';

-- The months from "since" until so many months after the present one that a partitioned log has no partition for, in UTC.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."missing_months"(log regclass, ahead integer, since timestamptz DEFAULT NULL)
RETURNS TABLE (lower timestamptz, upper timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog
SET TimeZone = 'UTC'
AS E'
  SELECT m, m + interval ''1 month''
  FROM date_trunc(''month'', clock_timestamp()) AS present, generate_series(
    least(date_trunc(''month'', since), present), present + ahead * interval ''1 month'', interval ''1 month'') AS m
  -- a default partition takes what no other is for, and is none for a month
  WHERE NOT EXISTS (SELECT FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.lower < m + interval ''1 month'' AND p.upper > m
      AND p.partition <> ALL (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = log))
    AND EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = ''p'')
  ORDER BY 1
';

-- What others than its owner may do with a relation: "privilege" as GRANT takes it, with a column where it is on one only.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."grants"(relation regclass)
RETURNS TABLE (privilege text, grantee text, is_grantable boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT a.privilege_type || a.on_column, CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, a.is_grantable
  FROM pg_class c CROSS JOIN LATERAL (
    SELECT x.*, '''' AS on_column FROM aclexplode(c.relacl) AS x
    UNION ALL
    SELECT x.*, format('' (%I)'', attname) FROM pg_attribute, aclexplode(attacl) AS x WHERE attrelid = c.oid AND NOT attisdropped
  ) AS a
  WHERE c.oid = relation AND a.grantee <> c.relowner
';

-- Takes every privilege on a relation from everybody but its owner.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."revoke_all"(relation regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  grantee text\073
BEGIN
  FOR grantee IN SELECT DISTINCT g.grantee FROM "audit_logs_internal"."grants"(relation) AS g LOOP
    EXECUTE format(''REVOKE ALL ON %s FROM %s'', "audit_logs_internal"."log_name"(relation), grantee)\073
  END LOOP\073
END
';

-- Has others than its owner hold on one relation what they hold on another.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."copy_grants"(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  held record\073
BEGIN
  PERFORM "audit_logs_internal"."revoke_all"(target)\073 -- what default privileges gave
  FOR held IN SELECT * FROM "audit_logs_internal"."grants"(source) LOOP
    EXECUTE format(''GRANT %s ON %s TO %s%s'', held.privilege, "audit_logs_internal"."log_name"(target), held.grantee,
      CASE WHEN held.is_grantable THEN '' WITH GRANT OPTION'' ELSE '''' END)\073
  END LOOP\073
END
';

-- Gives a new table to the owner of the log, where a superuser made it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."give_to_owner"(log regclass, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  owner oid := (SELECT relowner FROM pg_class WHERE oid = log)\073
BEGIN
  IF owner <> (SELECT relowner FROM pg_class WHERE oid = relation::regclass) THEN
    EXECUTE format(''ALTER TABLE %s OWNER TO %I'', relation, pg_get_userbyid(owner))\073
  END IF\073
END
';

-- Protects a partition as the log itself is: the same triggers, which fire ALWAYS, and no privilege for anybody but the owner.
-- Reading and writing by way of the log needs none on its partitions.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."protect_partition"(log regclass, partition regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  name text := "audit_logs_internal"."log_name"(partition)\073
  refusal record\073
BEGIN
  FOR refusal IN
    SELECT t.tgname, CASE t.tgtype WHEN 18 THEN ''UPDATE'' WHEN 10 THEN ''DELETE'' ELSE ''TRUNCATE'' END AS event, t.tgfoid::regproc AS refuses
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgrelid = log AND t.tgtype IN (18, 10, 34) AND starts_with(t.tgname, c.relname || ''_refuse_'')
  LOOP
    EXECUTE format(''CREATE OR REPLACE TRIGGER %I BEFORE %s ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()'',
      refusal.tgname, refusal.event, name, refusal.refuses)\073
    EXECUTE format(''ALTER TABLE %s ENABLE ALWAYS TRIGGER %I'', name, refusal.tgname)\073
  END LOOP\073
  PERFORM "audit_logs_internal"."revoke_all"(partition)\073
END
';

-- Creates the partition of a month, whole before it is attached: attaching does not make writers wait, as creating it in its
-- place would.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_partition"(log regclass, lower timestamptz, upper timestamptz) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  partition text := (SELECT format(''%I.%I'', n.nspname, c.relname || to_char(lower, ''_YYYY_MM''))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
BEGIN
  EXECUTE format(''CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)'', partition, log_table)\073
  PERFORM "audit_logs_internal"."give_to_owner"(log, partition)\073
  PERFORM "audit_logs_internal"."protect_partition"(log, partition)\073
  BEGIN
    EXECUTE format(''ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)'', log_table, partition, lower, upper)\073
  EXCEPTION WHEN check_violation THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA006'',
      MESSAGE = format(''the default partition %s has entries of %s, so the month can''''t be created'', (SELECT "audit_logs_internal"."log_name"(partdefid)
        FROM pg_partitioned_table WHERE partrelid = log), to_char(lower, ''YYYY-MM'')),
      HINT = ''Put its entries into months, as docs/partitions.md says.''\073
  END\073
  RETURN partition\073
END
';

-- Creates the partitions that a log lacks until so many months after the present one, and from "since" on, and protects those
-- that others created. Gives the names of both. One at a time does so, and writers do not wait.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_partitions"(log regclass, ahead integer, since timestamptz DEFAULT NULL)
RETURNS TABLE (partition text, is_new boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = ''p'') THEN
    RETURN\073
  END IF\073
  EXECUTE format(''LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE'', "audit_logs_internal"."log_name"(log))\073
  RETURN QUERY SELECT "audit_logs_internal"."create_partition"(log, m.lower, m.upper), true
    FROM "audit_logs_internal"."missing_months"(log, ahead, since) AS m\073
  RETURN QUERY SELECT "audit_logs_internal"."log_name"(p.partition), false
    FROM "audit_logs_internal"."partitions"(log) AS p
    CROSS JOIN LATERAL "audit_logs_internal"."protect_partition"(log, p.partition)
    WHERE NOT p.is_protected\073
END
';

-- Makes the function that gives the newest entries of one record, actor, action or organization of a log of months, with the caller's
-- privileges. A session keeps its plans: with many partitions, planning takes far longer than reading, and most clients have
-- each statement planned anew.
--
-- by, key: what the entries have in common, "record", "actor", "action" or "organization", and its value. A record has two: type and id
-- patterns, of_outcome, of_actor, of_organization: what they have to meet besides, each NULL for any
-- edges: moments from the newest to the oldest, the beginnings of months but for the first and the last. It reads from one to the
--   next, until there are enough entries
-- reads_from: from when on there may be reads of several records that name the record among others
-- before, before_seq: only entries before this place in the order of time
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_newest"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  newest text := (SELECT format(''%I.%I'', n.nspname, make_newest.name) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  columns text := ''id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
    request_id, ip, user_agent, organization_id, seq, transaction_id''\073
  -- the row type of the table itself would keep anybody from dropping it
  types text := ''id uuid, "timestamp" timestamptz, action varchar, actor_id varchar, actor_type varchar, actor_email varchar,
    resource_type varchar, resource_id varchar, outcome varchar, reason text, details jsonb, request_id varchar, ip inet, user_agent text,
    organization_id varchar, seq bigint, transaction_id bigint''\073
  -- what differs from call to call but for the key and the time is checked on top: each partition''s part of a plan costs. A limit that
  -- is NULL is none, but has the planner expect to stop early: to read all of a busy actor it would sort, rather than follow the index
  entries text := format(
$body$(SELECT * FROM (
          SELECT %s FROM %s AS l
          WHERE %%s AND "timestamp" >= %%s AND "timestamp" < %%s ORDER BY "timestamp" DESC, seq DESC LIMIT no_limit
        ) AS l
        WHERE ("timestamp" < before OR seq < before_seq)
          AND (patterns IS NULL OR action LIKE ANY (patterns)) AND (of_outcome IS NULL OR outcome = of_outcome)
          AND (of_actor IS NULL OR actor_id = of_actor) AND (of_organization IS NULL OR organization_id = of_organization)
        LIMIT missing)$body$, columns, replace(log_table, ''%'', ''%%''))\073
  own text := format(entries, ''resource_type = key[1] AND resource_id = key[2]'', ''lower'', ''upper'')\073
  -- the first two conditions are those of the index
  read text := format(entries, $condition$resource_type = key[1] AND resource_id IS NULL AND action LIKE ''%.read''
          AND jsonb_set(''{}'', ARRAY[resource_type::text], details -> ''ids'') @> reading$condition$, ''greatest(lower, reads_from)'', ''upper'')\073
BEGIN
  EXECUTE format(
    -- without plans for single values, compilation, which takes seconds for many partitions, and reading months as a whole
    ''CREATE OR REPLACE FUNCTION %s(by text, key text[], patterns text[], of_outcome text, of_actor text, of_organization text,
      edges timestamptz[], reads_from timestamptz, before timestamptz, before_seq bigint, count bigint)
    RETURNS TABLE (%s) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off AS %L'', newest, types, format(
$body$
#variable_conflict use_column
DECLARE
  reading jsonb := jsonb_build_object(key[1], jsonb_build_array(key[2]))\073
  missing bigint := count\073
  no_limit bigint\073
  lower timestamptz\073
  upper timestamptz\073
  given bigint\073
BEGIN
  FOR edge IN 2..cardinality(edges) LOOP
    lower := edges[edge]\073
    upper := least(edges[edge - 1], before + interval ''1 microsecond'')\073
    CONTINUE WHEN lower >= upper\073
    CASE by
      WHEN ''record'' THEN
        IF reads_from < upper THEN
          RETURN QUERY SELECT * FROM (%s UNION ALL %s) AS l ORDER BY "timestamp" DESC, seq DESC LIMIT missing\073
        ELSE
          RETURN QUERY %s\073
        END IF\073
      WHEN ''actor'' THEN
        RETURN QUERY %s\073
      WHEN ''action'' THEN
        RETURN QUERY %s\073
      WHEN ''organization'' THEN
        RETURN QUERY %s\073
    END CASE\073
    GET DIAGNOSTICS given = ROW_COUNT\073
    missing := missing - given\073
    EXIT WHEN missing <= 0\073
  END LOOP\073
END
$body$, own, read, own,
    format(entries, ''actor_id = key[1]'', ''lower'', ''upper''), format(entries, ''action = key[1]'', ''lower'', ''upper''),
    format(entries, ''organization_id = key[1]'', ''lower'', ''upper'')))\073
END
';

-- Refuses to partition a log that others have tied to its table: what they made would go on pointing to the old table.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."refuse_unfit"(log regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  obstacles text := (
    SELECT string_agg(DISTINCT description, '', '') FROM (
      SELECT format(''the view %s'', "audit_logs_internal"."log_name"(r.ev_class)) AS description
      FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = ''pg_rewrite''::regclass AND d.refclassid = ''pg_class''::regclass AND d.refobjid = log AND r.ev_class <> log
      UNION ALL SELECT format(''the rule %I'', rulename) FROM pg_rewrite WHERE ev_class = log
      UNION ALL SELECT format(''the policy %I'', polname) FROM pg_policy WHERE polrelid = log
      UNION ALL SELECT format(''the foreign key %I of %s'', conname, "audit_logs_internal"."log_name"(conrelid))
        FROM pg_constraint WHERE contype = ''f'' AND log IN (conrelid, confrelid)
      UNION ALL SELECT format(''the unique index %I'', relname) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
        WHERE indrelid = log AND indisunique AND NOT indisprimary AND indisvalid AND relname NOT LIKE ''%\\_partition\\_key''
      UNION ALL SELECT format(''the inheritance of %s'', "audit_logs_internal"."log_name"(inhrelid)) FROM pg_inherits WHERE log IN (inhparent, inhrelid)
      UNION ALL SELECT format(''the publication %I'', pubname) FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid WHERE prrelid = log
      UNION ALL SELECT ''the subscription that writes to it'' FROM pg_subscription_rel WHERE srrelid = log
      UNION ALL SELECT format(''the trigger %I with transition tables'', tgname) FROM pg_trigger
        WHERE tgrelid = log AND tgtype & 1 = 1 AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
    ) AS o)\073
BEGIN
  IF obstacles IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA006'',
      MESSAGE = format(''the log %s cannot be partitioned: %s would be left at the old table'', "audit_logs_internal"."log_name"(log), obstacles),
      HINT = ''Drop these, partition the log, and create them again.''\073
  END IF\073
END
';

-- Locks a log against everybody, for the moment in which it becomes partitioned. Whoever writes waits behind a lock that is
-- waited for, so it is waited for only briefly at a time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."lock_for_partitioning"(log regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
SET lock_timeout = '200ms'
AS E'
BEGIN
  FOR attempt IN 1..150 LOOP
    BEGIN
      EXECUTE format(''LOCK TABLE %s IN ACCESS EXCLUSIVE MODE'', "audit_logs_internal"."log_name"(log))\073
      RETURN\073
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.2)\073
    END\073
  END LOOP\073
  RAISE EXCEPTION USING
    ERRCODE = ''55P03'',
    MESSAGE = format(''the log %s cannot be locked: a transaction that has used it does not end'', "audit_logs_internal"."log_name"(log)),
    HINT = ''Look for long transactions in pg_stat_activity, and try again. Nothing was changed.''\073
END
';

-- Says how far the entries of a log reach that is about to be partitioned, by a CHECK that is still to be validated: until the
-- end of a month that has two days left at least, and that comes after all there is. Gives the moment.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."bound_log"(log regclass, newest timestamptz) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  bound text := (SELECT relname || ''_partition_bound'' FROM pg_class WHERE oid = log)\073
  until timestamptz := date_trunc(''month'', greatest(clock_timestamp() + interval ''2 days'', newest)) + interval ''1 month''\073
BEGIN
  PERFORM "audit_logs_internal"."refuse_unfit"(log)\073
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log)\073
  EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I'', log_table, bound)\073
  EXECUTE format(''ALTER TABLE %s ADD CONSTRAINT %I CHECK ("timestamp" < %L) NOT VALID'', log_table, bound, until)\073
  RETURN until\073
END
';

-- Makes a log a table of months, in one transaction: its table becomes the partition for all before the next month, or is
-- dropped where it never had an entry, and a new table takes its place, with the same name, privileges, indexes and triggers.
-- "seq" goes on. Where a validated CHECK says how far the entries reach, and a unique index has the new key, this takes a
-- moment. Else both are made here, while everybody waits, and so a large log is refused.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partition_log"(log regclass, ahead integer DEFAULT 12) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  schema_name text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  name text := (SELECT relname FROM pg_class WHERE oid = log)\073
  key_index text := name || ''_partition_key''\073
  bound text := name || ''_partition_bound''\073
  bounded boolean := EXISTS (SELECT FROM pg_constraint WHERE conrelid = log AND conname = bound AND convalidated)\073
  keyed boolean := EXISTS (SELECT FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = log AND relname = key_index AND indisvalid)\073
  number_sequence regclass := pg_get_serial_sequence(log_table, ''seq'')\073
  old_name text\073
  old_table text\073
  new_table regclass\073
  new_sequence regclass\073
  last_number bigint\073
  is_called boolean\073
  is_empty boolean\073
  until timestamptz\073
  sequence_grants text[]\073
  index_definitions text[] := ARRAY[]::text[]\073
  trigger_definitions text[] := ARRAY[]::text[]\073
  found_one record\073
  statement text\073
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = log) = ''p'' THEN
    RETURN false\073
  END IF\073
  PERFORM "audit_logs_internal"."refuse_unfit"(log)\073
  IF NOT (bounded AND keyed) AND pg_relation_size(log) > 1e9 THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA006'',
      MESSAGE = format(''the log %s is large: to partition it here would have everybody wait for long'', log_table),
      HINT = ''Run "npx prisma-extension-audit partition --convert" with its database, which lets others go on. Then this has nothing to do.''\073
  END IF\073
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log)\073

  -- nobody writes from here on
  is_empty := pg_relation_size(log) = 0\073
  EXECUTE format(''SELECT last_value, is_called FROM %s'', number_sequence) INTO last_number, is_called\073
  until := date_trunc(''month'', clock_timestamp()) + interval ''1 month''\073
  IF bounded THEN
    until := (SELECT substring(pg_get_constraintdef(oid) FROM ''''''([^'''']*)'''''')::timestamptz FROM pg_constraint WHERE conrelid = log AND conname = bound)\073
  ELSIF NOT is_empty THEN
    EXECUTE format(''SELECT greatest($1, date_trunc(''''month'''', max("timestamp")) + interval ''''1 month'''') FROM %s'', log_table) INTO until USING until\073
  END IF\073
  old_name := name || to_char(until, ''_"before"_YYYY_MM'')\073
  old_table := format(''%s.%I'', schema_name, old_name)\073

  FOR found_one IN
    SELECT c.relname, pg_get_indexdef(c.oid) AS definition, row_number() OVER (ORDER BY c.oid) AS position
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = log AND NOT indisprimary AND indisvalid AND c.relname <> key_index
  LOOP
    index_definitions := index_definitions || found_one.definition\073
    EXECUTE format(''ALTER INDEX %s.%I RENAME TO %I'', schema_name, found_one.relname, old_name || ''_idx'' || found_one.position)\073
  END LOOP\073
  FOR found_one IN
    SELECT tgname, pg_get_triggerdef(oid) AS definition, tgtype & 1 = 1 AS is_for_rows,
      CASE tgenabled WHEN ''A'' THEN ''ENABLE ALWAYS'' WHEN ''R'' THEN ''ENABLE REPLICA'' WHEN ''D'' THEN ''DISABLE'' ELSE ''ENABLE'' END AS enabling
    FROM pg_trigger WHERE tgrelid = log AND NOT tgisinternal
  LOOP
    trigger_definitions := trigger_definitions || found_one.definition
      || format(''ALTER TABLE %s %s TRIGGER %I'', log_table, found_one.enabling, found_one.tgname)\073
    IF found_one.is_for_rows THEN -- attaching makes it again
      EXECUTE format(''DROP TRIGGER %I ON %s'', found_one.tgname, log_table)\073
    END IF\073
  END LOOP\073

  EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT %I'', log_table, (SELECT conname FROM pg_constraint WHERE conrelid = log AND contype = ''p''))\073
  EXECUTE format(''ALTER TABLE %s RENAME TO %I'', log_table, old_name)\073
  EXECUTE format(''ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY %s'', old_table, old_name || ''_pkey'',
    CASE WHEN keyed THEN format(''USING INDEX %I'', key_index) ELSE ''("id", "timestamp")'' END)\073

  EXECUTE format(''CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE ("timestamp")'',
    log_table, old_table)\073
  new_table := log_table::regclass\073
  PERFORM "audit_logs_internal"."give_to_owner"(log, log_table)\073
  PERFORM "audit_logs_internal"."copy_grants"(log, new_table)\073
  EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I'', log_table, bound)\073

  -- a partition must not have numbers of its own
  sequence_grants := ARRAY(SELECT format(''GRANT %s ON %%s TO %s%s'', privilege, grantee, CASE WHEN is_grantable THEN '' WITH GRANT OPTION'' ELSE '''' END)
    FROM "audit_logs_internal"."grants"(number_sequence))\073
  EXECUTE format(''ALTER TABLE %s ALTER COLUMN "seq" DROP IDENTITY'', old_table)\073
  EXECUTE format(''ALTER TABLE %s ALTER COLUMN "seq" ADD GENERATED ALWAYS AS IDENTITY'', log_table)\073
  new_sequence := pg_get_serial_sequence(log_table, ''seq'')\073
  PERFORM setval(new_sequence, last_number, is_called)\073
  PERFORM "audit_logs_internal"."revoke_all"(new_sequence)\073
  FOREACH statement IN ARRAY sequence_grants LOOP
    EXECUTE format(statement, "audit_logs_internal"."log_name"(new_sequence))\073
  END LOOP\073

  EXECUTE format(''ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY ("id", "timestamp")'', log_table, name || ''_pkey'')\073
  FOREACH statement IN ARRAY index_definitions || trigger_definitions LOOP
    EXECUTE statement\073
  END LOOP\073

  IF is_empty THEN
    EXECUTE format(''DROP TABLE %s'', old_table)\073
  ELSE
    EXECUTE format(''ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%L)'', log_table, old_table, until)\073
    EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I'', old_table, bound)\073
    PERFORM "audit_logs_internal"."protect_partition"(new_table, log)\073
    -- Whoever tries to write again what he has no answer about tries for less long than this. Found by the ids, which are
    -- UUIDs of version 7: the index of times knows nothing of the newest blocks.
    EXECUTE ''INSERT INTO "audit_logs_internal"."written_ids" (log, id) '' || format(''SELECT %L, id FROM %s
      WHERE "timestamp" > clock_timestamp() - interval ''''2 minutes'''' AND id >= $1 ON CONFLICT DO NOTHING'', log_table, old_table)
    USING (lpad(to_hex(((extract(epoch FROM clock_timestamp()) - 600) * 1000)::bigint), 12, ''0'') || repeat(''0'', 20))::uuid\073
  END IF\073
  PERFORM "audit_logs_internal"."create_partitions"(new_table, ahead)\073
  PERFORM "audit_logs_internal"."make_write"(new_table, name || ''_write'')\073
  PERFORM "audit_logs_internal"."make_newest"(new_table, name || ''_newest'')\073
  -- the ids of transactions go on as they were
  UPDATE "audit_logs_internal"."eras" AS e SET table_oid = new_table WHERE e.log = log_table AND e.table_oid = partition_log.log\073
  RETURN true\073
END
';

-- What of a log is also in its archive, a row for each partition: written once all of it was read back from there.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."archives" (
  "log"            text        NOT NULL,
  -- the bounds of the partition
  "lower"          timestamptz NOT NULL,
  "upper"          timestamptz NOT NULL,
  -- what is in the archive
  "entries"        bigint      NOT NULL,
  "seq_sum"        numeric     NOT NULL,
  -- what of it is in the table: only the partition that has exactly this may be replaced or dropped
  "online_entries" bigint      NOT NULL,
  "online_seq_sum" numeric     NOT NULL,
  "location"       text        NOT NULL,
  -- what each attempt has stored: its manifest, where that is, and its digest
  "manifests"      jsonb       NOT NULL,
  "archived_at"    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  -- when something of it left the table, NULL while all of it is there
  "retired_at"     timestamptz,

  CONSTRAINT "archives_pkey" PRIMARY KEY ("log", "upper")
);

-- Whether an entry stays in the table. A rule has a resource, an organization, or both, and whether what it matches stays: of
-- several that match, one that has it stay is enough. What none matches stays if "others_stay".
CREATE OR REPLACE FUNCTION "audit_logs_internal"."stays"(resource text, organization text, rules jsonb, others_stay boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS E'
  SELECT coalesce(bool_or(r.stays), others_stay)
  FROM jsonb_to_recordset(rules) AS r(resource text, organization text, stays boolean)
  WHERE (r.resource IS NULL OR r.resource = stays.resource) AND (r.organization IS NULL OR r.organization = stays.organization)
';

-- Creates a table as the partitions of a log are, with the same indexes, that is not attached: what takes the place of a
-- partition is filled first. Gives its name.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_beside"(log regclass, suffix text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  beside text := (SELECT format(''%I.%I'', n.nspname, c.relname || ''_'' || suffix)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
BEGIN
  EXECUTE format(''DROP TABLE IF EXISTS %s'', beside)\073 -- of an attempt that was ended
  EXECUTE format(''CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING STATISTICS)'', beside, "audit_logs_internal"."log_name"(log))\073
  PERFORM "audit_logs_internal"."give_to_owner"(log, beside)\073
  PERFORM "audit_logs_internal"."revoke_all"(beside::regclass)\073
  RETURN beside\073
END
';

-- Puts a table in the place of a partition, under its name, or nothing. Writers wait for a moment. The partition is dropped with
-- what is in it. Whoever calls this holds a lock that keeps others from writing to it, and knows that its entries are elsewhere.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."replace_partition"(
  log regclass, partition regclass, beside regclass, lower timestamptz, upper timestamptz
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  name text := (SELECT relname FROM pg_class WHERE oid = partition)\073
  old_table text := "audit_logs_internal"."log_name"(partition)\073
  bound text := CASE WHEN lower = ''-infinity'' THEN ''MINVALUE'' ELSE quote_literal(lower) END\073
BEGIN
  IF beside IS NOT NULL THEN
    PERFORM "audit_logs_internal"."protect_partition"(log, beside)\073
    -- attaching believes it, and so does not read all entries while everybody waits
    EXECUTE format(''ALTER TABLE %s ADD CONSTRAINT "partition_bounds" CHECK ("timestamp" IS NOT NULL AND "timestamp" < %L%s)'',
      "audit_logs_internal"."log_name"(beside), upper, CASE WHEN lower = ''-infinity'' THEN '''' ELSE format('' AND "timestamp" >= %L'', lower) END)\073
  END IF\073
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log)\073
  IF partition IS NOT NULL THEN
    EXECUTE format(''ALTER TABLE %s DETACH PARTITION %s'', log_table, old_table)\073
    EXECUTE format(''DROP TABLE %s'', old_table)\073
  END IF\073
  IF beside IS NOT NULL THEN
    EXECUTE format(''ALTER TABLE %s RENAME TO %I'', "audit_logs_internal"."log_name"(beside),
      coalesce(name, (SELECT relname FROM pg_class WHERE oid = log)
        || CASE WHEN lower = ''-infinity'' THEN to_char(upper, ''_"before"_YYYY_MM'') ELSE to_char(lower, ''_YYYY_MM'') END))\073
    EXECUTE format(''ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%L)'',
      log_table, "audit_logs_internal"."log_name"(beside), bound, upper)\073
    EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT "partition_bounds"'', "audit_logs_internal"."log_name"(beside))\073
  END IF\073
END
';

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
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  archived record\073
  found_entries bigint\073
  found_sum numeric\073
  staying bigint\073
  staying_sum numeric\073
  lowest bigint\073
  highest bigint\073
  beside text\073
  columns text := (SELECT string_agg(quote_ident(attname), '', '' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = log AND attnum > 0 AND NOT attisdropped)\073
BEGIN
  SELECT * INTO archived FROM "audit_logs_internal"."archives" AS a
  WHERE a.log = log_table AND a.upper = retire_partition.upper FOR UPDATE\073 -- one at a time
  IF archived IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = ''ZA007'', MESSAGE = format(''nothing of the partition %s is in the archive'', partition)\073
  END IF\073
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."partitions"(log) AS p
    WHERE "audit_logs_internal"."log_name"(p.partition) = retire_partition.partition AND p.upper = retire_partition.upper) THEN
    RETURN NULL\073
  END IF\073
  EXECUTE format(''LOCK TABLE ONLY %s IN SHARE MODE'', partition)\073 -- nobody adds to it from here on
  EXECUTE format(''SELECT count(*), coalesce(sum(seq), 0), count(*) FILTER (WHERE s), coalesce(sum(seq) FILTER (WHERE s), 0),
      min(seq) FILTER (WHERE NOT s), max(seq) FILTER (WHERE NOT s)
    FROM (SELECT seq, "audit_logs_internal"."stays"(resource_type, organization_id, $1, $2) AS s FROM ONLY %s) AS e'', partition)
  INTO found_entries, found_sum, staying, staying_sum, lowest, highest USING rules, others_stay\073
  IF (found_entries, found_sum) IS DISTINCT FROM (archived.online_entries, archived.online_seq_sum) THEN
    RAISE EXCEPTION USING ERRCODE = ''ZA007'',
      MESSAGE = format(''the partition %s has %s entries, and %s of them were read back from the archive'', partition, found_entries, archived.online_entries)\073
  END IF\073
  IF staying = found_entries AND found_entries > 0 THEN
    RETURN NULL\073
  END IF\073
  IF staying > 0 THEN
    beside := "audit_logs_internal"."create_beside"(log, ''staying'')\073
    EXECUTE format(''INSERT INTO %s (%s) SELECT %s FROM ONLY %s AS e
      WHERE "audit_logs_internal"."stays"(e.resource_type, e.organization_id, $1, $2) ORDER BY "timestamp", seq'', beside, columns, columns, partition)
    USING rules, others_stay\073
  END IF\073
  PERFORM "audit_logs_internal"."replace_partition"(log, partition::regclass, beside::regclass, archived.lower, archived.upper)\073
  PERFORM "audit_logs_internal"."record_own"(log_table, ''auditLog.retire'', partition, jsonb_build_object(
    ''range'', jsonb_build_object(''from'', nullif(archived.lower, ''-infinity''), ''to'', archived.upper),
    ''entries'', found_entries - staying, ''staying'', staying,
    ''seq'', jsonb_build_object(''lowest'', lowest::text, ''highest'', highest::text), ''why'', reason,
    ''archive'', jsonb_build_object(''location'', archived.location, ''manifests'',
      (SELECT jsonb_agg(m -> ''reference'' || jsonb_build_object(''entries'', m -> ''manifest'' -> ''entries'', ''content'', m -> ''manifest'' -> ''content'') ORDER BY n)
        FROM jsonb_array_elements(archived.manifests) WITH ORDINALITY AS e(m, n)))))\073
  UPDATE "audit_logs_internal"."archives" AS a SET online_entries = staying, online_seq_sum = staying_sum,
    retired_at = coalesce(a.retired_at, clock_timestamp())
  WHERE a.log = log_table AND a.upper = retire_partition.upper\073
  RETURN found_entries - staying\073
END
';

-- Brings back into the table what is in the archive of a partition, from a table beside the log that was filled from there: it
-- has to have exactly what was archived, and what stayed in the log is part of that. Recorded by an entry, in the same transaction.
-- What was erased meanwhile is erased again before anybody sees it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."restore_partition"(log regclass, beside text, upper timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  archived record\073
  restored regclass := beside::regclass\073 -- its name changes
  partition text\073
  found_entries bigint := 0\073
  found_sum numeric := 0\073
  beside_entries bigint\073
  beside_sum numeric\073
  can_erase constant boolean := to_regclass(''"audit_logs_internal"."erasures"'') IS NOT NULL\073 -- the log''s next migration
  later jsonb\073
  erased jsonb\073
BEGIN
  IF can_erase THEN
    LOCK TABLE "audit_logs_internal"."erasing" IN SHARE ROW EXCLUSIVE MODE\073 -- others erase before, or afterwards
    later := (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.ordinality)
      FROM "audit_logs_internal"."erased_since"(log_table, restored) WITH ORDINALITY AS s)\073
  END IF\073
  SELECT * INTO archived FROM "audit_logs_internal"."archives" AS a
  WHERE a.log = log_table AND a.upper = restore_partition.upper FOR UPDATE\073
  SELECT "audit_logs_internal"."log_name"(p.partition) INTO partition
  FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.upper = restore_partition.upper AND p.lower = archived.lower\073
  IF partition IS NOT NULL THEN
    EXECUTE format(''LOCK TABLE ONLY %s IN SHARE MODE'', partition)\073
    EXECUTE format(''SELECT count(*), coalesce(sum(seq), 0) FROM ONLY %s'', partition) INTO found_entries, found_sum\073
  END IF\073
  EXECUTE format(''SELECT count(*), coalesce(sum(seq), 0) FROM %s'', beside) INTO beside_entries, beside_sum\073
  IF (found_entries, found_sum) IS DISTINCT FROM (archived.online_entries, archived.online_seq_sum)
    OR (beside_entries, beside_sum) IS DISTINCT FROM (archived.entries, archived.seq_sum) THEN
    RAISE EXCEPTION USING ERRCODE = ''ZA007'',
      MESSAGE = format(''%s of %s entries came from the archive, and the log has %s that are not in it'', beside_entries, archived.entries,
        found_entries - archived.online_entries)\073
  END IF\073
  PERFORM "audit_logs_internal"."replace_partition"(log, partition::regclass, restored, archived.lower, archived.upper)\073
  PERFORM "audit_logs_internal"."record_own"(log_table, ''auditLog.restore'', "audit_logs_internal"."log_name"(restored), jsonb_build_object(
    ''range'', jsonb_build_object(''from'', nullif(archived.lower, ''-infinity''), ''to'', archived.upper), ''entries'', beside_entries - found_entries))\073
  FOR erased IN SELECT jsonb_array_elements(later) LOOP
    PERFORM "audit_logs_internal"."erase_entries"(log, jsonb_build_object(''entries'', erased -> ''entries''), erased ->> ''reason'',
      ARRAY(SELECT jsonb_array_elements_text(erased -> ''fields'')), erased -> ''keys'', "audit_logs_internal"."attribution"())\073
  END LOOP\073
  UPDATE "audit_logs_internal"."archives" AS a SET online_entries = a.entries, online_seq_sum = a.seq_sum, retired_at = NULL
  WHERE a.log = log_table AND a.upper = restore_partition.upper\073
  RETURN beside_entries - found_entries\073
END
';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;

-- Where somebody has partitioned the log himself already.
SELECT "audit_logs_internal"."make_write"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_write');
SELECT "audit_logs_internal"."make_newest"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_newest');

CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT 5';
