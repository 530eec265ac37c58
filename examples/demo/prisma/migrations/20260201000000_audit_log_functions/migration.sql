-- Row triggers that record every change of a table, the context that says who made it, and the index of who read a record.
-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions.

CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";

-- Who read a record: a read of several records names them in its details. Only such reads are in this index, so no other
-- entry pays for it. With the type in front of the ids, record 1 of one model is not found as record 1 of another.
CREATE INDEX IF NOT EXISTS "audit_logs_read_records_idx" ON "audit_logs"
  USING GIN (pg_catalog.jsonb_set('{}', ARRAY["resource_type"::text], "details" -> 'ids') jsonb_path_ops)
  WHERE "resource_id" IS NULL AND "action" LIKE '%.read';

-- The number of the last migration of the log that is in: what the library and the command line compare.
CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT 2';

-- Who acts, for the statement that calls this: the audited client adds the call to a statement on a watched table.
-- PostgreSQL evaluates it after BEFORE STATEMENT triggers and before AFTER triggers, in the condition of an UPDATE or
-- DELETE even before any row. The context is kept with statement_timestamp(), so that no other statement finds it.
--
-- context: the columns of an entry that come with the call, and "details" with what its details have in common, as JSON.
--   NULL where no trigger needs to know
-- relation, fingerprint: what the client believes of the table that it writes to. The trigger before each statement
--   has noted what holds. Where the two differ the statement is refused, and the client looks again. A table without
--   triggers has the fingerprint ''. Without a relation nothing is compared
-- cause: what referential actions that the statement sets off have as their cause, where no trigger says it
--
-- It has no operators, which the caller's search_path can replace, see statement_begins.
CREATE OR REPLACE FUNCTION "audit_logs_context"(
  context text, relation text, fingerprint text, cause text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
AS E'
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp())\073
  noted text := ''''\073
  kept text\073
BEGIN
  IF context IS NOT NULL THEN
    kept := pg_catalog.set_config(''prisma_extension_audit.context'', pg_catalog.concat(moment, '' '', context), true)\073
  END IF\073
  IF cause IS NOT NULL THEN
    kept := pg_catalog.set_config(
      pg_catalog.concat(''prisma_extension_audit.statement_'', pg_catalog.int4inc(pg_catalog.pg_trigger_depth())),
      pg_catalog.concat(moment, '' '', cause), true)\073
  END IF\073
  IF relation IS NOT NULL THEN
    kept := pg_catalog.current_setting(pg_catalog.concat(''prisma_extension_audit.watched_'', relation), true)\073
    IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, '' '')) THEN
      noted := pg_catalog.split_part(kept, '' '', 2)\073
    END IF\073
    kept := pg_catalog.current_setting(pg_catalog.concat(''prisma_extension_audit.reach_'', relation), true)\073
    IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, '' '')) THEN
      noted := pg_catalog.concat(noted, pg_catalog.split_part(kept, '' '', 2))\073
    END IF\073
    IF NOT pg_catalog.texteq(fingerprint, noted) THEN
      RAISE EXCEPTION USING
        ERRCODE = ''ZA002'',
        MESSAGE = ''the triggers that record this table are not those that the client knows'',
        HINT = ''They were installed, changed or removed meanwhile. Nothing was written. Run the transaction again.''\073
    END IF\073
  END IF\073
  RETURN true\073
END
';

-- Who acts, for the statement after this one in the same transaction: for statements that can't carry a call. The audited
-- client calls it again with NULL behind the statement, where the transaction goes on.
CREATE OR REPLACE FUNCTION "audit_logs_next_context"(context text) RETURNS boolean
LANGUAGE plpgsql
AS E'
DECLARE
  kept text\073
BEGIN
  kept := pg_catalog.set_config(''prisma_extension_audit.next'', coalesce(context, ''''), true)\073
  RETURN true\073
END
';

-- Who acts, for the rest of the current transaction: for every writer that is not the audited client. Keys are those of
-- AuditContext, a second call replaces the first, and NULL ends it. Entries made in such a context also have
-- details.source.
--
-- SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}, "requestId": "req-1", "reason": "import"}')
CREATE OR REPLACE FUNCTION "audit_logs_set_context"(context jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  actor jsonb := nullif(context -> ''actor'', ''null'')\073
  metadata jsonb := nullif(context -> ''metadata'', ''null'')\073
  problem text\073
  address inet\073
  kept text\073
BEGIN
  problem := CASE
    WHEN context IS NULL THEN NULL
    WHEN jsonb_typeof(context) <> ''object'' THEN ''it is not an object''
    WHEN jsonb_typeof(actor) <> ''object'' THEN ''actor is not an object''
    WHEN jsonb_typeof(metadata) <> ''object'' THEN ''metadata is not an object''
  END\073
  IF problem IS NULL AND context IS NOT NULL THEN
    SELECT format(''it has the unknown key %s'', key) INTO problem
    FROM (
      SELECT key FROM jsonb_object_keys(context) AS key
      WHERE key NOT IN (''actor'', ''requestId'', ''ip'', ''userAgent'', ''organizationId'', ''reason'', ''metadata'')
      UNION ALL
      SELECT ''actor.'' || key FROM jsonb_object_keys(coalesce(actor, ''{}'')) AS key WHERE key NOT IN (''id'', ''type'', ''email'')
    ) AS unknown LIMIT 1\073
  END IF\073
  IF problem IS NULL THEN
    SELECT CASE
      WHEN value IS NULL THEN format(''%s is missing'', key)
      WHEN most IS NULL THEN format(''%s is not a text'', key)
      ELSE format(''%s is not a text of 1 to %s characters'', key, most)
    END INTO problem
    FROM (VALUES
      (''actor.id'', nullif(actor -> ''id'', ''null''), 255, actor IS NOT NULL),
      (''actor.type'', nullif(actor -> ''type'', ''null''), 50, actor IS NOT NULL),
      (''actor.email'', nullif(actor -> ''email'', ''null''), 255, false),
      (''requestId'', nullif(context -> ''requestId'', ''null''), 255, false),
      (''organizationId'', nullif(context -> ''organizationId'', ''null''), 255, false),
      (''ip'', nullif(context -> ''ip'', ''null''), 50, false),
      (''userAgent'', nullif(context -> ''userAgent'', ''null''), NULL, false),
      (''reason'', nullif(context -> ''reason'', ''null''), NULL, false)
    ) AS field(key, value, most, is_required)
    WHERE CASE
      WHEN value IS NULL THEN is_required
      WHEN jsonb_typeof(value) <> ''string'' THEN true
      WHEN most IS NULL THEN false
      ELSE length(value #>> ''{}'') NOT BETWEEN 1 AND most
    END
    LIMIT 1\073
  END IF\073
  IF problem IS NULL AND actor ->> ''type'' NOT IN (''user'', ''system'', ''api_key'') THEN
    problem := format(''actor.type is %s, not user, system or api_key'', actor -> ''type'')\073
  END IF\073
  IF problem IS NULL AND context ->> ''ip'' IS NOT NULL THEN
    BEGIN
      address := (context ->> ''ip'')::inet\073
    EXCEPTION WHEN invalid_text_representation THEN
      problem := ''ip is not an IP address''\073
    END\073
    IF strpos(context ->> ''ip'', ''/'') > 0 THEN
      problem := ''ip is not an IP address''\073
    END IF\073
  END IF\073
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA003'',
      MESSAGE = format(''the audit context cannot be used: %s'', problem),
      HINT = ''Its keys are actor { id, type, email }, requestId, ip, userAgent, organizationId, reason and metadata.''\073
  END IF\073
  kept := set_config(''prisma_extension_audit.transaction'', CASE WHEN context IS NULL THEN ''''
    ELSE (jsonb_strip_nulls(jsonb_build_object(
      ''actor_id'', actor -> ''id'', ''actor_type'', actor -> ''type'', ''actor_email'', actor -> ''email'',
      ''reason'', context -> ''reason'', ''request_id'', context -> ''requestId'', ''ip'', host(address),
      ''user_agent'', context -> ''userAgent'', ''organization_id'', context -> ''organizationId''
    )) || jsonb_build_object(''details'', CASE WHEN metadata IS NULL THEN ''{}'' ELSE jsonb_build_object(''metadata'', metadata) END)
    )::text END, true)\073
END
';

-- Who made the change that a trigger sees: the columns of an entry, "details" with what its details have in common, and
-- "database", with what the database itself has to add to them. It is the context of this very statement, or of the
-- transaction, or else only what the database knows of its session. Whatever does not come with the statement has
-- details.source. Contexts are settings, which can be set by hand, too, so "database" is not taken from there.
--
-- Callers have a fixed search_path, setting it here once more would cost each row some time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."attribution"() RETURNS jsonb
LANGUAGE plpgsql STABLE
AS E'
DECLARE
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(''prisma_extension_audit.context'', true)\073
  context jsonb\073
BEGIN
  IF starts_with(kept, moment || '' '') THEN
    RETURN substr(kept, length(moment) + 2)::jsonb - ''database''\073
  END IF\073
  kept := current_setting(''prisma_extension_audit.next'', true)\073
  IF kept <> '''' THEN
    RETURN kept::jsonb - ''database''\073
  END IF\073
  kept := current_setting(''prisma_extension_audit.transaction'', true)\073
  context := coalesce(nullif(kept, ''''), ''{}'')::jsonb\073
  RETURN jsonb_build_object(''actor_id'', ''postgres:'' || session_user, ''actor_type'', ''system'')
    || context
    || jsonb_build_object(''database'', jsonb_build_object(''source'', jsonb_build_object(
      ''role'', session_user,
      ''application'', nullif(current_setting(''application_name'', true), ''''),
      ''address'', host(inet_client_addr()))))\073
END
';

-- The cause of a change at which a row trigger fires, as a part of its details, which is empty for a row that the statement
-- itself changed.
--
-- depth: of triggers, at which the row changed, 2 for more than one: a referential action changes rows at the depth at
--   which their trigger fires later, a statement one below. Where both are more than one, the cause tells which it was
-- own: what the statement does if it changed the row itself: order.update
CREATE OR REPLACE FUNCTION "audit_logs_internal"."cause"(depth text, own text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS E'
DECLARE
  kept text\073
  cause text\073
BEGIN
  IF depth::int4 < pg_trigger_depth() AND depth::int4 < 2 THEN
    RETURN ''{}''\073
  END IF\073
  kept := current_setting(''prisma_extension_audit.statement_'' || pg_trigger_depth(), true)\073
  IF starts_with(kept, extract(epoch FROM statement_timestamp()) || '' '') THEN
    cause := split_part(kept, '' '', 2)\073
    IF cause <> '''' AND (cause <> own OR pg_trigger_depth() < 3) THEN
      RETURN jsonb_build_object(''cause'', cause)\073
    END IF\073
  END IF\073
  RETURN ''{}''\073
END
';

-- The trigger before each statement on a table. It notes that the table is watched and how, for audit_logs_context to
-- compare, and what the statement does, as the cause of changes that referential actions make: that note is of its depth
-- of triggers, where the next statement replaces it.
--
-- It refuses a change by a referential action where the client says that its statement records the table itself: the note of
-- the table that the statement writes to can't tell it so where somebody disabled that one's triggers.
--
-- Its argument has four parts with a space between them: the table's key among the settings, the fingerprint, the
-- resource, and the options, which nothing but the client and the command line read.
--
-- It runs with the caller's search_path, as another one would cost each statement some time, so it has no operators, which
-- a search_path can replace.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_begins"() RETURNS trigger
LANGUAGE plpgsql
AS E'
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp())\073
  verb text := CASE WHEN pg_catalog.texteq(TG_OP, ''INSERT'') THEN ''.create''
    WHEN pg_catalog.texteq(TG_OP, ''UPDATE'') THEN ''.update'' ELSE ''.delete'' END\073
  kept text\073
BEGIN
  kept := pg_catalog.current_setting(''prisma_extension_audit.records'', true)\073
  IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, '' ''))
    AND pg_catalog.int4gt(pg_catalog.strpos(kept, pg_catalog.concat('' '', pg_catalog.split_part(TG_ARGV[0], '' '', 1), '' '')), 0)
    AND pg_catalog.textne(pg_catalog.split_part(TG_ARGV[0], '' '', 4), '''')
    AND pg_catalog.nameeq(TG_NAME, ''!audit_logs_statement'')
  THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA002'',
      MESSAGE = ''a statement would record what triggers record, too'',
      HINT = ''They were installed meanwhile. Nothing was written. Run the transaction again.''\073
  END IF\073
  kept := pg_catalog.set_config(
    pg_catalog.concat(
      CASE WHEN pg_catalog.nameeq(TG_NAME, ''!audit_logs_reach'') THEN ''prisma_extension_audit.reach_'' ELSE ''prisma_extension_audit.watched_'' END,
      pg_catalog.split_part(TG_ARGV[0], '' '', 1)),
    pg_catalog.concat(moment, '' '', pg_catalog.split_part(TG_ARGV[0], '' '', 2)), true)\073
  kept := pg_catalog.set_config(
    pg_catalog.concat(''prisma_extension_audit.statement_'', pg_catalog.pg_trigger_depth()),
    pg_catalog.concat(moment, '' '', pg_catalog.split_part(TG_ARGV[0], '' '', 3), verb), true)\073
  IF pg_catalog.nameeq(TG_NAME, ''!audit_logs_reach'') THEN
    -- a client that knows of no triggers looks at this one only. Any text makes it look at both
    kept := pg_catalog.set_config(pg_catalog.concat(''prisma_extension_audit.watched_'', pg_catalog.split_part(TG_ARGV[0], '' '', 1)), ''-'', true)\073
  END IF\073
  RETURN NULL\073
END
';

-- A UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, the rest random. PostgreSQL 18 has a function of its own.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."uuidv7"() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path = pg_catalog
AS E'
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1),
    ''hex'')::uuid
';

-- A type with domains resolved away.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."base_type"(type oid) RETURNS pg_type
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  base pg_type\073
BEGIN
  SELECT * INTO base FROM pg_type t WHERE t.oid = type\073
  WHILE base.typtype = ''d'' LOOP
    SELECT * INTO base FROM pg_type t WHERE t.oid = base.typbasetype\073
  END LOOP\073
  RETURN base\073
END
';

-- Whether to_jsonb of a built-in type is the value that entries have.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_json_as_is"(type pg_type) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT type.typnamespace = ''pg_catalog''::regnamespace AND type.typname IN (
    ''bool'', ''int2'', ''int4'', ''float4'', ''float8'', ''text'', ''varchar'', ''bpchar'', ''uuid'', ''inet'', ''cidr'',
    ''date'', ''time'', ''timetz'', ''interval'', ''xml'', ''jsonb'')
';

-- The SQL expression that gives a column's value as entries have it (docs/entries.md, "Values"). The library has the
-- same rules for the statements that it writes.
--
-- type, modifier: as in pg_attribute
-- reference: an expression for the column, such as NEW."price"
CREATE OR REPLACE FUNCTION "audit_logs_internal"."json_sql"(type oid, modifier integer, reference text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  t pg_type\073
  built_in text\073
  item text\073
  cell text\073
BEGIN
  SELECT * INTO t FROM pg_type WHERE oid = type\073
  IF t.typtype = ''d'' THEN
    RETURN "audit_logs_internal"."json_sql"(t.typbasetype, t.typtypmod, reference)\073
  END IF\073
  built_in := CASE WHEN t.typnamespace = ''pg_catalog''::regnamespace THEN t.typname ELSE '''' END\073
  IF t.typcategory = ''A'' AND t.typelem <> 0 THEN
    t := "audit_logs_internal"."base_type"(t.typelem)\073
    IF t.typtype = ''e'' OR "audit_logs_internal"."is_json_as_is"(t) THEN
      RETURN reference\073
    END IF\073
    IF t.typnamespace <> ''pg_catalog''::regnamespace
      OR t.typname NOT IN (''timestamp'', ''timestamptz'', ''json'', ''bytea'')
    THEN
      RETURN reference || ''::text[]''\073
    END IF\073
    item := "audit_logs_internal"."json_sql"(t.oid, modifier, ''__audit_item.value'')\073
    cell := "audit_logs_internal"."json_sql"(t.oid, modifier, format(''(%s)[__audit_row][__audit_column]'', reference))\073
    -- unnest flattens, so an array of arrays goes cell by cell
    RETURN format(
      ''CASE array_ndims(%1$s) WHEN 2 THEN (SELECT jsonb_agg((SELECT jsonb_agg(%3$s ORDER BY __audit_column)
        FROM generate_subscripts(%1$s, 2) AS __audit_column) ORDER BY __audit_row)
        FROM generate_subscripts(%1$s, 1) AS __audit_row)
      ELSE CASE WHEN array_ndims(%1$s) > 2 THEN to_jsonb(%1$s::text)
        WHEN %1$s IS NOT NULL THEN to_jsonb(ARRAY(SELECT %2$s
          FROM unnest(%1$s) WITH ORDINALITY AS __audit_item(value, position) ORDER BY __audit_item.position)) END END'',
      reference, item, cell)\073
  END IF\073
  IF "audit_logs_internal"."is_json_as_is"(t) THEN
    RETURN reference\073
  END IF\073
  CASE built_in
    WHEN ''timestamp'' THEN
      -- three digits of a second as JavaScript writes them, six where there are more. Infinity and years before Christ,
      -- which ISO 8601 cannot say in four digits, as PostgreSQL''s JSON has them
      RETURN format(''CASE WHEN %1$s < ''''0001-01-01'''' THEN to_jsonb(%1$s) #>> ''''{}'''' ELSE coalesce(%2$s, %1$s::text) END'',
        reference,
        -- also where the column has three digits at most: a migration can give it more
        format(''CASE WHEN date_trunc(''''milliseconds'''', %1$s) <> %1$s THEN %3$s ELSE %2$s END'',
          reference,
          format(''to_char(%s, ''''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'''')'', reference),
          format(''to_char(%s, ''''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'''')'', reference)))\073
    WHEN ''timestamptz'' THEN
      RETURN "audit_logs_internal"."json_sql"(
        ''timestamp''::regtype, modifier, format(''(%s AT TIME ZONE ''''UTC'''')'', reference))\073
    WHEN ''json'' THEN
      -- json stores what jsonb cannot: the character with code zero, half a surrogate pair, a number beyond numeric.
      -- Then its text is the value
      RETURN format(''CASE WHEN %1$s::text ~* %2$L THEN to_jsonb(%1$s::text) ELSE %1$s::jsonb END'', reference,
        ''\\\\u(0000|d[89a-f])|(^|[:,\\[\\s])-?\\d+(\\.\\d+)?e[+-]?\\d{6,}([,}\\]\\s]|$)'')\073
    WHEN ''bytea'' THEN
      -- encode() breaks base64 into lines of 76 characters, after RFC 2045
      RETURN format(''translate(encode(%s, ''''base64''''), E''''\\n'''', '''''''')'', reference)\073
    ELSE
      RETURN reference || ''::text''\073
  END CASE\073
END
';

-- The SQL expression that gives a column's value as text in resource_id, in the form of json_sql.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."key_sql"(type oid, modifier integer, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE
    WHEN b.typnamespace = ''pg_catalog''::regnamespace
      AND b.typname IN (''bool'', ''int2'', ''int4'', ''int8'', ''numeric'', ''text'', ''varchar'', ''uuid'')
    THEN reference || ''::text''
    ELSE format(''(to_jsonb(%s) #>> ''''{}'''')'', "audit_logs_internal"."json_sql"(type, modifier, reference))
  END
  FROM "audit_logs_internal"."base_type"(type) AS b
';

-- The SQL expression that gives a redacted column's value as entries have it: null stays null.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."mask_sql"(type oid, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  -- IS NULL looks into a composite value
  SELECT format(''CASE WHEN %s THEN ''''[redacted]''''::text END'',
    format(CASE ("audit_logs_internal"."base_type"(type)).typtype WHEN ''c'' THEN ''num_nonnulls(%s) = 1'' ELSE ''%s IS NOT NULL'' END,
      reference))
';

-- The SQL expression that says whether two values of a column differ. Where equal means the same stored value, the
-- type's own equality tells, for the others (numeric 1.0 = 1.00, citext 'a' = 'A', json, which has none) PostgreSQL's
-- comparison of record images does (manual, "Composite Type Comparison").
CREATE OR REPLACE FUNCTION "audit_logs_internal"."differs_sql"(type oid, before text, after text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE
    WHEN b.typnamespace = ''pg_catalog''::regnamespace AND b.typname IN (
      ''bool'', ''int2'', ''int4'', ''int8'', ''uuid'', ''date'', ''time'', ''timestamp'', ''timestamptz'', ''bytea'')
    THEN format(''%s IS DISTINCT FROM %s'', before, after)
    ELSE format(''ROW(%s)::record *<> ROW(%s)::record'', before, after)
  END
  FROM "audit_logs_internal"."base_type"(type) AS b
';

-- Whether a field's name says secret: exact names, case and underscores ignored, as the library has them.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_secret"(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS E'
  SELECT lower(replace(name, ''_'', '''')) IN (
    ''password'', ''passwd'', ''passwordhash'', ''hashedpassword'', ''passwordsalt'', ''passwordresettoken'', ''passphrase'',
    ''secret'', ''secretkey'', ''clientsecret'', ''appsecret'', ''sharedsecret'', ''totpsecret'', ''mfasecret'',
    ''twofactorsecret'', ''webhooksecret'', ''signingsecret'', ''signingkey'', ''encryptionkey'', ''privatekey'', ''apikey'',
    ''apisecret'', ''apitoken'', ''token'', ''accesstoken'', ''refreshtoken'', ''idtoken'', ''sessiontoken'', ''resettoken'',
    ''verificationtoken'', ''authtoken'', ''bearertoken'', ''csrftoken'', ''otp'', ''pin'', ''cvv'', ''cvc'', ''recoverycode'',
    ''recoverycodes'', ''backupcodes'', ''salt''
  )
';

-- The columns of a table as its entries have them.
--
-- options: as normalized_options gives them: columns by their numbers, which a rename leaves alone, and what each was called.
--   pg_restore numbers columns anew where one had been dropped, so a column that still has a name of then is known by it.
--   In doubt it is redacted
CREATE OR REPLACE FUNCTION "audit_logs_internal"."columns"(relation oid, options jsonb)
RETURNS TABLE (
  number integer, name text, field text, type oid, modifier integer, redacted boolean, ignored boolean, computed text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT a.attnum, a.attname::text, f.field, a.atttypid, a.atttypmod,
    options -> ''redact'' @> to_jsonb(a.attnum::int) OR options -> ''redact'' @> to_jsonb(known.number)
      -- a column that came after the options were given, or was renamed, is also redacted if its name now says secret
      OR (options -> ''redactSecrets'')::boolean AND "audit_logs_internal"."is_secret"(f.field),
    options -> ''ignore'' @> to_jsonb(known.number),
    -- a virtual generated column (PostgreSQL 18) is not computed when triggers fire
    CASE WHEN a.attgenerated = ''v'' THEN pg_get_expr(d.adbin, d.adrelid) END
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN jsonb_each_text(options -> ''names'') AS n ON n.value = a.attname::text
  CROSS JOIN LATERAL (SELECT coalesce(n.key::int, a.attnum::int) AS number) AS known
  CROSS JOIN LATERAL (SELECT coalesce(options #>> ARRAY[''fields'', known.number::text], a.attname::text) AS field) AS f
  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum
';

-- The options of audit_logs_watch, checked, with columns by their numbers and every default in place.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."normalized_options"(relation oid, options jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  problem text\073
  fields jsonb\073
  redact_secrets boolean\073
BEGIN
  IF jsonb_typeof(options) <> ''object'' THEN
    problem := ''they are not an object''\073
  END IF\073
  IF problem IS NULL THEN
    SELECT format(''%s is not one of them'', key) INTO problem FROM jsonb_object_keys(options) AS key
    WHERE key NOT IN (''fields'', ''redact'', ''redactSecrets'', ''ignore'', ''snapshot'', ''link'', ''origin'') LIMIT 1\073
  END IF\073
  IF problem IS NULL THEN
    SELECT format(''%s is not %s'', known.key, known.form) INTO problem
    FROM (VALUES (''fields'', ''object'', ''an object of texts''), (''link'', ''object'', ''an object''), (''redact'', ''array'', ''an array of texts''),
      (''ignore'', ''array'', ''an array of texts''), (''redactSecrets'', ''boolean'', ''true or false''), (''origin'', ''boolean'', ''true or false''))
      AS known(key, type, form)
    WHERE jsonb_typeof(options -> known.key) <> known.type
      OR jsonb_path_exists(options -> known.key, ''$[*] ? (@.type() != "string")'') AND known.type = ''array''
      OR jsonb_path_exists(options -> known.key, ''$.* ? (@.type() != "string")'') AND known.key = ''fields''
    LIMIT 1\073
  END IF\073
  IF problem IS NULL AND coalesce(options ->> ''snapshot'', ''full'') NOT IN (''full'', ''changed'') THEN
    problem := ''snapshot is neither full nor changed''\073
  END IF\073
  IF problem IS NULL AND options ? ''link'' AND (
    (SELECT count(*) <> 2 FROM unnest(''{A,B}''::text[]) AS side
      WHERE options #>> ARRAY[''link'', side, ''resource''] ~ ''^[^[:space:].]{1,89}$'' AND options #>> ARRAY[''link'', side, ''relation''] <> '''')
    OR (SELECT count(*) <> 2 FROM pg_attribute a WHERE a.attrelid = relation AND a.attname IN (''A'', ''B'') AND NOT a.attisdropped))
  THEN
    problem := ''link does not name a resource and a relation for each of the columns A and B''\073
  END IF\073
  IF problem IS NULL THEN
    fields := coalesce(options -> ''fields'', ''{}'')\073
    redact_secrets := coalesce((options -> ''redactSecrets'')::boolean, true)\073
    SELECT format(''the table has no column for the field %s'', listed.name) INTO problem
    FROM (
      SELECT jsonb_array_elements_text(coalesce(options -> ''redact'', ''[]'') || coalesce(options -> ''ignore'', ''[]''))
      UNION ALL SELECT jsonb_object_keys(fields)
    ) AS listed(name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
      WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
        AND listed.name IN (a.attname::text, fields ->> a.attname::text))
    LIMIT 1\073
  END IF\073
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = format(''the options for %s cannot be used: %s'', relation::regclass, problem),
      HINT = ''Options are fields { column: field }, redact [field], redactSecrets, ignore [field], snapshot, link and origin.''\073
  END IF\073
  RETURN (
    SELECT jsonb_build_object(
      ''columns'', (SELECT c.relnatts FROM pg_class c WHERE c.oid = relation),
      -- what the function spells out: another one later means that a migration changed the table since
      ''shape'', (SELECT md5(string_agg(concat_ws('' '', s.attnum, s.attname, t.typname, s.atttypmod), '', '' ORDER BY s.attnum))
        FROM pg_attribute s JOIN pg_type t ON t.oid = s.atttypid
        WHERE s.attrelid = relation AND s.attnum > 0 AND NOT s.attisdropped),
      -- a restored table has other numbers where a column had been dropped, so both count
      ''names'', coalesce(jsonb_object_agg(a.attnum::text, a.attname) FILTER (WHERE a.attnum IS NOT NULL), ''{}''),
      ''snapshot'', coalesce(options ->> ''snapshot'', ''full''),
      ''redactSecrets'', redact_secrets,
      ''redact'', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> ''redact'', ''[]'') ?| ARRAY[a.attname::text, f.field]
        OR redact_secrets AND "audit_logs_internal"."is_secret"(f.field)), ''[]''),
      ''ignore'', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> ''ignore'', ''[]'') ?| ARRAY[a.attname::text, f.field]), ''[]''),
      ''fields'', coalesce(jsonb_object_agg(a.attnum::text, f.field) FILTER (WHERE f.field <> a.attname::text), ''{}''))
      || CASE WHEN options ? ''link'' THEN jsonb_build_object(''link'', jsonb_build_object(
          ''A'', options #> ''{link,A}'' || jsonb_build_object(''number'', min(a.attnum) FILTER (WHERE a.attname = ''A'')),
          ''B'', options #> ''{link,B}'' || jsonb_build_object(''number'', min(a.attnum) FILTER (WHERE a.attname = ''B''))))
        ELSE ''{}'' END
    FROM pg_attribute a
    CROSS JOIN LATERAL (SELECT coalesce(fields ->> a.attname::text, a.attname::text) AS field) AS f
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
  )\073
END
';

-- The names of a table's primary key columns, in the order of the key. NULL without one.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."key_columns"(relation oid) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT array_agg(a.attname::text ORDER BY k.ordinality)
  FROM pg_index i
  CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, ordinality)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = relation AND i.indisprimary
';

-- The SQL expressions that give the parts of an entry about one row.
--
-- before, after: expressions for the row as it was and as it is, such as OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_sql"(
  relation oid, options jsonb, before text, after text,
  OUT id_before text, OUT id_after text, OUT row_before text, OUT row_after text, OUT changed text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  key_columns text[] := "audit_logs_internal"."key_columns"(relation)\073
  is_unbounded boolean\073
BEGIN
  WITH cell AS (
    SELECT c.*, side.name AS side,
      CASE
        WHEN c.computed IS NULL THEN format(''%s.%I'', side.reference, c.name)
        -- the expression names the other columns of its row
        ELSE format(''(SELECT %s FROM (SELECT %s) AS __audit_row)'', c.computed, (
          SELECT string_agg(format(''%s.%I AS %2$I'', side.reference, other.name), '', '')
          FROM "audit_logs_internal"."columns"(relation, options) AS other WHERE other.computed IS NULL))
      END AS reference
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN (VALUES (''before'', before), (''after'', after)) AS side(name, reference)
  ), value AS (
    SELECT cell.*,
      CASE WHEN redacted THEN "audit_logs_internal"."mask_sql"(type, reference)
        ELSE "audit_logs_internal"."json_sql"(type, modifier, reference) END AS json
    FROM cell
  ), object AS (
    -- PostgreSQL takes at most 100 arguments in a call
    SELECT side, string_agg(part, '' || '' ORDER BY chunk) AS json
    FROM (
      SELECT side, chunk, format(''jsonb_build_object(%s)'', string_agg(format(''%L, %s'', field, json), '', '' ORDER BY number)) AS part
      FROM (SELECT value.*, (row_number() OVER (PARTITION BY side ORDER BY number) - 1) / 50 AS chunk FROM value) AS v
      GROUP BY side, chunk
    ) AS parts
    GROUP BY side
  ), key AS (
    SELECT side,
      CASE WHEN count(*) = 1 THEN min(text)
        ELSE ''''''['''' || '' || string_agg(format(''to_json(%s)::text'', text), '' || '''','''' || '' ORDER BY array_position(key_columns, name))
          || '' || '''']'''''' END AS text
    FROM (
      SELECT side, name, CASE WHEN redacted THEN json
        ELSE "audit_logs_internal"."key_sql"(type, modifier, reference) END AS text
      FROM value WHERE name = ANY (key_columns)
    ) AS parts
    GROUP BY side
  )
  SELECT
    (SELECT text FROM key WHERE side = ''before''), (SELECT text FROM key WHERE side = ''after''),
    (SELECT json FROM object WHERE side = ''before''), (SELECT json FROM object WHERE side = ''after''),
    (SELECT string_agg(format(''CASE WHEN %s THEN %L END'',
        "audit_logs_internal"."differs_sql"(b.type, b.reference, a.reference), b.field), '', '' ORDER BY b.number)
      FROM cell AS b JOIN cell AS a ON a.number = b.number AND a.side = ''after''
      WHERE b.side = ''before'' AND NOT b.ignored)
  INTO id_before, id_after, row_before, row_after, changed\073

  SELECT bool_or(t.typnamespace <> ''pg_catalog''::regnamespace
      OR t.typname NOT IN (''bool'', ''int2'', ''int4'', ''int8'', ''uuid'', ''date'', ''timestamp'', ''timestamptz''))
  INTO is_unbounded
  FROM "audit_logs_internal"."columns"(relation, options) AS c
  CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS t
  WHERE c.name = ANY (key_columns)\073
  IF is_unbounded THEN
    id_before := format(''left(%s, 255)'', id_before)\073
    id_after := format(''left(%s, 255)'', id_after)\073
  END IF\073
  id_before := coalesce(id_before, ''NULL::text'')\073
  id_after := coalesce(id_after, ''NULL::text'')\073
  row_before := coalesce(row_before, ''''''{}''''::jsonb'')\073
  row_after := coalesce(row_after, ''''''{}''''::jsonb'')\073
  changed := coalesce(''array_remove(ARRAY['' || changed || ''], NULL)'', ''''''{}''''::text[]'')\073
END
';

-- The condition that a table's columns are others than those that its trigger function spells out. None of this reads
-- a table: it runs for each row, or each statement.
--
-- reference: an expression for the table's oid
-- row_name: OLD or NEW
-- is_query: it stands in a query whose FROM has the row. Such a query is parsed again when the table's columns change, so
--   there the parser counts them, at no cost
-- further: one more condition, or NULL
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drift_sql"(
  relation oid, options jsonb, reference text, row_name text, is_query boolean, further text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH expected AS (
    SELECT c.*, t.typcategory, t.typarray
    FROM "audit_logs_internal"."columns"(relation, options) AS c JOIN pg_type t ON t.oid = c.type
  )
  SELECT string_agg(condition, '' OR '')
  FROM (
    -- NULL for a column that is not there. A new column gets the number after the last one, even a dropped one
    SELECT format(''has_column_privilege(%s, %s::int2, ''''SELECT'''') IS NOT NULL'',
      reference, (options -> ''columns'')::int + ahead) AS condition
    FROM generate_series(1, 3) AS ahead
    WHERE NOT is_query OR NOT EXISTS (SELECT FROM expected)
    UNION ALL
    -- a restored table has fewer numbers than the one that was dumped, if a column of that one had been dropped
    SELECT format(''has_column_privilege(%s, %s::int2, ''''SELECT'''') IS NULL'', reference, max(number))
    FROM expected
    HAVING CASE WHEN is_query THEN bool_or(redacted) ELSE count(*) > 0 END
    UNION ALL
    -- two renames may give the name of a redacted column to another. The description is the quick way to see that none
    -- has, the other is right for a renamed table and in every language, too
    SELECT format(''pg_describe_object(1259::oid, %1$s, %2$s) <> %3$L
        AND (pg_identify_object_as_address(1259::oid, %1$s, %2$s)).object_names[3] <> %4$L'',
      reference, number, pg_describe_object(1259::oid, relation, number), name)
    FROM expected WHERE redacted
    UNION ALL
    -- never evaluated, but parsed: another type of column would not be there to compare with
    SELECT format(''(CASE WHEN false THEN %s END)'', string_agg(
      format(''ARRAY[%s.%I] = NULL::%s'', row_name, name, format_type(CASE WHEN typcategory = ''A'' THEN type ELSE typarray END, NULL)),
      '' AND '' ORDER BY number))
    FROM expected
    WHERE computed IS NULL AND NOT redacted AND (typcategory = ''A'' OR typarray <> 0)
    HAVING count(*) > 0
    UNION ALL
    -- so is this: another number of columns is an error of syntax
    SELECT format(''(CASE WHEN false THEN EXISTS (SELECT %s.* UNION ALL SELECT %s) END)'', row_name, string_agg(
      ''NULL::'' || format_type(type, NULL), '', '' ORDER BY number))
    FROM expected
    WHERE is_query
    HAVING count(*) > 0
    UNION ALL
    SELECT further WHERE further IS NOT NULL
  ) AS conditions
';

-- The parts of an entry about a row of a table that changed since audit_logs_watch, slower, by the catalog as it is now.
-- Columns that came since are there by their names, renamed ones stay redacted, for options know columns by their
-- numbers. Nothing is changed (changed is empty) where another trigger writes the entry.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted"(
  relation oid, trigger_name text, operation text, options jsonb, old_row anyelement, new_row anyelement,
  OUT row_id text, OUT before jsonb, OUT after jsonb, OUT changed text[]
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET "DateStyle" = 'ISO, MDY' SET "IntervalStyle" = 'postgres' SET "TimeZone" = 'UTC'
SET extra_float_digits = 1 SET bytea_output = 'hex'
AS E'
DECLARE
  self_key text := CASE WHEN operation = ''UPDATE'' AND trigger_name LIKE ''!%''
    THEN "audit_logs_internal"."self_key_sql"(relation, ''($1)'', ''($2)'') END\073
  is_changed_again boolean := false\073
BEGIN
  IF self_key IS NOT NULL THEN
    EXECUTE ''SELECT '' || self_key INTO is_changed_again USING old_row, new_row\073
  END IF\073
  IF is_changed_again THEN
    changed := ''{}''\073
  ELSE
    EXECUTE "audit_logs_internal"."drifted_sql"(relation, operation, options)
    INTO row_id, before, after, changed USING old_row, new_row\073
  END IF\073
END
';

-- The statement that gives those parts, as parameters it has the row before and after.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted_sql"(relation oid, operation text, options jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  watched oid := coalesce(pg_partition_root(relation::regclass), relation)\073
  part record\073
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(watched, options, ''($1)'', ''($2)'')\073
  RETURN CASE operation
    WHEN ''INSERT'' THEN format(''SELECT %s, NULL::jsonb, %s, NULL::text[]'', part.id_after, part.row_after)
    WHEN ''DELETE'' THEN format(''SELECT %s, %s, NULL::jsonb, NULL::text[]'', part.id_before, part.row_before)
    ELSE format(''SELECT %s, %s, %s, %s'', part.id_before, part.row_before, part.row_after, part.changed)
  END\073
END
';

-- The INSERT of one entry, or of entries.
--
-- log: the log's quoted table
-- action, type, id, details: SQL expressions, details are only what this entry has beside those of its context. A context
--   can be set by hand, so nothing of what triggers see themselves is taken from it
-- source: what stands behind FROM, for an entry of each of its rows. NULL for one entry, which costs less with VALUES
CREATE OR REPLACE FUNCTION "audit_logs_internal"."entry_sql"(
  log text, action text, type text, id text, details text, source text DEFAULT NULL
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(
    ''INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
      request_id, ip, user_agent, organization_id)
    %s%s(), %s, context ->> ''''actor_id'''', context ->> ''''actor_type'''', context ->> ''''actor_email'''', %s, %s,
      ''''success'''', context ->> ''''reason'''',
      coalesce((context -> ''''details'''') - ''''{before,after,changed,cause,relation,target,rows,estimated,partition,source}''''::text[], ''''{}'''')
        || coalesce(context -> ''''database'''', ''''{}'''') || %s,
      context ->> ''''request_id'''', (context ->> ''''ip'''')::inet, context ->> ''''user_agent'''', context ->> ''''organization_id''''%s'',
    log, CASE WHEN source IS NULL THEN ''VALUES ('' ELSE ''SELECT '' END,
    CASE WHEN current_setting(''server_version_num'')::int >= 180000 THEN ''uuidv7''
      ELSE ''"audit_logs_internal"."uuidv7"'' END,
    action, type, id, details, coalesce('' FROM '' || source, '')''))
';

-- The expression for a row in the details of an update: the whole of it, or what changed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."snapshot_sql"(options jsonb, value text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE options ->> ''snapshot'' WHEN ''changed'' THEN format(
    ''(SELECT jsonb_object_agg(field.key, field.value) FROM jsonb_each(%s) AS field WHERE field.key = ANY (changed))'', value)
    ELSE value END
';

-- The settings of the session that change the text of some values of a table, with PostgreSQL's defaults, as the clauses of
-- the function that writes its entries: only those that its types need, for each costs every row some time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."settings_sql"(relation oid, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH type AS (
    SELECT CASE WHEN element.typtype = ''e'' THEN ''enum'' WHEN element.typnamespace <> ''pg_catalog''::regnamespace THEN ''''
      ELSE element.typname END AS name,
      element.oid <> base.oid AS is_array
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS base
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(
      CASE WHEN base.typcategory = ''A'' AND base.typelem <> 0 THEN base.typelem ELSE base.oid END) AS element
    WHERE NOT c.redacted
  ), need AS (
    SELECT CASE
      WHEN name IN (''float4'', ''float8'') THEN ''{extra_float_digits}''
      WHEN name = ''interval'' THEN ''{IntervalStyle}''
      -- arrays of these are text where they have three dimensions or more
      WHEN name IN (''timestamp'', ''timestamptz'') AND is_array THEN ''{DateStyle,TimeZone}''
      WHEN name = ''bytea'' AND is_array THEN ''{bytea_output}''
      WHEN name IN (''enum'', ''bool'', ''int2'', ''int4'', ''int8'', ''numeric'', ''oid'', ''text'', ''varchar'', ''bpchar'', ''char'', ''name'', ''uuid'',
        ''inet'', ''cidr'', ''macaddr'', ''date'', ''time'', ''timetz'', ''timestamp'', ''timestamptz'', ''bytea'', ''bit'', ''varbit'',
        ''json'', ''jsonb'', ''xml'') THEN ''{}''
      ELSE ''{DateStyle,IntervalStyle,TimeZone,extra_float_digits,bytea_output}''
    END::text[] AS names
    FROM type
  )
  SELECT coalesce(string_agg(format('' SET %I = %L'', setting.name, setting.value), '''' ORDER BY setting.name), '''')
  FROM (VALUES (''DateStyle'', ''ISO, MDY''), (''IntervalStyle'', ''postgres''), (''TimeZone'', ''UTC''), (''extra_float_digits'', ''1''),
    (''bytea_output'', ''hex'')) AS setting(name, value)
  WHERE EXISTS (SELECT FROM need WHERE setting.name = ANY (need.names))
';

-- What a table is called among the settings: their names take no special characters.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."table_key"(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT md5(format(''%I.%I'', n.nspname, c.relname))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
';

-- The tables whose rows a change of this one can change by referential actions, to any depth, those that can change its
-- own rows in that way with direction 'up'. The table itself is there only if it is among them.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."reached"(relation oid, direction text) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH RECURSIVE action AS (
    SELECT CASE direction WHEN ''up'' THEN conrelid ELSE confrelid END AS source,
      CASE direction WHEN ''up'' THEN confrelid ELSE conrelid END AS target
    FROM pg_constraint
    WHERE contype = ''f'' AND conparentid = 0 AND (confdeltype IN (''c'', ''n'', ''d'') OR confupdtype IN (''c'', ''n'', ''d''))
  ), step(oid) AS (
    SELECT target FROM action WHERE source = relation
    UNION
    SELECT action.target FROM step JOIN action ON action.source = step.oid
  )
  SELECT oid FROM step
';

-- The foreign keys of a table by whose referential actions a change of another table changes its rows: whether a delete
-- there sets them to something else or deletes the row, whether a changed key there changes them, and whether that
-- changes the primary key.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."acting_keys"(relation oid)
RETURNS TABLE (sets boolean, deletes boolean, follows boolean, moves boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT f.confdeltype IN (''n'', ''d''), f.confdeltype = ''c'', f.confupdtype IN (''c'', ''n'', ''d''),
    f.confupdtype IN (''c'', ''n'', ''d'') AND EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND i.indkey::int2[] && f.conkey)
  FROM pg_constraint f
  WHERE f.contype = ''f'' AND f.conrelid = relation
    AND (f.confdeltype IN (''c'', ''n'', ''d'') OR f.confupdtype IN (''c'', ''n'', ''d''))
';

-- The condition that an update changes a key to which the table itself refers by a foreign key that acts: a referential
-- action then changes the same row once more. NULL for a table without such a key.
--
-- before, after: expressions for the row as it was and as it is, such as OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."self_key_sql"(relation oid, before text, after text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT string_agg(DISTINCT format(''%s.%I IS DISTINCT FROM %s.%2$I'', before, a.attname, after), '' OR '')
  FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = ANY (f.confkey)
  WHERE f.contype = ''f'' AND f.conrelid = relation AND f.confrelid = relation AND f.confupdtype IN (''c'', ''n'', ''d'')
';

-- What this statement has noted of rows with one entry for several changes (merge): since when, and for those of a resource
-- that have another key than at first: key → first key. NULL where it has not.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merged"(resource text, OUT since numeric, OUT keys jsonb)
LANGUAGE plpgsql STABLE
AS E'
DECLARE
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(''prisma_extension_audit.statement_'' || pg_trigger_depth(), true)\073
BEGIN
  IF starts_with(kept, moment || '' '') AND split_part(kept, '' '', 3) <> '''' THEN
    since := split_part(kept, '' '', 3)::numeric\073
    keys := substr(kept, length(concat_ws('' '', moment, split_part(kept, '' '', 2), since)) + 2)::jsonb -> resource\073
  END IF\073
END
';

-- Notes that one entry of this statement stands for several changes of a row, and what the row was called in between where
-- its key changed. The note lies behind the cause in that of statement_begins, so that the next statement, in the same
-- function too, begins without one: when the first such entry was written, and {resource: {key in between: first key}}.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merge"(resource text, id text, id_between text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  name text := ''prisma_extension_audit.statement_'' || pg_trigger_depth()\073
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(name, true)\073
  cause text := CASE WHEN starts_with(kept, moment || '' '') THEN split_part(kept, '' '', 2) ELSE '''' END\073
  since text := CASE WHEN starts_with(kept, moment || '' '') THEN split_part(kept, '' '', 3) ELSE '''' END\073
  keys jsonb := ''{}''\073
BEGIN
  IF since <> '''' AND id = id_between THEN
    RETURN kept\073
  END IF\073
  IF since = '''' THEN
    since := extract(epoch FROM clock_timestamp())\073
  ELSE
    keys := substr(kept, length(concat_ws('' '', moment, cause, since)) + 2)::jsonb\073
  END IF\073
  IF id <> id_between THEN
    keys := keys || jsonb_build_object(resource, coalesce(keys -> resource, ''{}'') || jsonb_build_object(id_between, id))\073
  END IF\073
  RETURN set_config(name, concat_ws('' '', moment, cause, since, keys), true)\073
END
';

-- The SQL expression for one side's key in a row of an implicit many-to-many table, a format with the row as %1$s. Its
-- column is known by its number, so it may have another name by now. NULL::text where it has been dropped.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_key_sql"(relation oid, options jsonb, side text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT coalesce((
    SELECT CASE
      WHEN c.redacted THEN format(''CASE WHEN %%1$s.%1$I IS NOT NULL THEN ''''[redacted]'''' END'', replaced.name)
      ELSE format(''left(%s, 255)'', "audit_logs_internal"."key_sql"(c.type, c.modifier, format(''%%1$s.%I'', replaced.name)))
    END
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN LATERAL (SELECT replace(c.name, ''%'', ''%%'') AS name) AS replaced
    WHERE c.number = (options #>> ARRAY[''link'', side, ''number''])::int), ''NULL::text'')
';

-- The keys in a row of an implicit many-to-many table that changed since audit_logs_watch, see drifted.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted_link"(
  relation oid, options jsonb, old_row anyelement, new_row anyelement,
  OUT a_before text, OUT b_before text, OUT a_after text, OUT b_after text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET "DateStyle" = 'ISO, MDY' SET "IntervalStyle" = 'postgres' SET "TimeZone" = 'UTC'
SET extra_float_digits = 1 SET bytea_output = 'hex'
AS E'
DECLARE
  a_key text := "audit_logs_internal"."link_key_sql"(relation, options, ''A'')\073
  b_key text := "audit_logs_internal"."link_key_sql"(relation, options, ''B'')\073
BEGIN
  EXECUTE concat_ws('', '', ''SELECT '' || format(a_key, ''($1)''), format(b_key, ''($1)''), format(a_key, ''($2)''), format(b_key, ''($2)''))
  INTO a_before, b_before, a_after, b_after USING old_row, new_row\073
END
';

-- The body of the function that the row triggers of an implicit many-to-many table call: a link is recorded on each side.
-- One change of keys may change a link twice. What it was in between is no link.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH side AS (
    SELECT s.*, options #>> ARRAY[''link'', s.name, ''resource''] AS resource,
      options #>> ARRAY[''link'', s.name, ''relation''] AS relation,
      coalesce((options #>> ARRAY[''link'', s.name, ''recorded''])::boolean, true) AS is_recorded,
      "audit_logs_internal"."link_key_sql"(relation, options, s.name) AS key
    FROM (VALUES (''A'', ''B'', ''a'', ''b''), (''B'', ''A'', ''b'', ''a'')) AS s(name, other, variable, other_variable)
  ), statement AS (
    SELECT verb.position, side.name, "audit_logs_internal"."entry_sql"(log,
      quote_literal(side.resource || ''.'' || verb.name), quote_literal(side.resource), format(''%s_%s'', side.variable, verb.moment),
      format(''jsonb_build_object(''''relation'''', %L::text, ''''target'''', jsonb_build_object(''''type'''', %L::text, ''''id'''', %s_%s)) || extra'',
        side.relation, other.resource, side.other_variable, verb.moment)) || ''\073'' AS sql
    FROM side JOIN side AS other ON other.name = side.other
    CROSS JOIN (VALUES (1, ''disconnect'', ''before''), (2, ''connect'', ''after'')) AS verb(position, name, moment)
    WHERE side.is_recorded
  )
  SELECT format(
$body$
DECLARE
  context jsonb\073
  extra jsonb := ''{}''\073
  moment text := extract(epoch FROM statement_timestamp())\073
  passed text := current_setting(''prisma_extension_audit.passed_links'', true)\073
  is_passed boolean := false\073
  is_passing boolean := false\073
  a_before text\073
  b_before text\073
  a_after text\073
  b_after text\073
BEGIN
  IF TG_OP = ''UPDATE'' AND OLD IS NOT DISTINCT FROM NEW THEN
    RETURN NULL\073
  END IF\073
  BEGIN
    IF %1$s THEN
      RAISE undefined_column\073
    END IF\073
    a_before := %2$s\073
    b_before := %3$s\073
    a_after := %4$s\073
    b_after := %5$s\073
    IF TG_OP = ''UPDATE'' AND NOT row_security_active(TG_RELID) THEN
      is_passing := NOT EXISTS (SELECT FROM %6$s AS t WHERE t."A" = NEW."A" AND t."B" = NEW."B")\073
    END IF\073
  EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
    -- a migration changed the table since: the same once more, by the catalog as it is now
    SELECT * INTO a_before, b_before, a_after, b_after FROM "audit_logs_internal"."drifted_link"(TG_RELID, %7$L, OLD, NEW)\073
  END\073
  IF TG_NARGS = 1 THEN
    extra := "audit_logs_internal"."cause"(TG_ARGV[0],
      CASE TG_OP WHEN ''INSERT'' THEN %10$L WHEN ''UPDATE'' THEN %11$L ELSE %12$L END)\073
  END IF\073
  context := "audit_logs_internal"."attribution"()\073
  IF TG_OP = ''UPDATE'' THEN
    passed := CASE WHEN starts_with(passed, moment || '' '') THEN passed ELSE moment || '' '' END\073
    is_passed := strpos(passed, md5(OLD::text)) > 0\073
  END IF\073
  IF TG_OP <> ''INSERT'' AND NOT is_passed THEN
    %8$s
  END IF\073
  IF is_passing THEN
    passed := set_config(''prisma_extension_audit.passed_links'', passed || md5(NEW::text), true)\073
  ELSIF TG_OP <> ''DELETE'' THEN
    %9$s
  END IF\073
  RETURN NULL\073
END
$body$,
    "audit_logs_internal"."drift_sql"(relation, options, ''TG_RELID'', ''NEW'', false, (
      SELECT format(''TG_TABLE_NAME <> %L OR TG_TABLE_SCHEMA <> %L'', c.relname, n.nspname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation)),
    (SELECT format(key, ''OLD'') FROM side WHERE name = ''A''), (SELECT format(key, ''OLD'') FROM side WHERE name = ''B''),
    (SELECT format(key, ''NEW'') FROM side WHERE name = ''A''), (SELECT format(key, ''NEW'') FROM side WHERE name = ''B''),
    relation::regclass, options,
    coalesce(string_agg(sql, E''\\n    '' ORDER BY name) FILTER (WHERE position = 1), ''NULL\073''),
    coalesce(string_agg(sql, E''\\n    '' ORDER BY name) FILTER (WHERE position = 2), ''NULL\073''),
    link_function_sql.resource || ''.create'', link_function_sql.resource || ''.update'', link_function_sql.resource || ''.delete'')
  FROM statement
';

-- Whether a table has triggers of somebody else's of this kind, AFTER ROW or BEFORE. Disabled ones count: they may be
-- enabled again.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."has_other_triggers"(relation oid, kind text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT EXISTS (
    SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = relation AND NOT t.tgisinternal AND p.pronamespace <> ''"audit_logs_internal"''::regnamespace
      -- 1: for each row, 2: before, 64: instead of
      AND CASE kind WHEN ''AFTER ROW'' THEN t.tgtype::int & 67 = 1 ELSE t.tgtype::int & 2 = 2 END)
';

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
AS E'
  SELECT CASE
    WHEN options ? ''link'' OR c.relkind <> ''r'' OR c.relispartition
      OR EXISTS (SELECT FROM pg_inherits i WHERE relation IN (i.inhrelid, i.inhparent))
      OR EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = relation)
      OR "audit_logs_internal"."has_other_triggers"(relation, ''AFTER ROW'')
    THEN ''{}''
    WHEN relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, ''down''))
      OR EXISTS (SELECT FROM "audit_logs_internal"."reached"(relation, ''down'') AS r(oid)
        WHERE "audit_logs_internal"."has_other_triggers"(r.oid, ''BEFORE''))
      OR (SELECT bool_or(k.sets) AND bool_or(k.deletes) OR count(*) > 1 AND bool_or(k.moves)
        FROM "audit_logs_internal"."acting_keys"(relation) AS k)
    THEN ''{INSERT}''
    ELSE ''{INSERT,UPDATE,DELETE}''
  END::text[]
  FROM pg_class c WHERE c.oid = relation
';

-- The query that gives the changes of a statement from its transition tables, which are called __audit_before and
-- __audit_after: row_id, before, after, changed.
--
-- part: the expressions of row_sql for rows called OLD and NEW
-- is_reached: referential actions updated the rows, maybe several of them the same row
CREATE OR REPLACE FUNCTION "audit_logs_internal"."changes_sql"(relation oid, part jsonb, operation text, is_reached boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  rows_before text := ''SELECT row_number() OVER () AS __audit_position, * FROM __audit_before''\073
  rows_after text := ''SELECT row_number() OVER () AS __audit_position, * FROM __audit_after''\073
  -- both tables are filled in the same order
  is_pair text := ''OLD.__audit_position = NEW.__audit_position''\073
  key_columns text[] := "audit_logs_internal"."key_columns"(relation)\073
BEGIN
  IF operation = ''INSERT'' THEN
    RETURN format(''SELECT %s AS row_id, NULL::jsonb AS before, %s AS after, NULL::text[] AS changed FROM __audit_after AS NEW'',
      part ->> ''id_after'', part ->> ''row_after'')\073
  ELSIF operation = ''DELETE'' THEN
    RETURN format(''SELECT %s AS row_id, %s AS before, NULL::jsonb AS after, NULL::text[] AS changed FROM __audit_before AS OLD'',
      part ->> ''id_before'', part ->> ''row_before'')\073
  END IF\073
  IF is_reached AND key_columns IS NOT NULL THEN
    -- they left its key alone, so what a row was at first goes with what it was at last. Keys are compared by the
    -- operators of their types, wherever those are
    SELECT
      format(''SELECT DISTINCT ON (%s) * FROM (%s) AS r ORDER BY %1$s, __audit_position'', list, rows_before),
      format(''SELECT DISTINCT ON (%s) * FROM (%s) AS r ORDER BY %1$s, __audit_position DESC'', list, rows_after),
      format(''ROW(%s)::record = ROW(%s)::record'', before, after)
    INTO rows_before, rows_after, is_pair
    FROM (
      SELECT string_agg(quote_ident(name), '', '') AS list, string_agg(format(''OLD.%I'', name), '', '') AS before,
        string_agg(format(''NEW.%I'', name), '', '') AS after
      FROM unnest(key_columns) AS name
    ) AS key\073
  END IF\073
  -- each row has its pair, so FULL JOIN gives what JOIN would. But it is never done by nested loops, which the plan that
  -- a session keeps from a first statement with few rows would be
  RETURN format(
    ''SELECT * FROM (
      SELECT %s AS row_id, %s AS before, %s AS after, %s AS changed
      FROM (%s) AS OLD FULL JOIN (%s) AS NEW ON %s
      ORDER BY OLD.__audit_position
    ) AS pair WHERE changed <> ''''{}'''''',
    part ->> ''id_before'', part ->> ''row_before'', part ->> ''row_after'', part ->> ''changed'', rows_before, rows_after, is_pair)\073
END
';

-- The INSERT of the entries of a statement. It names the variables context and extra: who made the changes, and what their
-- details have in common.
--
-- part, is_reached: as for changes_sql
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_sql"(
  relation oid, resource text, options jsonb, log text, part jsonb, operation text, is_reached boolean
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT "audit_logs_internal"."entry_sql"(log,
      quote_literal(resource || CASE operation WHEN ''INSERT'' THEN ''.create'' WHEN ''UPDATE'' THEN ''.update'' ELSE ''.delete'' END),
      quote_literal(resource), ''row_id'',
      CASE operation
        WHEN ''INSERT'' THEN ''jsonb_build_object(''''after'''', after)''
        WHEN ''DELETE'' THEN ''jsonb_build_object(''''before'''', before)''
        ELSE format(''jsonb_build_object(''''before'''', %s, ''''after'''', %s, ''''changed'''', changed)'',
          "audit_logs_internal"."snapshot_sql"(options, ''before''), "audit_logs_internal"."snapshot_sql"(options, ''after''))
      END || '' || extra'',
      ''('' || "audit_logs_internal"."changes_sql"(relation, part, operation, is_reached) || '') AS change'')
';

-- The part of a table's function that returns where a referential action found no row, which most of those do that a delete
-- sets off in a large schema. Empty where they have no trigger of their own, or none can come.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."no_rows_sql"(relation oid, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT CASE
    WHEN ''DELETE'' = ANY ("audit_logs_internal"."events_by_statement"(relation, options))
      AND EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation))
    THEN $body$
  IF TG_LEVEL = ''STATEMENT'' AND TG_OP <> ''INSERT'' AND TG_ARGV[0] <> ''0'' THEN
    IF NOT EXISTS (SELECT FROM __audit_before) THEN
      RETURN NULL\073
    END IF\073
  END IF\073
$body$
    ELSE ''''
  END
';

-- The part of a table's function that looks at the rows of a statement: whether there are many, and if not, what the
-- entry of its one row has. All in one query, as each costs more than what it does here. Empty where every row has a
-- trigger of its own.
--
-- part: the expressions of row_sql for rows called OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."single_sql"(relation oid, options jsonb, part jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT string_agg(format($body$
      IF TG_OP = %1$L THEN
        SELECT EXISTS (SELECT FROM %2$s OFFSET 1), %3$s, %4$s
        INTO are_many, is_drifted, %5$s
        FROM %6$s LIMIT 1\073
      END IF\073
$body$,
      operation,
      CASE operation WHEN ''DELETE'' THEN ''__audit_before'' ELSE ''__audit_after'' END,
      "audit_logs_internal"."drift_sql"(relation, options, ''TG_RELID'',
        CASE operation WHEN ''DELETE'' THEN ''OLD'' ELSE ''NEW'' END, true, NULL),
      CASE operation
        WHEN ''INSERT'' THEN concat_ws('', '', part ->> ''id_after'', part ->> ''row_after'')
        WHEN ''DELETE'' THEN concat_ws('', '', part ->> ''id_before'', part ->> ''row_before'')
        ELSE concat_ws('', '', part ->> ''id_before'', part ->> ''row_before'', part ->> ''row_after'', part ->> ''changed'')
      END,
      CASE operation WHEN ''INSERT'' THEN ''row_id, after'' WHEN ''DELETE'' THEN ''row_id, before'' ELSE ''row_id, before, after, changed'' END,
      CASE operation WHEN ''INSERT'' THEN ''__audit_after AS NEW'' WHEN ''DELETE'' THEN ''__audit_before AS OLD''
        ELSE ''__audit_before AS OLD, __audit_after AS NEW'' END
    ), '''' ORDER BY operation)
  FROM unnest("audit_logs_internal"."events_by_statement"(relation, options)) AS operation
';

-- The part of a table's function that records a statement with more than one row, from its transition tables. NULL where
-- every row has a trigger of its own.
--
-- part: the expressions of row_sql for rows called OLD and NEW
-- own_action: an expression for what the statement does
CREATE OR REPLACE FUNCTION "audit_logs_internal"."many_sql"(
  relation oid, resource text, options jsonb, log text, own_action text, part jsonb
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT $body$
  IF are_many THEN
    IF TG_NARGS = 1 THEN
      extra := "audit_logs_internal"."cause"(TG_ARGV[0], $body$ || own_action || $body$)\073
    END IF\073
$body$ || string_agg(format($body$
    IF TG_OP = %1$L %2$s THEN
      IF is_drifted THEN
        EXECUTE "audit_logs_internal"."statement_sql"(TG_RELID, %3$L, %4$L, %5$L,
            to_jsonb("audit_logs_internal"."row_sql"(TG_RELID, %4$L, ''OLD'', ''NEW'')), TG_OP, %6$L)
          || '', (SELECT $1 AS context, $2 AS extra) AS given'' USING context, extra\073
      ELSE
        %7$s\073
      END IF\073
    END IF\073
$body$,
    branch.operation,
    CASE WHEN branch.is_reached THEN ''AND TG_ARGV[0] <> ''''0'''''' WHEN branch.is_either THEN ''AND TG_ARGV[0] = ''''0'''''' END,
    resource, options, log, branch.is_reached,
    "audit_logs_internal"."statement_sql"(relation, resource, options, log, part, branch.operation, branch.is_reached)
  ), '''') || $body$
    RETURN NULL\073
  END IF\073
$body$
  FROM (
    SELECT e.operation, way.is_reached, e.is_either
    FROM (
      -- that referential actions updated rows makes a difference where several may have updated one
      SELECT operation, operation = ''UPDATE''
        AND (SELECT count(*) > 1 FROM "audit_logs_internal"."acting_keys"(relation)) AS is_either
      FROM unnest("audit_logs_internal"."events_by_statement"(relation, options)) AS operation
    ) AS e
    CROSS JOIN LATERAL unnest(CASE WHEN e.is_either THEN ''{t,f}'' ELSE ''{f}'' END::boolean[]) AS way(is_reached)
  ) AS branch
';

-- One statement may change a row twice: by two foreign keys, or by its own and then by a referential action. There is one
-- entry for both, and the first event writes it, for when it fires the row already is what the last one made of it. The
-- later events find that entry. Only tables to which this can happen get the parts of their function that this takes.
--
-- The row is read by the table's name, with the rights of whoever watches it. Where it has another name by now, or
-- row-level security applies to that role, each change has an entry of its own.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merging_sql"(
  relation oid, own_relation text, options jsonb, resource text, log text, id_before text, id_after text
) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  key_columns text[] := "audit_logs_internal"."key_columns"(relation)\073
  -- a key that a referential action changes no longer finds its row
  is_moved boolean := EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation) AS k WHERE k.moves)\073
BEGIN
  IF key_columns IS NULL OR NOT (
    relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, ''down''))
    OR (SELECT count(*) > 1 FROM "audit_logs_internal"."acting_keys"(relation)))
  THEN
    RETURN ''{"declare": "", "begin": "", "look": "", "skip": ""}''\073
  END IF\073
  RETURN jsonb_build_object(
    ''declare'', ''  latest record\073
  merged record\073'',
    ''look'', format(
$body$
    IF TG_OP = ''UPDATE'' AND NOT row_security_active(%8$s) THEN
      SELECT %7$s INTO latest FROM %1$s AS t WHERE %2$s\073
      IF (CASE WHEN FOUND THEN latest *<> NEW ELSE %3$s END) THEN
        noted := "audit_logs_internal"."merge"(%4$L, %5$s, %6$s)\073
        IF FOUND THEN
          NEW := latest\073
        ELSE
          operation := ''DELETE''\073
        END IF\073
      END IF\073
    END IF\073
$body$, relation::regclass,
      (SELECT string_agg(format(''t.%1$I = NEW.%1$I'', name), '' AND '') FROM unnest(key_columns) AS name),
      CASE WHEN is_moved THEN ''false'' ELSE ''true'' END, resource, id_before, id_after,
      -- NEW has no values of virtual generated columns
      (SELECT string_agg(CASE WHEN computed IS NULL THEN format(''t.%I'', name)
          ELSE format(''NULL::%s'', format_type(type, modifier)) END, '', '' ORDER BY number)
        FROM "audit_logs_internal"."columns"(relation, options)),
      own_relation),
    ''skip'', format(
$body$
  IF operation <> ''INSERT'' THEN
    merged := "audit_logs_internal"."merged"(%2$L)\073
    IF merged.since IS NOT NULL AND EXISTS (SELECT FROM %1$s AS e
      WHERE e.resource_type = %2$L AND e.resource_id IN (row_id, merged.keys ->> row_id)
        AND e."timestamp" >= statement_timestamp() AND extract(epoch FROM e."timestamp") >= merged.since
        AND e.transaction_id = (pg_current_xact_id()::text)::bigint AND e.outcome = ''success''
        AND (e.action = %3$L OR operation = ''UPDATE'' AND e.details -> ''after'' @> %4$s))
    THEN
      RETURN NULL\073
    END IF\073
  END IF\073
$body$, log, resource, resource || ''.delete'', "audit_logs_internal"."snapshot_sql"(options, ''after'')))\073
END
';

-- The body of the function that the triggers of a table's rows call. Where one fires once for a statement, and that changed
-- one row, as most do, the function goes on as if it had fired for that row: a query for many rows costs more.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  part record\073
  kind "char" := (SELECT relkind FROM pg_class WHERE oid = relation)\073
  -- the triggers of a partitioned table fire in its partitions
  own_relation text := CASE kind WHEN ''p'' THEN quote_literal(relation::regclass) || ''::regclass::oid'' ELSE ''TG_RELID'' END\073
  action text := format(''CASE operation WHEN ''''INSERT'''' THEN %L WHEN ''''UPDATE'''' THEN %L ELSE %L END'',
    resource || ''.create'', resource || ''.update'', resource || ''.delete'')\073
  merges jsonb\073
  -- how a trigger learns what changed: of one that fires for a statement, and of one that fires for a row
  single text\073
  look text\073
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(relation, options, ''OLD'', ''NEW'')\073
  merges := "audit_logs_internal"."merging_sql"(
    relation, own_relation, options, resource, log, part.id_before, part.id_after)\073
  look := format(
$body$
%7$s
      IF %1$s THEN
        RAISE undefined_column\073
      END IF\073
%8$s
      IF operation = ''INSERT'' THEN
        row_id := %2$s\073
        after := %3$s\073
      ELSIF operation = ''DELETE'' THEN
        row_id := %4$s\073
        before := %5$s\073
      ELSE
        changed := %6$s\073
        IF changed = ''{}'' THEN
          RETURN NULL\073
        END IF\073
        row_id := %4$s\073
        before := %5$s\073
        after := %3$s\073
      END IF\073
$body$,
    "audit_logs_internal"."drift_sql"(relation, options, own_relation, ''NEW'', false,
      CASE WHEN kind <> ''p'' AND merges ->> ''look'' <> '''' THEN
        (SELECT format(''TG_TABLE_NAME <> %L OR TG_TABLE_SCHEMA <> %L'', c.relname, n.nspname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation) END),
    part.id_after, part.row_after, part.id_before, part.row_before, part.changed,
    -- the row changes once more, and its entry is written by the trigger that fires after that
    coalesce($body$    IF TG_OP = ''UPDATE'' AND TG_NAME LIKE ''!%'' AND ($body$ || "audit_logs_internal"."self_key_sql"(relation, ''OLD'', ''NEW'')
      || $body$) THEN
      RETURN NULL\073
    END IF\073$body$, ''''),
    merges ->> ''look'')\073
  single := "audit_logs_internal"."single_sql"(relation, options, to_jsonb(part)) || $body$
      IF NOT FOUND THEN
        RETURN NULL\073
      END IF\073
$body$\073
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."row_triggers"(relation, options) AS t WHERE t.level = ''ROW'') THEN
    look := single\073
  ELSIF single IS NOT NULL THEN
    look := format(''IF TG_LEVEL = ''''STATEMENT'''' THEN %s ELSE %s END IF\073'', single, look)\073
  END IF\073
  RETURN format(
$body$
#variable_conflict use_column
DECLARE
  context jsonb\073
  extra jsonb := ''{}''\073
  operation text := TG_OP\073
  row_id text\073
  before jsonb\073
  after jsonb\073
  changed text[]\073
  noted text\073
  are_many boolean := false\073
  is_drifted boolean := false\073
%1$s
BEGIN
%2$s
  BEGIN
%3$s
  EXCEPTION
    WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function OR syntax_error THEN
      is_drifted := true\073
  END\073
  IF is_drifted THEN
    -- a migration changed the table since: the same by the catalog as it is now
    IF TG_LEVEL = ''STATEMENT'' THEN
      are_many := true\073
    ELSE
      SELECT * INTO row_id, before, after, changed
      FROM "audit_logs_internal"."drifted"(TG_RELID, TG_NAME, operation, %4$L, OLD, NEW)\073
    END IF\073
  END IF\073
  IF changed = ''{}'' AND NOT are_many THEN
    RETURN NULL\073
  END IF\073
%5$s
  context := "audit_logs_internal"."attribution"()\073
%6$s
  %7$s
  RETURN NULL\073
END
$body$,
    merges ->> ''declare'',
    "audit_logs_internal"."no_rows_sql"(relation, options),
    look, options, merges ->> ''skip'',
    "audit_logs_internal"."many_sql"(relation, resource, options, log, action, to_jsonb(part)),
    "audit_logs_internal"."entry_sql"(log, action, quote_literal(resource), ''row_id'',
      format($body$CASE operation WHEN ''INSERT'' THEN jsonb_build_object(''after'', after)
        WHEN ''DELETE'' THEN jsonb_build_object(''before'', before)
        ELSE jsonb_build_object(''before'', %s, ''after'', %s, ''changed'', changed) END
        || CASE WHEN TG_NARGS = 1 THEN "audit_logs_internal"."cause"(TG_ARGV[0], %s) ELSE ''{}'' END$body$,
        "audit_logs_internal"."snapshot_sql"(options, ''before''), "audit_logs_internal"."snapshot_sql"(options, ''after''), action)) || ''\073'')\073
END
';

-- The body of the function that a table's TRUNCATE trigger calls, before the rows go. They are counted up to a bound,
-- above it, or where row-level security hides rows from whoever watches, the planner's estimate stands in details.rows,
-- marked as one.
--
-- A partition has such a trigger, too, for a TRUNCATE that names it. Where one of the table above it reaches it, the
-- entry of that table is there already and counts its rows.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncate_function_sql"(resource text, log text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(
$body$
DECLARE
  context jsonb := "audit_logs_internal"."attribution"()\073
  bound CONSTANT bigint := 100000\073
  rows bigint\073
  is_hidden boolean := row_security_active(TG_RELID)\073
  is_partitioned boolean := EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND c.relkind = ''p'')\073
  is_partition boolean := EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND c.relispartition)\073
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(''prisma_extension_audit.truncated'', true)\073
  reached text[] := CASE WHEN starts_with(kept, moment || '' '') THEN string_to_array(split_part(kept, '' '', 2), '','') ELSE ''{}'' END\073
BEGIN
  IF TG_RELID::text = ANY (reached) AND is_partition THEN
    kept := set_config(''prisma_extension_audit.truncated'',
      moment || '' '' || array_to_string(array_remove(reached, TG_RELID::text), '',''), true)\073
    IF EXISTS (SELECT FROM %1$s AS e WHERE e.action = %2$L AND e.timestamp >= statement_timestamp()
      AND e.transaction_id = (pg_current_xact_id()::text)::bigint)
    THEN
      RETURN NULL\073
    END IF\073
  END IF\073
  EXECUTE format(''SELECT count(*) FROM (SELECT FROM %%s %%I.%%I LIMIT %%s) AS r'',
    CASE WHEN is_partitioned THEN '''' ELSE ''ONLY'' END, TG_TABLE_SCHEMA, TG_TABLE_NAME, bound + 1) INTO rows\073
  IF rows > bound OR is_hidden THEN
    rows := (SELECT greatest(rows, sum(c.reltuples)::bigint) FROM pg_class c
      WHERE c.oid = TG_RELID AND NOT is_partitioned OR c.oid IN (SELECT relid FROM pg_partition_tree(TG_RELID) WHERE isleaf))\073
  END IF\073
  IF is_partitioned THEN
    kept := set_config(''prisma_extension_audit.truncated'', moment || '' '' || (
      SELECT string_agg(relid::oid::text, '','') FROM pg_partition_tree(TG_RELID) WHERE relid <> TG_RELID), true)\073
  END IF\073
  %3$s\073
  RETURN NULL\073
END
$body$,
    log, resource || ''.truncate'',
    "audit_logs_internal"."entry_sql"(log, quote_literal(resource || ''.truncate''), quote_literal(resource), ''NULL'',
      $body$jsonb_build_object(''rows'', rows)
        || CASE WHEN rows > bound OR is_hidden THEN ''{"estimated": true}''::jsonb ELSE ''{}'' END
        || CASE WHEN is_partition THEN jsonb_build_object(''partition'', TG_RELID::regclass::text) ELSE ''{}'' END$body$))
';

-- The statements that make a trigger function with this body. It writes to the log with the privileges of its owner, and
-- sees its own names only. Nobody else may attach it to a table, which would forge entries.
--
-- settings: as settings_sql gives them
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_function_sql"(name text, settings text, body text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(
    ''CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog%2$s AS %3$L\073
     REVOKE ALL ON FUNCTION %1$s() FROM PUBLIC\073'', name, settings, body)
';

-- The tables that need a trigger for TRUNCATE to be recorded: the table, and its partitions, for such a trigger is not
-- cloned. Foreign tables have none before PostgreSQL 16.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncated_with"(relation oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT c.oid FROM pg_class c
  WHERE (c.oid = relation OR c.oid IN (SELECT relid FROM pg_partition_tree(relation))) AND c.relkind <> ''f''
';

CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncate_triggers_sql"(relation oid, function_name text, enable text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT coalesce(string_agg(format(
    ''CREATE TRIGGER "!audit_logs_row_truncate" BEFORE TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION %2$s()\073
     ALTER TABLE ONLY %1$s %3$s TRIGGER "!audit_logs_row_truncate"\073'', oid::regclass, function_name, enable), E''\\n''), '''')
  FROM "audit_logs_internal"."truncated_with"(relation) AS t(oid)
';

-- The one argument of a trigger: pg_trigger.tgargs has a zero byte behind it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_argument"(arguments bytea) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT convert_from(substring(arguments FOR octet_length(arguments) - 1), getdatabaseencoding())
';

-- The trigger before each statement on a table, wherever there is one, and what its argument says.
--
-- options is NULL where the table itself is not watched, but changes of it reach tables that are
CREATE OR REPLACE FUNCTION "audit_logs_internal"."watched"()
RETURNS TABLE (relation oid, enabled "char", argument text, resource text, options jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT t.tgrelid, t.tgenabled, a.text, split_part(a.text, '' '', 3),
    nullif(substr(a.text, length(split_part(a.text, '' '', 1) || split_part(a.text, '' '', 2) || split_part(a.text, '' '', 3)) + 4), '''')::jsonb
  FROM pg_trigger t
  CROSS JOIN LATERAL (SELECT "audit_logs_internal"."trigger_argument"(t.tgargs) AS text) AS a
  WHERE t.tgname = ''!audit_logs_statement'' AND NOT t.tgisinternal
';

-- Whether changes of a table's rows are recorded by triggers.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."has_row_triggers"(relation oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT EXISTS (SELECT FROM pg_trigger t
    WHERE t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'' AND NOT t.tgisinternal)
';

-- What a client has to know of a table to write to it: how it is watched, and which tables that its changes can reach are.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."fingerprint"(relation oid, resource text, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT md5(concat_ws('' '', resource, options, (
    SELECT string_agg("audit_logs_internal"."table_key"(reached.oid), '' '' ORDER BY "audit_logs_internal"."table_key"(reached.oid))
    FROM "audit_logs_internal"."reached"(relation, ''down'') AS reached(oid)
    WHERE "audit_logs_internal"."has_row_triggers"(reached.oid))))
';

-- Makes a trigger before each statement on a table, with this argument, or removes it where there is none.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."set_statement_trigger"(
  relation oid, trigger_name text, wanted_state "char", wanted text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  current record\073
BEGIN
  SELECT t.tgenabled AS state, "audit_logs_internal"."trigger_argument"(t.tgargs) AS argument INTO current
  FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgname = trigger_name AND NOT t.tgisinternal\073
  IF wanted IS NULL THEN
    IF FOUND THEN
      EXECUTE format(''DROP TRIGGER %I ON %s'', trigger_name, relation::regclass)\073
    END IF\073
  ELSIF current.argument IS DISTINCT FROM wanted OR current.state IS DISTINCT FROM wanted_state THEN
    EXECUTE format(
      ''CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."statement_begins"(%L)'', trigger_name, relation::regclass, wanted)\073
    EXECUTE format(''ALTER TABLE %s %s TRIGGER %I'', relation::regclass,
      CASE wanted_state WHEN ''A'' THEN ''ENABLE ALWAYS'' WHEN ''O'' THEN ''ENABLE'' WHEN ''R'' THEN ''ENABLE REPLICA'' ELSE ''DISABLE'' END, trigger_name)\073
  END IF\073
END
';

-- Makes the trigger before each statement on a table as it has to be now, or removes it where neither the table nor anything
-- that its changes reach is watched. Where somebody disabled it, it stays so, and another one says from now on what the
-- table reaches: a client that saw no note before must see that something has changed.
--
-- resource, options: how the table is watched from now on, NULL where it is not
CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_statement_trigger"(relation oid, resource text, options jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  reaches boolean := EXISTS (SELECT FROM "audit_logs_internal"."reached"(relation, ''down'') AS r(oid)
    WHERE "audit_logs_internal"."has_row_triggers"(r.oid))\073
  -- that of the triggers that record the rows, where there are any
  state "char" := coalesce(
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'' ORDER BY t.tgname LIMIT 1),
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname = ''!audit_logs_statement'' AND NOT t.tgisinternal), ''A'')\073
  name text := coalesce(resource, (SELECT lower(left(relname, 1)) || substr(relname, 2) FROM pg_class WHERE oid = relation))\073
  argument text := concat_ws('' '', "audit_logs_internal"."table_key"(relation),
    "audit_logs_internal"."fingerprint"(relation, name, options), replace(name, '' '', ''_''), options)\073
BEGIN
  PERFORM "audit_logs_internal"."set_statement_trigger"(relation, ''!audit_logs_statement'', state,
    CASE WHEN options IS NOT NULL OR reaches THEN argument END)\073
  PERFORM "audit_logs_internal"."set_statement_trigger"(relation, ''!audit_logs_reach'', ''A'',
    -- with a fingerprint of its own: the other one says that the rows are recorded
    CASE WHEN state = ''D'' THEN regexp_replace(argument, '' '', '' disabled:'') END)\073
END
';

-- After a table came to be watched, or no longer is: what the statement triggers of the tables that reach it say. The
-- tables are locked first, in one order, so that no statement that reaches this table is under way.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."lock_with_ancestors"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  locked oid\073
BEGIN
  FOR locked IN
    SELECT c.oid FROM pg_class c
    WHERE c.oid IN (SELECT relation UNION SELECT * FROM "audit_logs_internal"."reached"(relation, ''up''))
      AND c.relkind <> ''f'' -- foreign tables take no explicit lock
    ORDER BY c.oid
  LOOP
    EXECUTE format(''LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE'', locked::regclass)\073
  END LOOP\073
END
';

CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_ancestors"(relation oid) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog
AS E'
  SELECT "audit_logs_internal"."renew_statement_trigger"(ancestor.oid, CASE WHEN w.options IS NOT NULL THEN w.resource END, w.options)
  FROM "audit_logs_internal"."reached"(relation, ''up'') AS ancestor(oid)
  LEFT JOIN "audit_logs_internal"."watched"() AS w ON w.relation = ancestor.oid
  WHERE ancestor.oid <> renew_ancestors.relation
';

-- The quoted name of a table's trigger function, as near to the table's own as others leave free: a table that was renamed
-- keeps its functions, and their names, and those of a table that was dropped stay, maybe another role's. A name holds 63
-- bytes.
--
-- kind: 'truncate', or NULL
CREATE OR REPLACE FUNCTION "audit_logs_internal"."function_name"(relation oid, kind text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT ''"audit_logs_internal".'' || quote_ident(candidate.name)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT concat_ws('' '', n.nspname || ''.'' || c.relname, kind) AS name) AS wanted
  CROSS JOIN generate_series(1, 1000) AS attempt
  CROSS JOIN LATERAL (SELECT CASE attempt WHEN 1 THEN wanted.name ELSE wanted.name || '' '' || attempt END AS name) AS numbered
  CROSS JOIN LATERAL (SELECT CASE WHEN octet_length(numbered.name) <= 63 THEN numbered.name
    ELSE concat_ws('' '', md5(numbered.name), kind) END AS name) AS candidate
  WHERE c.oid = relation AND NOT EXISTS (
    SELECT FROM pg_proc p
    WHERE p.pronamespace = ''"audit_logs_internal"''::regnamespace AND p.proname = candidate.name
      AND (NOT pg_has_role(p.proowner, ''USAGE'')
        OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid = relation)))
  ORDER BY attempt LIMIT 1
';

-- The triggers that record a table's rows, as parts of CREATE TRIGGER.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_triggers"(relation oid, options jsonb)
RETURNS TABLE (name text, level text, events text, transition text, condition text, argument text)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH fact AS (
    SELECT "audit_logs_internal"."events_by_statement"(relation, options) AS by_statement,
      "audit_logs_internal"."self_key_sql"(relation, ''OLD'', ''NEW'') AS self_key,
      EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation)) AS is_reached
  ), depth AS (
    -- when a trigger''s condition is evaluated the row is changing: by the statement at depth 0, or deeper
    SELECT d.* FROM (VALUES
      ('''', NULL, '''', false),
      (''_0'', ''pg_trigger_depth() = 0'', ''''''0'''''', true),
      (''_1'', ''pg_trigger_depth() = 1'', ''''''1'''''', true),
      (''_2'', ''pg_trigger_depth() > 1'', ''''''2'''''', true)
    ) AS d(suffix, condition, argument, is_reached)
    JOIN fact ON fact.is_reached = d.is_reached
  ), event AS (
    SELECT e.*, e.name = ANY (fact.by_statement) AS is_by_statement
    FROM fact CROSS JOIN (VALUES (''INSERT'', ''NEW TABLE AS __audit_after''),
      (''UPDATE'', ''OLD TABLE AS __audit_before NEW TABLE AS __audit_after''), (''DELETE'', ''OLD TABLE AS __audit_before'')) AS e(name, transition)
  )
  -- triggers fire in the order of their names: first ours, but where a referential action changes the same row once
  -- more, right after those of foreign keys, which are called RI_ConstraintTrigger_a_16408 and so on
  SELECT moment.prefix || ''!audit_logs_row'' || depth.suffix, ''ROW'', moment.events, '''', concat_ws('' AND '', depth.condition, moment.condition),
    depth.argument
  FROM depth
  CROSS JOIN (
    SELECT '''' AS prefix, string_agg(event.name, '' OR '') AS events, NULL AS condition FROM event WHERE NOT event.is_by_statement
    UNION ALL
    SELECT ''RI_ConstraintTrigger_z'', ''UPDATE'', ''('' || fact.self_key || '')'' FROM fact WHERE fact.self_key IS NOT NULL
  ) AS moment
  WHERE moment.events IS NOT NULL
  UNION ALL
  SELECT ''!audit_logs_row_'' || lower(event.name) || depth.suffix, ''STATEMENT'', event.name, ''REFERENCING '' || event.transition,
    depth.condition, depth.argument
  FROM event JOIN depth ON depth.suffix = '''' OR event.name <> ''INSERT''
  WHERE event.is_by_statement
  UNION ALL
  -- no referential action inserts
  SELECT ''!audit_logs_row_insert'', ''STATEMENT'', event.name, ''REFERENCING '' || event.transition, '''', ''''
  FROM event CROSS JOIN fact
  WHERE event.is_by_statement AND event.name = ''INSERT'' AND fact.is_reached
';

-- The statements that make the functions of a table, and the triggers of its rows.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."definition_sql"(
  relation oid, resource text, options jsonb, log text, is_origin boolean
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  row_function text := "audit_logs_internal"."function_name"(relation, NULL)\073
  enable text := CASE WHEN is_origin THEN ''ENABLE'' ELSE ''ENABLE ALWAYS'' END\073
BEGIN
  RETURN
    "audit_logs_internal"."trigger_function_sql"(row_function, "audit_logs_internal"."settings_sql"(relation, options),
      CASE WHEN options ? ''link'' THEN "audit_logs_internal"."link_function_sql"(relation, resource, options, log)
        ELSE "audit_logs_internal"."row_function_sql"(relation, resource, options, log) END)
    || "audit_logs_internal"."trigger_function_sql"("audit_logs_internal"."function_name"(relation, ''truncate''), '''',
      "audit_logs_internal"."truncate_function_sql"(resource, log))
    || (SELECT string_agg(format(
        ''CREATE TRIGGER %1$I AFTER %2$s ON %3$s %4$s FOR EACH %5$s %6$s EXECUTE FUNCTION %7$s(%8$s)\073
         ALTER TABLE %3$s %9$s TRIGGER %1$I\073'',
        t.name, t.events, relation::regclass, t.transition, t.level,
        coalesce(''WHEN ('' || nullif(t.condition, '''') || '')'', ''''), row_function, t.argument, enable), E''\\n'' ORDER BY t.name)
      FROM "audit_logs_internal"."row_triggers"(relation, options) AS t)\073
END
';

-- Removes the triggers that record a table, with their functions: those of its partitions, too, and of a table that was
-- one once.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drop_row_triggers"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  functions oid[]\073
  found record\073
BEGIN
  functions := ARRAY(SELECT DISTINCT p.oid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%''
      AND p.pronamespace = ''"audit_logs_internal"''::regnamespace)\073
  FOR found IN SELECT t.tgname, t.tgrelid::regclass AS name FROM pg_trigger t
    WHERE (t.tgfoid = ANY (functions) OR t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'')
      AND t.tgparentid = 0 AND NOT t.tgisinternal
  LOOP
    EXECUTE format(''DROP TRIGGER %I ON %s'', found.tgname, found.name)\073
  END LOOP\073
  FOR found IN SELECT unnest(functions)::regprocedure AS name LOOP
    EXECUTE format(''DROP FUNCTION %s'', found.name)\073
  END LOOP\073
END
';

-- Whether the triggers of a watched table are those that definition_sql makes, in the same state, in its partitions, too.
--
-- triggers: how many record its rows
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_whole"(relation oid, enabled "char", triggers integer) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH trigger AS (
    SELECT t.*, p.oid IS NOT NULL AS is_ours
    FROM pg_trigger t
    LEFT JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = ''"audit_logs_internal"''::regnamespace
    WHERE t.tgname LIKE ''%!audit\\_logs\\_row%'' AND NOT t.tgisinternal
      AND (t.tgrelid = relation OR t.tgrelid IN (SELECT relid FROM pg_partition_tree(relation)))
  )
  SELECT coalesce(bool_and(tgenabled = enabled AND is_ours), false)
    AND count(*) FILTER (WHERE tgname = ''!audit_logs_row_truncate'')
      = (SELECT count(*) FROM "audit_logs_internal"."truncated_with"(relation))
    AND count(*) FILTER (WHERE tgname <> ''!audit_logs_row_truncate'' AND tgrelid = relation)
      = triggers
  FROM trigger
';

-- Writes an entry about the log itself.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."record_own"(log text, action text, id text, details jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  EXECUTE "audit_logs_internal"."entry_sql"(log, ''$2'', ''''''auditLog'''''', ''left($3, 255)'', ''$4'', ''(SELECT $1 AS context) AS c'')
  USING "audit_logs_internal"."attribution"(), action, id, details\073
END
';

CREATE OR REPLACE FUNCTION "audit_logs_internal"."watch"(relation oid, resource text, options jsonb, log oid)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  log_table text := (SELECT format(''%I.%I'', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  target record\073
  wanted jsonb\073
  is_origin boolean\073
  definition text\073
  previous record\073
  child oid\073
BEGIN
  IF relation IS NULL OR resource IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = ''a table and its resource must be given to watch it'',
      HINT = ''Give both, such as ''''"public"."Order"'''' and ''''order''''.''\073
  END IF\073
  SELECT c.relkind, format(''%I.%I'', n.nspname, c.relname) AS name, CASE
      WHEN c.oid = log THEN ''the audit log itself''
      WHEN c.relpersistence = ''t'' THEN ''a temporary table''
      WHEN c.relispartition THEN ''a partition''
      WHEN c.relkind NOT IN (''r'', ''p'', ''f'') THEN ''not a table''
    END AS problem
  INTO target
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation\073
  IF target.problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = format(''%s cannot be watched: it is %s'', target.name, target.problem),
      HINT = CASE target.problem WHEN ''a partition'' THEN ''Watch the partitioned table.'' ELSE ''Watch the tables behind a view.'' END\073
  END IF\073
  IF resource !~ ''^[^[:space:].]{1,89}$'' THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = format(''%L cannot be the resource of %s'', resource, target.name),
      HINT = ''A resource is a word of at most 89 characters without dots, such as orderItem.''\073
  END IF\073

  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation)\073
  wanted := "audit_logs_internal"."normalized_options"(relation, options)\073
  is_origin := coalesce((options -> ''origin'')::boolean, false)\073
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = watch.relation\073
  definition := "audit_logs_internal"."definition_sql"(relation, resource, wanted, log_table, is_origin)\073
  wanted := wanted || jsonb_build_object(''definition'', md5(definition), ''log'', log_table,
    ''triggers'', (SELECT count(*) FROM "audit_logs_internal"."row_triggers"(relation, wanted)))\073

  IF previous.resource IS DISTINCT FROM resource OR previous.options IS DISTINCT FROM wanted
    OR previous.enabled IS DISTINCT FROM (CASE WHEN is_origin THEN ''O'' ELSE ''A'' END)::"char"
    OR NOT "audit_logs_internal"."is_whole"(relation, previous.enabled, (wanted ->> ''triggers'')::int)
  THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation)\073
    EXECUTE definition\073
    EXECUTE "audit_logs_internal"."truncate_triggers_sql"(relation, "audit_logs_internal"."function_name"(relation, ''truncate''),
      CASE WHEN is_origin THEN ''ENABLE'' ELSE ''ENABLE ALWAYS'' END)\073
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, resource, wanted)\073
    PERFORM "audit_logs_internal"."record_own"(log_table, ''auditLog.watch'', target.name, jsonb_build_object(
      ''table'', target.name, ''resource'', resource, ''options'', options))\073
    definition := ''''\073
  END IF\073
  -- also where a further foreign key leads here from a table that knows nothing of it yet
  PERFORM "audit_logs_internal"."renew_ancestors"(relation)\073

  -- a table that inherits has rows of its own, which are also the parent''s
  FOR child IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = relation AND NOT c.relispartition
  LOOP
    IF "audit_logs_internal"."watch"(child, resource, options, log) THEN
      definition := ''''\073
    END IF\073
  END LOOP\073
  RETURN definition = ''''\073
END
';

CREATE OR REPLACE FUNCTION "audit_logs_internal"."unwatch"(relation oid, log oid) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  log_table text := (SELECT format(''%I.%I'', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  name text := (SELECT format(''%I.%I'', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation)\073
  was_watched boolean\073
  previous record\073
  child oid\073
BEGIN
  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation)\073
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w
  WHERE w.relation = unwatch.relation AND w.options IS NOT NULL\073
  was_watched := previous.relation IS NOT NULL OR "audit_logs_internal"."has_row_triggers"(relation)\073
  IF was_watched THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation)\073
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, NULL, NULL)\073
    PERFORM "audit_logs_internal"."renew_ancestors"(relation)\073
    PERFORM "audit_logs_internal"."record_own"(log_table, ''auditLog.unwatch'', name, jsonb_strip_nulls(jsonb_build_object(
      ''table'', name, ''resource'', previous.resource)))\073
  END IF\073
  FOR child IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = relation AND NOT c.relispartition
  LOOP
    IF "audit_logs_internal"."unwatch"(child, log) THEN
      was_watched := true\073
    END IF\073
  END LOOP\073
  RETURN was_watched\073
END
';

-- Records every change of a table from now on, whoever makes it, by triggers that this function makes from the catalog,
-- or renews. Recorded as auditLog.watch. Gives false where everything was so already.
--
-- relation: the table, such as '"public"."Order"'
-- resource: what entries call it: order.create, order.update, order.delete
-- options: fields {"column": "field"} where they differ, redact ["field"], redactSecrets (true), ignore ["field"],
--   snapshot ("full" or "changed"), origin (false: the triggers fire ALWAYS), and for an implicit many-to-many table
--   link {"A": {"resource": "post", "relation": "tags"}, "B": {"resource": "tag", "relation": "posts"}}
--
-- The caller must own the table and be allowed to write entries: the triggers do it with his privileges.
--
-- SELECT audit_logs_watch('"public"."users"', 'user', '{"fields": {"password_hash": "passwordHash"}}')
CREATE OR REPLACE FUNCTION "audit_logs_watch"(relation regclass, resource text, options jsonb DEFAULT '{}')
RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET quote_all_identifiers = off
AS E'
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"))\073
BEGIN
  IF NOT pg_catalog.has_table_privilege(log, ''INSERT'') OR NOT pg_catalog.has_schema_privilege(''"audit_logs_internal"''::pg_catalog.regnamespace, ''USAGE'') THEN
    RAISE EXCEPTION USING
      ERRCODE = ''42501'',
      MESSAGE = pg_catalog.format(''the role %I may not watch tables: triggers write to the log with the privileges of whoever made them'',
        current_user),
      HINT = ''Watch tables with the role that owns the log.''\073
  END IF\073
  RETURN "audit_logs_internal"."watch"(relation, resource, coalesce(options, ''{}''), log)\073
END
';

-- Removes what audit_logs_watch made. Recorded as auditLog.unwatch. Gives false where the table was not watched.
--
-- SELECT audit_logs_unwatch('"public"."users"')
CREATE OR REPLACE FUNCTION "audit_logs_unwatch"(relation regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET quote_all_identifiers = off
AS E'
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"))\073
BEGIN
  IF NOT pg_catalog.has_table_privilege(log, ''INSERT'') OR NOT pg_catalog.has_schema_privilege(''"audit_logs_internal"''::pg_catalog.regnamespace, ''USAGE'') THEN
    RAISE EXCEPTION USING
      ERRCODE = ''42501'',
      MESSAGE = pg_catalog.format(''the role %I may not change what is watched'', current_user),
      HINT = ''Do it with the role that owns the log.''\073
  END IF\073
  RETURN "audit_logs_internal"."unwatch"(relation, log)\073
END
';

-- Has the function that writes the entry of one row name the log's schema, for whatever search_path a transaction has.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."qualify_record"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  -- quoted as clients quote it, which look for it
  qualified text := (SELECT format(''"%s"."%s"'', replace(n.nspname, ''"'', ''""''), replace(c.relname, ''"'', ''""''))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
BEGIN
  EXECUTE (
    SELECT left(definition, strpos(definition, ''INSERT INTO '') + 11) || qualified
      || substr(definition, strpos(definition, '' ("id",''))
    FROM pg_proc p JOIN pg_class c ON c.relnamespace = p.pronamespace
    CROSS JOIN LATERAL pg_get_functiondef(p.oid) AS definition
    WHERE c.oid = log AND p.proname = name)\073
END
';

-- Makes the functions by which events, reads and failures reach the log. Their bodies name the log's schema, for whatever
-- search_path a caller has. audit_logs_write writes with the caller's privileges where he may INSERT. Everybody else needs
-- EXECUTE on audit_logs_write_as_owner, and nothing on the table.
--
-- A second attempt at an entry adds none, as its id is there. The key of a partitioned log cannot tell, so there the ids are claimed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_write"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  schema_name text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  log_table text := schema_name || ''.'' || (SELECT quote_ident(relname) FROM pg_class WHERE oid = log)\073
  writer text := schema_name || ''.'' || quote_ident(name)\073
  owner_writer text := schema_name || ''.'' || quote_ident(name || ''_as_owner'')\073
  claim text := schema_name || ''.'' || quote_ident(name || ''_claim'')\073
  is_partitioned boolean := (SELECT relkind = ''p'' FROM pg_class WHERE oid = log)
    AND to_regclass(''"audit_logs_internal"."written_ids"'') IS NOT NULL\073
  -- the row type of the table itself would keep anybody from dropping it
  columns text := ''id uuid, "timestamp" timestamptz, action varchar, actor_id varchar, actor_type varchar, actor_email varchar, resource_type varchar,
      resource_id varchar, outcome varchar, reason text, details jsonb, request_id varchar, ip inet, user_agent text,
      organization_id varchar, seq bigint, transaction_id bigint''\073
  body text := format(
$body$
  IF EXISTS (SELECT FROM jsonb_array_elements(entries) AS e
    WHERE e ->> ''outcome'' = ''success'' AND (e ->> ''resource_type'' = ''auditLog'' OR e ->> ''action'' LIKE ''auditLog.%%''))
  THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA005'',
      MESSAGE = ''an event cannot be about the audit log itself'',
      HINT = ''Entries of auditLog are written by what is done to the log. Give the event another resource.''\073
  END IF\073
  IF EXISTS (SELECT FROM jsonb_array_elements(entries) AS e WHERE jsonb_typeof(e -> ''details'') NOT IN (''object'', ''null'')) THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA005'',
      MESSAGE = ''the details of an event are not an object'',
      HINT = ''Put the value under a key.''\073
  END IF\073
  RETURN QUERY INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id,
    outcome, reason, details, request_id, ip, user_agent, organization_id)
  SELECT e.id, e.action, e.actor_id, e.actor_type, e.actor_email, e.resource_type, e.resource_id, e.outcome, e.reason,
    -- a change that somebody tells must not look like one that the database saw
    CASE WHEN e.outcome = ''success''
        AND split_part(e.action, ''.'', 2) IN (''create'', ''update'', ''delete'', ''connect'', ''disconnect'', ''truncate'')
      THEN coalesce(e.details, ''{}'') || ''{"operation": "logDataChange"}'' ELSE e.details END,
    e.request_id, e.ip, e.user_agent, e.organization_id
  FROM jsonb_to_recordset(%s) AS e(id uuid, action text, actor_id text, actor_type text, actor_email text,
    resource_type text, resource_id text, outcome text, reason text, details jsonb, request_id text, ip inet,
    user_agent text, organization_id text)
  ON CONFLICT DO NOTHING
  RETURNING *\073
$body$, log_table, CASE WHEN is_partitioned THEN claim || ''(entries)'' ELSE ''entries'' END)\073
BEGIN
  IF is_partitioned THEN
    EXECUTE format(
      ''CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS jsonb
      LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS %2$L'', claim, format(
$body$
  WITH claimed AS (
    INSERT INTO "audit_logs_internal"."written_ids" (log, id)
    SELECT %L, (e ->> ''id'')::uuid FROM jsonb_array_elements(entries) AS e
    ON CONFLICT DO NOTHING RETURNING id
  )
  SELECT coalesce(jsonb_agg(entry ORDER BY position), ''[]'') FROM (
    SELECT min(position) AS position FROM jsonb_array_elements(entries) WITH ORDINALITY AS e(entry, position)
    JOIN claimed ON claimed.id = (entry ->> ''id'')::uuid GROUP BY claimed.id
  ) AS first JOIN jsonb_array_elements(entries) WITH ORDINALITY AS e(entry, position) USING (position)
$body$, log_table))\073
  END IF\073
  EXECUTE format(
    ''CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS TABLE (%2$s)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS %3$L'', owner_writer, columns,
    format(E''#variable_conflict use_column\\nBEGIN %s END'', body))\073
  EXECUTE format(''REVOKE ALL ON FUNCTION %s(jsonb) FROM PUBLIC'', owner_writer)\073
  EXECUTE format(
    ''CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS TABLE (%2$s)
    LANGUAGE plpgsql SET search_path = pg_catalog AS %3$L'', writer, columns, format(
$body$
#variable_conflict use_column
BEGIN
  IF NOT has_any_column_privilege(%L, ''INSERT'') THEN
    RETURN QUERY SELECT * FROM %s(entries)\073
    RETURN\073
  END IF\073
  %s
END
$body$, log_table, owner_writer, body))\073
END
';

-- Nobody else may attach a trigger function to a table of his own, or call what is internal.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "audit_logs_internal" FROM PUBLIC;

SELECT "audit_logs_internal"."qualify_record"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_record');
SELECT "audit_logs_internal"."make_write"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_write');
