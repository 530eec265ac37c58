-- Erasing personal values from entries: one function that tells of what it does, and triggers that let exactly that through.
-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions/erasure.

-- What the transaction that erases may change: entries as they are to be, of which "hash" is the SHA-256. Empty outside of it.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."erasing" (
  "log"            text    NOT NULL,
  "transaction_id" bigint  NOT NULL,
  "id"             uuid    NOT NULL,
  "seq"            bigint  NOT NULL,
  "actor_id"       text    NOT NULL,
  "actor_email"    text,
  "resource_id"    text,
  "reason"         text,
  "details"        jsonb,
  "ip"             inet,
  "user_agent"     text,
  "is_changed"     boolean NOT NULL,
  -- where its leaf stands, null where it is not sealed
  "first_leaf"     bigint,
  "leaf"           integer,
  -- the entry auditLog.erase that tells of it
  "entry"          uuid,
  "hash"           text,

  CONSTRAINT "erasing_pkey" PRIMARY KEY ("transaction_id", "log", "id")
);

-- The canonical form of an entry: docs/seals.md, "Canonical form of an entry".
CREATE OR REPLACE FUNCTION "audit_logs_internal"."entry_form"(
  id uuid, "timestamp" timestamptz, action text, actor_id text, actor_type text, actor_email text, resource_type text, resource_id text,
  outcome text, reason text, details jsonb, request_id text, ip inet, user_agent text, organization_id text, seq bigint, transaction_id bigint
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT array_to_json(ARRAY[
    id::text,
    CASE WHEN "timestamp" >= ''0001-01-01 00:00:00Z'' AND "timestamp" < ''infinity''
      THEN to_char("timestamp" AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')
      ELSE to_json("timestamp" AT TIME ZONE ''UTC'') #>> ''{}'' END,
    action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details::text, request_id,
    abbrev(ip), user_agent, organization_id, seq::text, transaction_id::text
  ])::text
';

-- The name of the log that a table is, or is a partition of.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."root_name"(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT "audit_logs_internal"."log_name"(coalesce(pg_partition_root(relation), relation))
';

-- Whether this transaction may change entries of a log: it has said which ones, and an entry auditLog.erase of its own tells of
-- each, with the hash of what it will be. So nobody erases unseen, whatever he may write to the tables here.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_erasing"(log regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  log_table text := "audit_logs_internal"."root_name"(log)\073
  transaction bigint := pg_current_xact_id()::text::bigint\073
  is_told boolean\073
BEGIN
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND e.log = log_table) THEN
    RETURN false\073
  END IF\073
  EXECUTE format(
    ''WITH told AS MATERIALIZED (
      SELECT l.id AS entry, t.key::uuid AS id, t.value AS hash FROM %s AS l CROSS JOIN LATERAL jsonb_each_text(l.details -> ''''erased'''') AS t
      WHERE l.id IN (SELECT DISTINCT entry FROM "audit_logs_internal"."erasing" WHERE transaction_id = $1 AND log = $2)
        AND l.action = ''''auditLog.erase'''' AND l.resource_type = ''''auditLog'''' AND l.outcome = ''''success'''' AND l.transaction_id = $1
    )
    SELECT NOT EXISTS (
      SELECT entry, id, hash FROM "audit_logs_internal"."erasing" WHERE transaction_id = $1 AND log = $2
      EXCEPT SELECT entry, id, hash FROM told)'', log_table)
  INTO is_told USING transaction, log_table\073
  RETURN is_told\073
END
';

-- A record of "before" or "after" without its values. Null stays null.
--
-- names: the fields to erase. NULL: all but those in "kept"
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_record"(record jsonb, names text[], kept jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE jsonb_typeof(record)
    WHEN ''object'' THEN (
      SELECT coalesce(jsonb_object_agg(key, CASE
        WHEN value = ''null'' OR NOT coalesce(key = ANY (names), NOT kept ? key, true) THEN value
        ELSE ''"[erased]"'' END), ''{}'')
      FROM jsonb_each(record))
    WHEN ''null'' THEN record
    ELSE CASE WHEN names IS NULL THEN ''"[erased]"'' ELSE record END
  END
';

-- The details of an entry without personal values: null stays null. Details that are no object, which only SQL writes, become one
-- with the key "value", as the erasure has to be noted in them.
--
-- names: what to erase, fields of records and keys of the details, "target.id" among them. NULL: all but what an entry of
--   its kind needs to be understood
-- kept: the fields of records that stay where no names are given: their key
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_details"(details jsonb, verb text, names text[], kept jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE WHEN details IS NOT NULL THEN (
    SELECT coalesce(jsonb_object_agg(key, CASE
      WHEN value = ''null'' THEN value
      WHEN key = ''erasure'' AND jsonb_typeof(value) = ''object'' THEN value
      WHEN key IN (''before'', ''after'') THEN "audit_logs_internal"."erased_record"(value, names, kept)
      WHEN key = ''target'' AND jsonb_typeof(value) = ''object'' AND ''target.id'' = ANY (names) THEN value || ''{"id": "[erased]"}''
      WHEN key = ANY (names) THEN ''"[erased]"''
      WHEN names IS NOT NULL THEN value
      WHEN key IN (''operation'', ''revertOf'', ''cause'')
        AND verb IN (''create'', ''update'', ''upsert'', ''delete'', ''connect'', ''disconnect'', ''truncate'', ''read'', ''execute'', ''commit'') THEN value
      WHEN key = ''source'' AND jsonb_typeof(value) = ''object'' THEN "audit_logs_internal"."erased_record"(value, NULL, ''["role"]'')
      WHEN verb IN (''create'', ''update'', ''delete'') AND key = ''changed'' THEN value
      WHEN verb IN (''connect'', ''disconnect'') AND key IN (''relation'', ''target'') THEN value
      WHEN verb = ''truncate'' AND key IN (''rows'', ''estimated'', ''partition'') THEN value
      WHEN verb = ''read'' AND key IN (''ids'', ''count'', ''fields'', ''via'') THEN value
      ELSE ''"[erased]"'' END), ''{}'')
    FROM jsonb_each(CASE jsonb_typeof(details) WHEN ''object'' THEN details ELSE jsonb_build_object(''value'', details) END)) END
';

-- Salts without those of the entries that this transaction erases: zeros take their place.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_salts"(log text, first_leaf bigint, salts bytea) RETURNS bytea
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  erased bytea := salts\073
  place integer\073
BEGIN
  FOR place IN
    SELECT e.leaf FROM "audit_logs_internal"."erasing" AS e
    WHERE e.transaction_id = pg_current_xact_id()::text::bigint AND e.log = erased_salts.log AND e.first_leaf = erased_salts.first_leaf
  LOOP
    erased := overlay(erased PLACING decode(repeat(''00'', 16), ''hex'') FROM place * 16 + 1)\073
  END LOOP\073
  RETURN erased\073
END
';

-- Salts are append-only, too, but for those of entries that are being erased: see is_erasing.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."refuse_salt_change"() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  IF TG_LEVEL = ''STATEMENT'' THEN
    IF (SELECT bool_and("audit_logs_internal"."is_erasing"(e.log::regclass)) FROM (
      SELECT DISTINCT log FROM "audit_logs_internal"."erasing" WHERE transaction_id = pg_current_xact_id()::text::bigint) AS e)
    THEN
      RETURN NULL\073
    END IF\073
  ELSIF NEW.log = OLD.log AND NEW.first_leaf = OLD.first_leaf
    AND NEW.salts = "audit_logs_internal"."erased_salts"(OLD.log, OLD.first_leaf, OLD.salts)
  THEN
    RETURN NEW\073
  END IF\073
  RAISE EXCEPTION USING
    ERRCODE = ''ZA006'',
    MESSAGE = format(''%s on %I.%I is refused: seals are append-only'', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = ''Only erasing an entry erases its salt.''\073
END
';

CREATE OR REPLACE TRIGGER "refuse_change" BEFORE DELETE OR TRUNCATE ON "audit_logs_internal"."seal_salts"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_update" BEFORE UPDATE ON "audit_logs_internal"."seal_salts"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_salt_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_update";
CREATE OR REPLACE TRIGGER "refuse_other_change" BEFORE UPDATE ON "audit_logs_internal"."seal_salts"
  FOR EACH ROW EXECUTE FUNCTION "audit_logs_internal"."refuse_salt_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_other_change";

-- The log is append-only for everyone, the owner of the table included. What an erasure has told of goes through, and nothing else
-- does: exactly these entries, exactly as it said that they will be. It runs with its owner's privileges, as others may not look that up.
CREATE OR REPLACE FUNCTION "audit_logs_immutable"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS E'
BEGIN
  IF TG_OP = ''UPDATE'' AND TG_LEVEL = ''STATEMENT'' THEN
    IF "audit_logs_internal"."is_erasing"(TG_RELID) THEN
      RETURN NULL\073
    END IF\073
  ELSIF TG_OP = ''UPDATE'' THEN
    IF (NEW.id, NEW."timestamp", NEW.action, NEW.actor_type, NEW.resource_type, NEW.outcome, NEW.request_id, NEW.organization_id, NEW.seq, NEW.transaction_id)
        IS NOT DISTINCT FROM
        (OLD.id, OLD."timestamp", OLD.action, OLD.actor_type, OLD.resource_type, OLD.outcome, OLD.request_id, OLD.organization_id, OLD.seq, OLD.transaction_id)
      AND OLD.resource_type <> ''auditLog''
      AND EXISTS (SELECT FROM "audit_logs_internal"."erasing" AS e
        WHERE e.transaction_id = pg_current_xact_id()::text::bigint AND e.log = "audit_logs_internal"."root_name"(TG_RELID) AND e.id = OLD.id
          AND e.hash = encode(sha256(convert_to("audit_logs_internal"."entry_form"(
            NEW.id, NEW."timestamp", NEW.action, NEW.actor_id, NEW.actor_type, NEW.actor_email, NEW.resource_type, NEW.resource_id,
            NEW.outcome, NEW.reason, NEW.details, NEW.request_id, NEW.ip, NEW.user_agent, NEW.organization_id, NEW.seq,
            NEW.transaction_id), ''UTF8'')), ''hex''))
    THEN
      RETURN NEW\073
    END IF\073
  END IF\073
  RAISE EXCEPTION USING
    ERRCODE = ''ZA001'',
    MESSAGE = format(''%s on %I.%I is refused: the audit log is append-only'', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = ''Entries are evidence and can never be changed or removed. Record a new entry that corrects the old one.''\073
END
';

CREATE OR REPLACE TRIGGER "audit_logs_refuse_other_change" BEFORE UPDATE ON "audit_logs"
  FOR EACH ROW EXECUTE FUNCTION "audit_logs_immutable"();
ALTER TABLE "audit_logs" ENABLE ALWAYS TRIGGER "audit_logs_refuse_other_change";

-- What was erased from a log of months, for those that come back from its archive, where it may still be: see erased_since. It names
-- nobody: an id may be what was erased, so of a record or an actor there is a hash.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."erasures" (
  "number"     bigint  GENERATED ALWAYS AS IDENTITY,
  "log"        text    NOT NULL,
  -- see subject_hash, NULL for a list of entries
  "subject"    bytea,
  "entries"    uuid[],
  "fields"     text[]  NOT NULL,
  "keys"       jsonb   NOT NULL,
  "reason"     text    NOT NULL,
  -- what has a higher number was written afterwards
  "last_seq"   bigint  NOT NULL,

  CONSTRAINT "erasures_pkey" PRIMARY KEY ("number")
);
CREATE INDEX IF NOT EXISTS "erasures_log_idx" ON "audit_logs_internal"."erasures" ("log");

-- A hash of a record or of an actor: for an actor, the resource is NULL.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."subject_hash"(log text, resource text, id text) RETURNS bytea
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS E'
  SELECT sha256(convert_to(jsonb_build_array(log, resource, id)::text, ''UTF8''))
';

-- What of a table beside the log, filled from the archive, was erased from the log since it was archived, or had left by then:
-- each erasure, in their order, with the entries that it is about.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_since"(log text, beside regclass)
RETURNS TABLE (entries jsonb, fields text[], keys jsonb, reason text)
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  RETURN QUERY EXECUTE format(
    ''WITH e AS MATERIALIZED (SELECT * FROM "audit_logs_internal"."erasures" WHERE log = $1),
    found AS (
      SELECT e.number, l.id FROM %1$s AS l JOIN e ON e.subject = "audit_logs_internal"."subject_hash"($1, NULL, l.actor_id)
        AND l.seq <= e.last_seq WHERE l.resource_type <> ''''auditLog''''
      UNION
      SELECT e.number, l.id FROM %1$s AS l JOIN e ON e.subject = "audit_logs_internal"."subject_hash"($1, l.resource_type, l.resource_id)
        AND l.seq <= e.last_seq WHERE l.resource_type <> ''''auditLog'''' AND l.resource_id IS NOT NULL
      UNION
      SELECT e.number, l.id FROM e CROSS JOIN LATERAL unnest(e.entries) AS i(id) JOIN %1$s AS l ON l.id = i.id
    )
    SELECT f.entries, e.fields, e.keys, e.reason
    FROM (SELECT number, jsonb_agg(id) AS entries FROM found GROUP BY number) AS f JOIN e USING (number) ORDER BY number'',
    "audit_logs_internal"."log_name"(beside))
  USING log\073
END
';

-- Keeps what was erased, where the log has an archive or may have one.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."keep_erasure"(log regclass, subject jsonb, reason text, fields text[], keys jsonb)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog
AS E'
  INSERT INTO "audit_logs_internal"."erasures" (log, subject, entries, fields, keys, reason, last_seq)
  SELECT l.name,
    CASE
      WHEN subject ? ''entries'' THEN NULL
      WHEN subject ? ''actor'' THEN "audit_logs_internal"."subject_hash"(l.name, NULL, subject ->> ''actor'')
      ELSE "audit_logs_internal"."subject_hash"(l.name, subject ->> ''resource'', subject ->> ''id'') END,
    CASE WHEN subject ? ''entries'' THEN ARRAY(SELECT i::uuid FROM jsonb_array_elements_text(subject -> ''entries'') AS i) END,
    coalesce(fields, ''{}''), coalesce(keys, ''{}''), reason, coalesce(pg_sequence_last_value(pg_get_serial_sequence(l.name, ''seq'')::regclass), 0)
  FROM (SELECT "audit_logs_internal"."log_name"(log) AS name) AS l
  WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = log AND c.relkind = ''p'')
';

-- Erases personal values from entries of a log, and the salts of their seals, and tells of it: see audit_logs_erase.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erase_entries"(
  log regclass, subject jsonb, reason text, fields text[], keys jsonb, context jsonb
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log)\073
  transaction bigint := pg_current_xact_id()::text::bigint\073
  names text[] := CASE WHEN cardinality(fields) > 0 THEN fields END\073
  told jsonb := subject\073
  per_entry constant integer := 1000\073
  found integer\073
  unsealed integer\073
  parts integer\073
  entries uuid[]\073
  added record\073
BEGIN
  IF coalesce(btrim(reason), '''') = '''' OR subject IS NULL OR jsonb_typeof(subject) <> ''object'' OR NOT (CASE
      WHEN subject ? ''entries'' THEN jsonb_typeof(subject -> ''entries'') = ''array'' AND (SELECT count(*) = 1 FROM jsonb_object_keys(subject))
      WHEN subject ? ''actor'' THEN jsonb_typeof(subject -> ''actor'') = ''string'' AND (SELECT count(*) = 1 FROM jsonb_object_keys(subject))
      ELSE jsonb_typeof(subject -> ''resource'') = ''string'' AND jsonb_typeof(subject -> ''id'') = ''string''
        AND (SELECT count(*) = 2 FROM jsonb_object_keys(subject)) END)
  THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA007'',
      MESSAGE = ''what to erase, or why, is not said'',
      HINT = ''The subject is {"resource": …, "id": …}, {"actor": …} or {"entries": [id, …]}, and the reason a text.''\073
  END IF\073

  LOCK TABLE "audit_logs_internal"."erasing" IN SHARE ROW EXCLUSIVE MODE\073
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction\073
  EXECUTE format(
    ''INSERT INTO "audit_logs_internal"."erasing"
      (log, transaction_id, id, seq, actor_id, actor_email, resource_id, reason, details, ip, user_agent, is_changed)
    SELECT $1, $2, n.*, (n.actor_id, n.actor_email, n.resource_id, n.reason, n.details, n.ip, n.user_agent)
      IS DISTINCT FROM (l.actor_id, l.actor_email, l.resource_id, l.reason, l.details, l.ip, l.user_agent)
    FROM %s AS l CROSS JOIN LATERAL (SELECT
      l.id, l.seq,
      CASE WHEN ''''actor.id'''' = ANY ($4) THEN ''''[erased]'''' ELSE l.actor_id::text END AS actor_id,
      CASE WHEN l.actor_email IS NOT NULL AND coalesce(''''actor.email'''' = ANY ($4), true) THEN ''''[erased]'''' ELSE l.actor_email::text END AS actor_email,
      CASE WHEN l.resource_id IS NOT NULL AND ''''resource.id'''' = ANY ($4) THEN ''''[erased]'''' ELSE l.resource_id::text END AS resource_id,
      CASE WHEN l.reason IS NOT NULL AND coalesce(''''reason'''' = ANY ($4), true) THEN ''''[erased]'''' ELSE l.reason END AS reason,
      "audit_logs_internal"."erased_details"(l.details, split_part(l.action, ''''.'''', 2),
        CASE WHEN ''''resource.id'''' = ANY ($4) THEN $4 || ARRAY(SELECT jsonb_array_elements_text($5 -> l.resource_type)) ELSE $4 END,
        $5 -> l.resource_type) AS details,
      CASE WHEN coalesce(''''ip'''' = ANY ($4), true) THEN NULL ELSE l.ip END AS ip,
      CASE WHEN l.user_agent IS NOT NULL AND coalesce(''''userAgent'''' = ANY ($4), true) THEN ''''[erased]'''' ELSE l.user_agent END AS user_agent
    ) AS n
    WHERE l.resource_type <> ''''auditLog'''' AND %s'', log_table, CASE
      WHEN subject ? ''entries'' THEN ''l.id IN (SELECT i::uuid FROM jsonb_array_elements_text($3 -> ''''entries'''') AS i)''
      WHEN subject ? ''actor'' THEN ''l.actor_id = $3 ->> ''''actor''''''
      ELSE ''l.resource_type = $3 ->> ''''resource'''' AND l.resource_id = $3 ->> ''''id'''''' END)
  USING log_table, transaction, subject, names, coalesce(keys, ''{}'')\073

  -- else they would be joined as if they were a few
  ANALYZE "audit_logs_internal"."erasing"\073

  -- where their leaves stand
  EXECUTE format(
    ''UPDATE "audit_logs_internal"."erasing" AS e SET first_leaf = s.first_leaf, leaf = (position(uuid_send(e.id) IN s.leaves) - 10) / 57
    FROM %s AS l CROSS JOIN LATERAL (
      SELECT coalesce(max(r.number), 1) AS era FROM "audit_logs_internal"."eras" AS r WHERE r.log = $1 AND r.after_seq < l.seq
    ) AS p CROSS JOIN LATERAL (
      SELECT s.first_leaf, s.leaves FROM "audit_logs_internal"."sealed_leaves" AS s
      WHERE s.log = $1 AND (s.era, s.transaction_id, s.seq) <= (p.era, l.transaction_id, l.seq)
      ORDER BY s.era DESC, s.transaction_id DESC, s.seq DESC LIMIT 1
    ) AS s
    WHERE e.transaction_id = $2 AND e.log = $1 AND l.id = e.id AND position(uuid_send(e.id) IN s.leaves) %% 57 = 10'', log_table)
  USING log_table, transaction\073
  IF EXISTS (SELECT FROM "audit_logs_internal"."checkpoints" AS c WHERE c.log = log_table) THEN
    unsealed := (SELECT count(*) FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND e.first_leaf IS NULL)\073
    IF unsealed > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = ''ZA008'',
        MESSAGE = format(''%s of the entries to erase are not sealed yet'', unsealed),
        HINT = ''Nothing was erased. Seal the log first, with "npx prisma-extension-audit seal --once", and erase again.''\073
    END IF\073
  END IF\073

  -- what is erased already, its salt included, and says so: one that came back from the archive may have nothing but its salt to erase
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND NOT e.is_changed
    AND (e.first_leaf IS NULL OR e.details #> ''{erasure,entry}'' IS NOT NULL) AND NOT EXISTS (
    SELECT FROM "audit_logs_internal"."seal_salts" AS s WHERE s.log = log_table AND s.first_leaf = e.first_leaf
      AND substring(s.salts FROM e.leaf * 16 + 1 FOR 16) <> decode(repeat(''00'', 16), ''hex''))\073
  found := (SELECT count(*) FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction)\073
  IF found = 0 THEN
    RETURN ''{"erased": 0, "entries": []}''\073
  END IF\073

  -- as they will be: each names the entry that tells of it, and has a number that nobody can guess
  parts := ceil(found::numeric / per_entry)\073
  entries := ARRAY(SELECT "audit_logs_internal"."uuidv7"() FROM generate_series(1, parts))\073
  UPDATE "audit_logs_internal"."erasing" AS e SET entry = entries[n.part],
    details = coalesce(e.details, ''{}'') || jsonb_build_object(''erasure'', jsonb_build_object(
      ''entry'', entries[n.part], ''nonce'', replace(gen_random_uuid()::text, ''-'', '''')))
  FROM (SELECT o.id, ((row_number() OVER (ORDER BY o.seq) - 1) / per_entry + 1)::integer AS part
    FROM "audit_logs_internal"."erasing" AS o WHERE o.transaction_id = transaction) AS n
  WHERE e.transaction_id = transaction AND e.log = log_table AND e.id = n.id\073
  EXECUTE format(
    ''UPDATE "audit_logs_internal"."erasing" AS e SET hash = encode(sha256(convert_to("audit_logs_internal"."entry_form"(
      l.id, l."timestamp", l.action, e.actor_id, l.actor_type, e.actor_email, l.resource_type, e.resource_id, l.outcome, e.reason, e.details,
      l.request_id, e.ip, e.user_agent, l.organization_id, l.seq, l.transaction_id), ''''UTF8'''')), ''''hex'''')
    FROM %s AS l WHERE e.transaction_id = $1 AND e.log = $2 AND l.id = e.id'', log_table)
  USING transaction, log_table\073

  -- told first: without it, nothing would let the change through
  IF subject ? ''entries'' THEN
    told := NULL\073
  ELSIF subject ? ''actor'' AND ''actor.id'' = ANY (names) THEN
    told := ''{"actor": "[erased]"}''\073
  ELSIF subject ? ''resource'' AND ''resource.id'' = ANY (names) THEN
    told := subject || ''{"id": "[erased]"}''\073
  END IF\073
  FOR added IN
    SELECT part, jsonb_object_agg(e.id, e.hash) AS erased FROM unnest(entries) WITH ORDINALITY AS p(entry, part)
    JOIN "audit_logs_internal"."erasing" AS e ON e.transaction_id = transaction AND e.entry = p.entry GROUP BY part ORDER BY part
  LOOP
    EXECUTE format(
      ''INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, outcome, reason, details, request_id, ip, user_agent, organization_id)
      SELECT $1, ''''auditLog.erase'''', c ->> ''''actor_id'''', c ->> ''''actor_type'''', c ->> ''''actor_email'''', ''''auditLog'''', ''''success'''', $2, $3,
        c ->> ''''request_id'''', (c ->> ''''ip'''')::inet, c ->> ''''user_agent'''', c ->> ''''organization_id'''' FROM (SELECT $4 AS c) AS given'', log_table)
    USING entries[added.part], reason,
      jsonb_strip_nulls(jsonb_build_object(''subject'', told, ''count'', found, ''fields'', to_jsonb(names),
        ''part'', CASE WHEN parts > 1 THEN jsonb_build_object(''number'', added.part, ''of'', parts) END,
        ''source'', jsonb_build_object(''role'', session_user, ''application'', nullif(current_setting(''application_name'', true), ''''),
          ''address'', host(inet_client_addr())),
        ''metadata'', context #> ''{details,metadata}'')) || jsonb_build_object(''erased'', added.erased),
      context\073
  END LOOP\073

  EXECUTE format(
    ''UPDATE %s AS l SET actor_id = e.actor_id, actor_email = e.actor_email, resource_id = e.resource_id, reason = e.reason,
      details = e.details, ip = e.ip, user_agent = e.user_agent
    FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = $1 AND e.log = $2 AND l.id = e.id'', log_table)
  USING transaction, log_table\073
  UPDATE "audit_logs_internal"."seal_salts" AS s
  SET salts = "audit_logs_internal"."erased_salts"(s.log, s.first_leaf, s.salts)
  WHERE s.log = log_table AND s.first_leaf IN (SELECT e.first_leaf FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction)\073
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction\073
  RETURN jsonb_build_object(''erased'', found, ''entries'', to_jsonb(entries))\073
END
';

-- Makes the function by which entries are erased. Its body names the log's schema, for whatever search_path a caller has. It writes with its
-- owner's privileges: nobody may call it, until its owner grants EXECUTE.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_erase"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  eraser text := (SELECT format(''%I.%I'', n.nspname, make_erase.name) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
BEGIN
  EXECUTE format(
    ''CREATE OR REPLACE FUNCTION %s(subject jsonb, reason text, fields text[] DEFAULT NULL, keys jsonb DEFAULT NULL, context jsonb DEFAULT NULL)
    RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS %L'', eraser, format(
$body$
DECLARE
  result jsonb := "audit_logs_internal"."erase_entries"(%1$L, subject, reason, fields, keys,
    coalesce(context, "audit_logs_internal"."attribution"()))\073
BEGIN
  PERFORM "audit_logs_internal"."keep_erasure"(%1$L, subject, reason, fields, keys)\073
  RETURN result\073
END
$body$, "audit_logs_internal"."log_name"(log)))\073
  EXECUTE format(''REVOKE ALL ON FUNCTION %s(jsonb, text, text[], jsonb, jsonb) FROM PUBLIC'', eraser)\073
END
';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;

SELECT "audit_logs_internal"."make_erase"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_erase');

CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT 6';
