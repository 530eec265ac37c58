-- Row triggers that record every change of a table, and the context that says who made it.
-- Idempotent: running it again changes nothing. Made by scripts/migrations.mjs from prisma/functions.

CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";

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
CREATE OR REPLACE FUNCTION "audit_logs_context"(
  context text, relation text, fingerprint text, cause text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
AS E'
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp())\073
  kept text\073
BEGIN
  IF context IS NOT NULL THEN
    kept := pg_catalog.set_config(''prisma_extension_audit.context'', moment || '' '' || context, true)\073
  END IF\073
  IF cause IS NOT NULL THEN
    kept := pg_catalog.set_config(
      ''prisma_extension_audit.cause_'' || pg_catalog.pg_trigger_depth() + 1, moment || '' '' || cause, true)\073
  END IF\073
  IF relation IS NOT NULL THEN
    kept := pg_catalog.current_setting(''prisma_extension_audit.watched_'' || relation, true)\073
    IF fingerprint <> (CASE WHEN pg_catalog.starts_with(kept, moment || '' '') THEN pg_catalog.split_part(kept, '' '', 2) ELSE '''' END)
    THEN
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
BEGIN
  RETURN pg_catalog.set_config(''prisma_extension_audit.next'', coalesce(context, ''''), true) = ''''\073
END
';

-- Who acts, for the rest of the current transaction: for every writer that is not the audited client. Keys are those of
-- AuditContext, a second call replaces the first. Entries made in such a context also have details.source.
--
-- SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}, "requestId": "req-1", "reason": "import"}')
CREATE OR REPLACE FUNCTION "audit_logs_set_context"(context jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  actor jsonb := context -> ''actor''\073
  problem text\073
  address inet\073
  kept text\073
BEGIN
  problem := CASE
    WHEN context IS NOT NULL AND jsonb_typeof(context) <> ''object'' THEN ''it is not an object''
    WHEN actor IS NOT NULL AND jsonb_typeof(actor) NOT IN (''object'', ''null'') THEN ''actor is not an object''
    WHEN jsonb_typeof(context -> ''metadata'') NOT IN (''object'', ''null'') THEN ''metadata is not an object''
  END\073
  IF problem IS NULL AND jsonb_typeof(context) = ''object'' THEN
    SELECT format(''%s is not a text of 1 to %s characters'', key, most) INTO problem
    FROM (VALUES
      (''actor.id'', actor -> ''id'', 255, true), (''actor.type'', actor -> ''type'', 50, true),
      (''actor.email'', actor -> ''email'', 255, false), (''requestId'', context -> ''requestId'', 255, false),
      (''organizationId'', context -> ''organizationId'', 255, false), (''ip'', context -> ''ip'', 60, false),
      (''userAgent'', context -> ''userAgent'', NULL, false), (''reason'', context -> ''reason'', NULL, false)
    ) AS field(key, value, most, is_required)
    WHERE CASE
      WHEN value IS NULL OR jsonb_typeof(value) = ''null'' THEN is_required AND jsonb_typeof(actor) = ''object''
      WHEN jsonb_typeof(value) <> ''string'' THEN true
      ELSE length(value #>> ''{}'') > most OR (most IS NOT NULL AND value #>> ''{}'' = '''')
    END
    LIMIT 1\073
    problem := coalesce(problem,
      (SELECT format(''actor.type is %s, not user, system or api_key'', actor -> ''type'')
        WHERE actor ->> ''type'' NOT IN (''user'', ''system'', ''api_key'')),
      (SELECT format(''it has the unknown key %I'', key) FROM jsonb_object_keys(context) AS key
        WHERE key NOT IN (''actor'', ''requestId'', ''ip'', ''userAgent'', ''organizationId'', ''reason'', ''metadata'') LIMIT 1))\073
  END IF\073
  IF problem IS NULL AND context ->> ''ip'' IS NOT NULL THEN
    BEGIN
      address := (context ->> ''ip'')::inet\073
    EXCEPTION WHEN invalid_text_representation THEN
      problem := ''ip is not an IP address''\073
    END\073
  END IF\073
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA003'',
      MESSAGE = format(''the audit context cannot be used: %s'', problem),
      HINT = ''Its keys are actor { id, type, email }, requestId, ip, userAgent, organizationId, reason and metadata.''\073
  END IF\073
  kept := set_config(''prisma_extension_audit.transaction'', coalesce(jsonb_strip_nulls(jsonb_build_object(
    ''actor_id'', actor -> ''id'', ''actor_type'', actor -> ''type'', ''actor_email'', actor -> ''email'',
    ''reason'', context -> ''reason'', ''request_id'', context -> ''requestId'', ''ip'', host(address),
    ''user_agent'', context -> ''userAgent'', ''organization_id'', context -> ''organizationId''
  )) || jsonb_build_object(''details'', CASE WHEN jsonb_typeof(context -> ''metadata'') = ''object''
    THEN jsonb_build_object(''metadata'', context -> ''metadata'') ELSE ''{}'' END), ''{}'')::text, true)\073
END
';

-- Who made the change that a trigger sees, as the columns of an entry and what its "details" have in common: the
-- context of this very statement, or of the transaction, or else only what the database knows of its session. Whatever
-- does not come with the statement has details.source, which nobody can set.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."attribution"() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(''prisma_extension_audit.context'', true)\073
  context jsonb\073
BEGIN
  IF starts_with(kept, moment || '' '') THEN
    RETURN substr(kept, length(moment) + 2)::jsonb\073
  END IF\073
  kept := current_setting(''prisma_extension_audit.next'', true)\073
  IF kept <> '''' THEN
    RETURN kept::jsonb\073
  END IF\073
  kept := current_setting(''prisma_extension_audit.transaction'', true)\073
  context := coalesce(nullif(kept, ''''), ''{}'')::jsonb\073
  RETURN jsonb_build_object(''actor_id'', ''postgres:'' || session_user, ''actor_type'', ''system'')
    || context
    || jsonb_build_object(''details'', coalesce(context -> ''details'', ''{}'') || jsonb_build_object(''source'',
      jsonb_build_object(
        ''role'', session_user,
        ''application'', nullif(current_setting(''application_name'', true), ''''),
        ''address'', host(inet_client_addr()))))\073
END
';

-- The cause of a change at which a row trigger fires, NULL for a row that the statement itself changed. The argument is
-- the depth of triggers at which the row changed, 2 for more than one, a referential action changes rows at the
-- depth at which their trigger fires later, a statement one below.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."cause"(depth text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS E'
DECLARE
  kept text\073
BEGIN
  IF depth::int4 < pg_catalog.pg_trigger_depth() AND depth::int4 < 2 THEN
    RETURN ''{}''\073
  END IF\073
  kept := pg_catalog.current_setting(''prisma_extension_audit.cause_'' || pg_catalog.pg_trigger_depth(), true)\073
  RETURN CASE WHEN pg_catalog.starts_with(kept, extract(epoch FROM pg_catalog.statement_timestamp()) || '' '')
    THEN pg_catalog.jsonb_build_object(''cause'', pg_catalog.split_part(kept, '' '', 2)) ELSE ''{}'' END\073
END
';

-- The trigger before each statement on a table. It notes that the table is watched and how, for audit_logs_context to
-- compare, and what the statement does, as the cause of changes that referential actions make.
--
-- Its argument has four parts with a space between them: the table's key among the settings, the fingerprint, the
-- resource, and the options, which nothing but the client and the command line read.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_begins"() RETURNS trigger
LANGUAGE plpgsql
AS E'
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp())\073
  kept text\073
BEGIN
  kept := pg_catalog.set_config(''prisma_extension_audit.watched_'' || pg_catalog.split_part(TG_ARGV[0], '' '', 1),
    moment || '' '' || pg_catalog.split_part(TG_ARGV[0], '' '', 2), true)\073
  kept := pg_catalog.set_config(''prisma_extension_audit.cause_'' || pg_catalog.pg_trigger_depth(),
    moment || '' '' || pg_catalog.split_part(TG_ARGV[0], '' '', 3) || CASE TG_OP
      WHEN ''INSERT'' THEN ''.create'' WHEN ''UPDATE'' THEN ''.update'' ELSE ''.delete'' END,
    true)\073
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
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH RECURSIVE base AS (
    SELECT t.oid, t.typtype, t.typbasetype FROM pg_type t WHERE t.oid = type
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = ''d''
  )
  SELECT t FROM base JOIN pg_type t ON t.oid = base.oid WHERE base.typtype <> ''d''
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
        format(
          CASE WHEN modifier BETWEEN 0 AND 3 THEN ''%2$s''
            ELSE ''CASE WHEN date_trunc(''''milliseconds'''', %1$s) <> %1$s THEN %3$s ELSE %2$s END'' END,
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
-- options: as normalized_options gives them: columns by their numbers, which a rename leaves alone
CREATE OR REPLACE FUNCTION "audit_logs_internal"."columns"(relation oid, options jsonb)
RETURNS TABLE (
  number integer, name text, field text, type oid, modifier integer, redacted boolean, ignored boolean, computed text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT a.attnum, a.attname::text, f.field, a.atttypid, a.atttypmod,
    -- a column that came after the options were given is redacted if its name says secret
    options -> ''redact'' @> to_jsonb(a.attnum::int)
      OR (options -> ''redactSecrets'')::boolean AND a.attnum > (options -> ''columns'')::int
        AND "audit_logs_internal"."is_secret"(a.attname::text),
    options -> ''ignore'' @> to_jsonb(a.attnum::int),
    -- a virtual generated column (PostgreSQL 18) is not computed when triggers fire
    CASE WHEN a.attgenerated = ''v'' THEN pg_get_expr(d.adbin, d.adrelid) END
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  CROSS JOIN LATERAL (SELECT coalesce(options #>> ARRAY[''fields'', a.attnum::text], a.attname::text) AS field) AS f
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
  fields jsonb := coalesce(options -> ''fields'', ''{}'')\073
  redact_secrets boolean := coalesce((options -> ''redactSecrets'')::boolean, true)\073
BEGIN
  SELECT format(''the unknown key %I'', key) INTO problem FROM jsonb_object_keys(options) AS key
  WHERE key NOT IN (''fields'', ''redact'', ''redactSecrets'', ''ignore'', ''snapshot'', ''link'', ''origin'') LIMIT 1\073
  IF problem IS NULL AND coalesce(options ->> ''snapshot'', ''full'') NOT IN (''full'', ''changed'') THEN
    problem := ''a snapshot that is neither full nor changed''\073
  END IF\073
  IF problem IS NULL THEN
    SELECT format(''the field %I, and the table has no such column'', listed.name) INTO problem
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
      MESSAGE = format(''the options of %s have %s'', relation::regclass, problem),
      HINT = ''Options are fields { column: field }, redact [field], redactSecrets, ignore [field], snapshot, link and origin.''\073
  END IF\073
  RETURN (
    SELECT jsonb_build_object(
      ''columns'', (SELECT c.relnatts FROM pg_class c WHERE c.oid = relation),
      ''snapshot'', coalesce(options ->> ''snapshot'', ''full''),
      ''redactSecrets'', redact_secrets,
      ''redact'', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> ''redact'', ''[]'') ?| ARRAY[a.attname::text, f.field]
        OR redact_secrets AND "audit_logs_internal"."is_secret"(f.field)), ''[]''),
      ''ignore'', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> ''ignore'', ''[]'') ?| ARRAY[a.attname::text, f.field]), ''[]''),
      ''fields'', coalesce(jsonb_object_agg(a.attnum::text, f.field) FILTER (WHERE f.field <> a.attname::text), ''{}''))
      || CASE WHEN options ? ''link'' THEN jsonb_build_object(''link'', options -> ''link'') ELSE ''{}'' END
    FROM pg_attribute a
    CROSS JOIN LATERAL (SELECT coalesce(fields ->> a.attname::text, a.attname::text) AS field) AS f
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
  )\073
END
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
  key_columns integer[]\073
  is_unbounded boolean\073
BEGIN
  SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] INTO key_columns FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary\073
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
      CASE WHEN redacted THEN format(''CASE WHEN NOT (%s IS NULL) THEN ''''[redacted]''''::text END'', reference)
        ELSE "audit_logs_internal"."json_sql"(type, modifier, reference) END AS json,
      CASE WHEN redacted THEN format(''CASE WHEN NOT (%s IS NULL) THEN ''''[redacted]''''::text END'', reference)
        ELSE "audit_logs_internal"."key_sql"(type, modifier, reference) END AS key_text
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
      CASE WHEN count(*) = 1 THEN min(key_text)
        ELSE ''''''['''' || '' || string_agg(format(''to_json(%s)::text'', key_text), '' || '''','''' || '' ORDER BY array_position(key_columns, number))
          || '' || '''']'''''' END AS text
    FROM value WHERE number = ANY (key_columns)
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
  WHERE c.number = ANY (key_columns)\073
  IF is_unbounded THEN
    id_before := format(''left(%s, 255)'', id_before)\073
    id_after := format(''left(%s, 255)'', id_after)\073
  END IF\073
  id_before := coalesce(id_before, ''NULL::text'')\073
  id_after := coalesce(id_after, ''NULL::text'')\073
  changed := coalesce(format(''array_remove(ARRAY[%s], NULL)'', changed), ''''''{}''''::text[]'')\073
END
';

-- The condition that a table's columns are others than those that its trigger function spells out. None of this reads
-- a table: it runs for each row.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drift_sql"(relation oid, options jsonb, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT string_agg(condition, '' OR '')
  FROM (
    -- NULL for a column that is not there. A new column gets the number after the last one, even a dropped one
    SELECT format(''has_column_privilege(%s, %s::int2, ''''SELECT'''') IS NOT NULL'',
      reference, (options -> ''columns'')::int + ahead) AS condition
    FROM generate_series(1, 3) AS ahead
    UNION ALL
    -- two renames may give the name of a redacted column to another
    SELECT format(''(pg_identify_object_as_address(1259::oid, %s, %s)).object_names[3] <> %L'', reference, number, name)
    FROM "audit_logs_internal"."columns"(relation, options) WHERE redacted
  ) AS conditions
';

-- The statement that gives the parts of an entry for a row of a table that changed since audit_logs_watch. Columns that
-- came since are there by their names, renamed ones stay redacted, for options know columns by their numbers.
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

-- The INSERT of entries, as far as it is the same for all: everything but what stands behind FROM.
--
-- log: the log's quoted table
-- action, type, id, details: SQL expressions, details are only what this entry has beside those of its context
CREATE OR REPLACE FUNCTION "audit_logs_internal"."entry_sql"(log text, action text, type text, id text, details text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(
    ''INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
      request_id, ip, user_agent, organization_id)
    SELECT %s(), %s, context ->> ''''actor_id'''', context ->> ''''actor_type'''', context ->> ''''actor_email'''', %s, %s,
      ''''success'''', context ->> ''''reason'''', %s || (context -> ''''details''''),
      context ->> ''''request_id'''', (context ->> ''''ip'''')::inet, context ->> ''''user_agent'''', context ->> ''''organization_id'''''',
    log,
    CASE WHEN current_setting(''server_version_num'')::int >= 180000 THEN ''uuidv7''
      ELSE ''"audit_logs_internal"."uuidv7"'' END,
    action, type, id, details)
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

-- The condition that an update changes a key to which the table itself refers by a foreign key that acts: a referential
-- action then changes the same row once more. NULL for a table without such a key.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."self_key_sql"(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT string_agg(DISTINCT format(''OLD.%1$I IS DISTINCT FROM NEW.%1$I'', a.attname), '' OR '')
  FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = ANY (f.confkey)
  WHERE f.contype = ''f'' AND f.conrelid = relation AND f.confrelid = relation AND f.confupdtype IN (''c'', ''n'', ''d'')
';

-- The rows of this statement that have one entry for several changes and another key than at first: key → first key.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merged"() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  moment text := extract(epoch FROM statement_timestamp())\073
  kept text := current_setting(''prisma_extension_audit.merged'', true)\073
BEGIN
  RETURN CASE WHEN starts_with(kept, moment || '' '') THEN substr(kept, length(moment) + 2)::jsonb ELSE ''{}'' END\073
END
';

-- Notes that one entry of this statement stands for several changes of a row, and what the row was called in between where
-- its key changed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merge"(id text, id_between text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  RETURN set_config(''prisma_extension_audit.merged'', extract(epoch FROM statement_timestamp()) || '' '' ||
    ("audit_logs_internal"."merged"() || CASE WHEN id = id_between THEN ''{}'' ELSE jsonb_build_object(id_between, id) END), true)\073
END
';

-- One statement may change a row twice: by two foreign keys, or by its own and then by a referential action. There is one
-- entry for both, and the first event writes it, for when it fires the row already is what the last one made of it. The
-- later events find that entry. Only tables to which this can happen get the parts of their function that this takes.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merging_sql"(
  relation oid, resource text, log text, id_before text, id_after text
) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  key_columns text[]\073
  is_moved boolean\073
BEGIN
  SELECT array_agg(a.attname::text ORDER BY k.ordinality),
    -- a key that a referential action changes no longer finds its row
    bool_or(EXISTS (SELECT FROM pg_constraint f WHERE f.contype = ''f'' AND f.conrelid = relation
      AND a.attnum = ANY (f.conkey) AND f.confupdtype IN (''c'', ''n'', ''d'')))
  INTO key_columns, is_moved
  FROM pg_index i
  CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, ordinality)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = relation AND i.indisprimary\073
  IF key_columns IS NULL OR NOT (
    relation IN (SELECT * FROM "audit_logs_internal"."reached"(relation, ''down''))
    OR (SELECT count(*) > 1 FROM pg_constraint f WHERE f.contype = ''f'' AND f.conrelid = relation
      AND (f.confdeltype IN (''c'', ''n'', ''d'') OR f.confupdtype IN (''c'', ''n'', ''d''))))
  THEN
    RETURN ''{"declare": "", "look": "", "skip": ""}''\073
  END IF\073
  RETURN jsonb_build_object(
    ''declare'', format(''  latest %s\073
  merged text\073'', relation::regclass),
    ''look'', format(
$body$
    IF TG_OP = ''UPDATE'' THEN
      IF TG_NAME LIKE ''!%%'' AND (%4$s) THEN
        RETURN NULL\073
      END IF\073
      SELECT t.* INTO latest FROM %1$s AS t WHERE %2$s\073
      IF (CASE WHEN FOUND THEN latest *<> NEW ELSE %3$s END) THEN
        merged := "audit_logs_internal"."merge"(%5$s, %6$s)\073
        IF FOUND THEN
          NEW := latest\073
        ELSE
          operation := ''DELETE''\073
        END IF\073
      END IF\073
    END IF\073
$body$, relation::regclass,
      (SELECT string_agg(format(''t.%1$I = NEW.%1$I'', name), '' AND '') FROM unnest(key_columns) AS name),
      CASE WHEN is_moved THEN ''false'' ELSE ''true'' END,
      coalesce("audit_logs_internal"."self_key_sql"(relation), ''false''), id_before, id_after),
    ''skip'', format(
$body$
  IF operation <> ''INSERT''
    AND starts_with(current_setting(''prisma_extension_audit.merged'', true), extract(epoch FROM statement_timestamp()) || '' '')
    AND EXISTS (SELECT FROM %1$s AS e
      WHERE e.resource_type = %2$L AND e.resource_id IN (row_id, "audit_logs_internal"."merged"() ->> row_id) AND e."timestamp" >= statement_timestamp()
        AND e.transaction_id = (pg_current_xact_id()::text)::bigint AND e.outcome = ''success''
        AND (e.action = %3$L OR operation = ''UPDATE'' AND e.details -> ''after'' @> after))
  THEN
    RETURN NULL\073
  END IF\073
$body$, log, resource, resource || ''.delete''))\073
END
';

-- The body of the function that a table's row triggers call.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  part record\073
  own_relation text := CASE WHEN (SELECT relkind FROM pg_class WHERE oid = relation) = ''p''
    THEN quote_literal(relation::regclass) || ''::regclass::oid'' ELSE ''TG_RELID'' END\073
  merges jsonb\073
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(relation, options, ''OLD'', ''NEW'')\073
  merges := "audit_logs_internal"."merging_sql"(relation, resource, log, part.id_before, part.id_after)\073
  RETURN format(
$body$
DECLARE
  context jsonb\073
  operation text := TG_OP\073
  row_id text\073
  before jsonb\073
  after jsonb\073
  changed text[]\073
%10$s
BEGIN
  BEGIN
    IF %1$s THEN
      RAISE undefined_column\073
    END IF\073
%11$s
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
  EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
    -- a migration changed the table since: the same once more, by the catalog as it is now
    EXECUTE "audit_logs_internal"."drifted_sql"(TG_RELID, operation, %7$L)
      INTO row_id, before, after, changed USING OLD, NEW\073
    IF changed = ''{}'' THEN
      RETURN NULL\073
    END IF\073
  END\073
%8$s
%12$s
  context := "audit_logs_internal"."attribution"()\073
  %9$s
  RETURN NULL\073
END
$body$,
    "audit_logs_internal"."drift_sql"(relation, options, own_relation),
    part.id_after, part.row_after, part.id_before, part.row_before, part.changed,
    options,
    CASE WHEN options ->> ''snapshot'' = ''changed'' THEN
$body$
  IF operation = ''UPDATE'' THEN
    before := (SELECT jsonb_object_agg(field.key, field.value) FROM jsonb_each(before) AS field WHERE field.key = ANY (changed))\073
    after := (SELECT jsonb_object_agg(field.key, field.value) FROM jsonb_each(after) AS field WHERE field.key = ANY (changed))\073
  END IF\073
$body$
      ELSE '''' END,
    "audit_logs_internal"."entry_sql"(log,
      format(''CASE operation WHEN ''''INSERT'''' THEN %L WHEN ''''UPDATE'''' THEN %L ELSE %L END'',
        resource || ''.create'', resource || ''.update'', resource || ''.delete''),
      quote_literal(resource), ''row_id'',
      $body$CASE operation WHEN ''INSERT'' THEN jsonb_build_object(''after'', after)
        WHEN ''DELETE'' THEN jsonb_build_object(''before'', before)
        ELSE jsonb_build_object(''before'', before, ''after'', after, ''changed'', changed) END
        || CASE WHEN TG_NARGS = 1 THEN "audit_logs_internal"."cause"(TG_ARGV[0]) ELSE ''{}'' END$body$) || ''\073'',
    merges ->> ''declare'', merges ->> ''look'', merges ->> ''skip'')\073
END
';

-- The body of the function that the row triggers of an implicit many-to-many table call: a link is recorded on each side.
-- Where a model is linked to itself, one change of a key may change a link twice. What it was in between is no link.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_function_sql"(relation oid, options jsonb, log text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  WITH side AS (
    SELECT s.name, s.other, options #>> ARRAY[''link'', s.name, ''resource''] AS resource,
      options #>> ARRAY[''link'', s.name, ''relation''] AS relation,
      coalesce((options #>> ARRAY[''link'', s.name, ''recorded''])::boolean, true) AS is_recorded,
      CASE
        WHEN c.redacted THEN ''CASE WHEN %1$s.%2$I IS NOT NULL THEN ''''[redacted]'''' END''
        WHEN t.typnamespace = ''pg_catalog''::regnamespace
          AND t.typname IN (''bool'', ''int2'', ''int4'', ''int8'', ''uuid'', ''date'', ''timestamp'', ''timestamptz'')
        THEN "audit_logs_internal"."key_sql"(c.type, c.modifier, ''%1$s.%2$I'')
        ELSE format(''left(%s, 255)'', "audit_logs_internal"."key_sql"(c.type, c.modifier, ''%1$s.%2$I''))
      END AS id
    FROM (VALUES (''A'', ''B''), (''B'', ''A'')) AS s(name, other)
    JOIN "audit_logs_internal"."columns"(relation, options) AS c ON c.name = s.name
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS t
  ), statement AS (
    SELECT verb.position, side.name, "audit_logs_internal"."entry_sql"(log,
      quote_literal(side.resource || ''.'' || verb.name), quote_literal(side.resource), format(side.id, verb.row, side.name),
      format(''jsonb_build_object(''''relation'''', %L::text, ''''target'''', jsonb_build_object(''''type'''', %L::text, ''''id'''', %s)) || extra'',
        side.relation, other.resource, format(other.id, verb.row, other.name))) || ''\073'' AS sql
    FROM side JOIN side AS other ON other.name = side.other
    CROSS JOIN (VALUES (1, ''disconnect'', ''OLD''), (2, ''connect'', ''NEW'')) AS verb(position, name, row)
    WHERE side.is_recorded
  )
  SELECT format(
$body$
DECLARE
  context jsonb := "audit_logs_internal"."attribution"()\073
  extra jsonb := ''{}''\073
  moment text := extract(epoch FROM statement_timestamp())\073
  passed text := current_setting(''prisma_extension_audit.passed_links'', true)\073
  is_passed boolean := false\073
BEGIN
  IF TG_OP = ''UPDATE'' AND OLD IS NOT DISTINCT FROM NEW THEN
    RETURN NULL\073
  END IF\073
  IF TG_NARGS = 1 THEN
    extra := "audit_logs_internal"."cause"(TG_ARGV[0])\073
  END IF\073
  IF TG_OP = ''UPDATE'' THEN
    passed := CASE WHEN starts_with(passed, moment || '' '') THEN passed ELSE moment || '' '' END\073
    is_passed := strpos(passed, OLD::text) > 0\073
  END IF\073
  IF TG_OP <> ''INSERT'' AND NOT is_passed THEN
    %1$s
  END IF\073
  IF TG_OP = ''UPDATE'' AND NOT EXISTS (SELECT FROM %3$s AS t WHERE t."A" = NEW."A" AND t."B" = NEW."B") THEN
    passed := set_config(''prisma_extension_audit.passed_links'', passed || NEW::text, true)\073
  ELSIF TG_OP <> ''DELETE'' THEN
    %2$s
  END IF\073
  RETURN NULL\073
END
$body$,
    coalesce(string_agg(sql, E''\\n    '' ORDER BY name) FILTER (WHERE position = 1), ''NULL\073''),
    coalesce(string_agg(sql, E''\\n    '' ORDER BY name) FILTER (WHERE position = 2), ''NULL\073''), relation::regclass)
  FROM statement
';

-- The body of the function that a table's TRUNCATE trigger calls, before the rows go. They are counted up to a bound,
-- above it, the planner's estimate stands in details.rows, marked as one.
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
BEGIN
  EXECUTE format(''SELECT count(*) FROM (SELECT FROM %%I.%%I LIMIT %%s) AS r'', TG_TABLE_SCHEMA, TG_TABLE_NAME, bound + 1) INTO rows\073
  IF rows > bound THEN
    rows := (SELECT greatest(rows, sum(c.reltuples)::bigint) FROM pg_class c
      WHERE c.oid = TG_RELID OR c.oid IN (SELECT relid FROM pg_partition_tree(TG_RELID) WHERE isleaf))\073
  END IF\073
  %s\073
  RETURN NULL\073
END
$body$,
    "audit_logs_internal"."entry_sql"(log, quote_literal(resource || ''.truncate''), quote_literal(resource), ''NULL'',
      $body$jsonb_build_object(''rows'', rows) || CASE WHEN rows > bound THEN ''{"estimated": true}''::jsonb ELSE ''{}'' END$body$))
';

-- The statements that make a trigger function with this body. It writes to the log with the privileges of its owner, and
-- sees its own names only. Nobody else may attach it to a table, which would forge entries. Settings of the session
-- change the text of some values, so they are those of PostgreSQL's defaults in here.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_function_sql"(name text, body text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT format(
    ''CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog SET "DateStyle" = ''''ISO, MDY'''' SET "IntervalStyle" = ''''postgres'''' SET "TimeZone" = ''''UTC''''
       SET extra_float_digits = 1 SET bytea_output = ''''hex'''' AS %2$L\073
     REVOKE ALL ON FUNCTION %1$s() FROM PUBLIC\073'', name, body)
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
  -- tgargs has a zero byte behind the argument
  CROSS JOIN LATERAL (SELECT convert_from(
    substring(t.tgargs FOR octet_length(t.tgargs) - 1), getdatabaseencoding()) AS text) AS a
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

-- Makes the trigger before each statement on a table such as it has to be now, or removes it where neither the table nor
-- anything that its changes reach is watched.
--
-- resource, options: how the table is watched from now on, NULL where it is not
CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_statement_trigger"(relation oid, resource text, options jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  current record\073
  wanted text\073
  state "char" := coalesce(
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'' ORDER BY t.tgname LIMIT 1), ''A'')\073
BEGIN
  SELECT * INTO current FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = renew_statement_trigger.relation\073
  IF options IS NULL AND NOT EXISTS (
    SELECT FROM "audit_logs_internal"."reached"(relation, ''down'') AS r(oid) WHERE "audit_logs_internal"."has_row_triggers"(r.oid))
  THEN
    IF current.relation IS NOT NULL THEN
      EXECUTE format(''DROP TRIGGER "!audit_logs_statement" ON %s'', relation::regclass)\073
    END IF\073
    RETURN\073
  END IF\073
  resource := coalesce(resource, (SELECT lower(left(relname, 1)) || substr(relname, 2) FROM pg_class WHERE oid = relation))\073
  wanted := concat_ws('' '', "audit_logs_internal"."table_key"(relation),
    "audit_logs_internal"."fingerprint"(relation, resource, options), replace(resource, '' '', ''_''), options)\073
  IF current.argument IS DISTINCT FROM wanted OR current.enabled IS DISTINCT FROM state THEN
    EXECUTE format(
      ''CREATE OR REPLACE TRIGGER "!audit_logs_statement" BEFORE INSERT OR UPDATE OR DELETE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."statement_begins"(%L)'', relation::regclass, wanted)\073
    EXECUTE format(''ALTER TABLE %s %s TRIGGER "!audit_logs_statement"'', relation::regclass,
      CASE state WHEN ''A'' THEN ''ENABLE ALWAYS'' WHEN ''O'' THEN ''ENABLE'' WHEN ''R'' THEN ''ENABLE REPLICA'' ELSE ''DISABLE'' END)\073
  END IF\073
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
    SELECT relation UNION SELECT * FROM "audit_logs_internal"."reached"(relation, ''up'') ORDER BY 1
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

-- The quoted name of a table's trigger function. A name holds 63 bytes.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."function_name"(relation oid, kind text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT ''"audit_logs_internal".'' || quote_ident(
    CASE WHEN octet_length(full_name) <= 63 THEN full_name ELSE md5(full_name) || '' '' || kind END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT concat_ws('' '', n.nspname || ''.'' || c.relname, kind) AS full_name) AS f
  WHERE c.oid = relation
';

-- The statements that make the triggers of a table.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."definition_sql"(
  relation oid, resource text, options jsonb, log text, is_reached boolean, is_origin boolean
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS E'
DECLARE
  name text := relation::regclass\073
  row_function text := "audit_logs_internal"."function_name"(relation, NULL)\073
  truncate_function text := "audit_logs_internal"."function_name"(relation, ''truncate'')\073
  self_key text := "audit_logs_internal"."self_key_sql"(relation)\073
  enable text := CASE WHEN is_origin THEN ''ENABLE'' ELSE ''ENABLE ALWAYS'' END\073
BEGIN
  RETURN
    "audit_logs_internal"."trigger_function_sql"(row_function, CASE WHEN options ? ''link''
      THEN "audit_logs_internal"."link_function_sql"(relation, options, log)
      ELSE "audit_logs_internal"."row_function_sql"(relation, resource, options, log) END)
    || "audit_logs_internal"."trigger_function_sql"(truncate_function,
      "audit_logs_internal"."truncate_function_sql"(resource, log))
    || (
      SELECT string_agg(format(
        ''CREATE TRIGGER %1$I AFTER %7$s ON %2$s FOR EACH ROW %3$s EXECUTE FUNCTION %4$s(%5$s)\073
         ALTER TABLE %2$s %6$s TRIGGER %1$I\073'',
        moment.prefix || ''!audit_logs_row'' || t.suffix, name, ''WHEN ('' || concat_ws('' AND '', t.condition, moment.condition) || '')'',
        row_function, t.argument, enable, moment.events), E''\\n'')
      -- when a trigger''s condition is evaluated the row is changing: by the statement at depth 0, or deeper
      FROM (VALUES
        ('''', ''true'', '''', false),
        (''_0'', ''pg_trigger_depth() = 0'', ''''''0'''''', true),
        (''_1'', ''pg_trigger_depth() = 1'', ''''''1'''''', true),
        (''_2'', ''pg_trigger_depth() > 1'', ''''''2'''''', true)
      ) AS t(suffix, condition, argument, is_reached)
      -- triggers fire in the order of their names: first ours, but where a referential action changes the same row once
      -- more, right after those of foreign keys, which are called RI_ConstraintTrigger_a_16408 and so on
      CROSS JOIN (VALUES ('''', ''INSERT OR UPDATE OR DELETE'', NULL), (''RI_ConstraintTrigger_z'', ''UPDATE'', ''('' || self_key || '')''))
        AS moment(prefix, events, condition)
      WHERE t.is_reached = definition_sql.is_reached AND (moment.prefix = '''' OR self_key IS NOT NULL))
    -- a foreign table''s TRUNCATE has no triggers before PostgreSQL 16
    || CASE WHEN (SELECT relkind FROM pg_class WHERE oid = relation) = ''f'' THEN '''' ELSE format(
        ''CREATE TRIGGER "!audit_logs_row_truncate" BEFORE TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION %2$s()\073
         ALTER TABLE %1$s %3$s TRIGGER "!audit_logs_row_truncate"\073'', name, truncate_function, enable) END\073
END
';

-- Removes the triggers that record a table, with their functions.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drop_row_triggers"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  name text\073
BEGIN
  FOR name IN SELECT t.tgname FROM pg_trigger t
    WHERE t.tgrelid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'' AND NOT t.tgisinternal
  LOOP
    EXECUTE format(''DROP TRIGGER %I ON %s'', name, relation::regclass)\073
  END LOOP\073
  EXECUTE format(''DROP FUNCTION IF EXISTS %s()\073 DROP FUNCTION IF EXISTS %s()'',
    "audit_logs_internal"."function_name"(relation, NULL), "audit_logs_internal"."function_name"(relation, ''truncate''))\073
END
';

-- Whether every trigger of a watched table is there, in the same state.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_whole"(relation oid, enabled "char") RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS E'
  SELECT coalesce(bool_and(t.tgenabled = enabled), false)
    AND count(*) FILTER (WHERE t.tgname = ''!audit_logs_row_truncate'') = CASE c.relkind WHEN ''f'' THEN 0 ELSE 1 END
    AND count(*) FILTER (WHERE t.tgname <> ''!audit_logs_row_truncate'') IN (1, 3, 6)
  FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
  WHERE c.oid = relation AND t.tgname LIKE ''%!audit\\_logs\\_row%'' AND NOT t.tgisinternal
  GROUP BY c.relkind
';

-- Writes an entry about the log itself.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."record_own"(log text, action text, id text, details jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  EXECUTE replace("audit_logs_internal"."entry_sql"(log, quote_literal(action), ''''''auditLog'''''', quote_literal(id),
    quote_literal(details) || ''::jsonb''), ''context'', ''$1'')
  USING "audit_logs_internal"."attribution"()\073
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
  is_origin boolean := coalesce((options -> ''origin'')::boolean, false)\073
  is_reached boolean\073
  definition text\073
  previous record\073
  trigger_name text\073
  child oid\073
BEGIN
  SELECT c.relkind, c.relpersistence, format(''%I.%I'', n.nspname, c.relname) AS name INTO target
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation\073
  IF target.relkind NOT IN (''r'', ''p'', ''f'') OR target.relpersistence = ''t'' OR relation = log THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = format(''%s cannot be watched: it is %s'', target.name, CASE
        WHEN relation = log THEN ''the audit log itself'' WHEN target.relpersistence = ''t'' THEN ''a temporary table''
        ELSE ''not a table'' END),
      HINT = ''Watch the tables behind a view.''\073
  END IF\073
  IF resource !~ ''^[^[:space:].]{1,93}$'' THEN
    RAISE EXCEPTION USING
      ERRCODE = ''ZA004'',
      MESSAGE = format(''%L cannot be the resource of %s'', resource, target.name),
      HINT = ''A resource is a word of at most 93 characters without dots, such as orderItem.''\073
  END IF\073
  IF NOT has_table_privilege(log, ''INSERT'') THEN
    RAISE EXCEPTION USING
      ERRCODE = ''42501'',
      MESSAGE = format(''the role %s may not write to %s, so its triggers could not record'', current_user, log_table),
      HINT = ''Watch tables with the role that owns the log.''\073
  END IF\073

  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation)\073
  wanted := "audit_logs_internal"."normalized_options"(relation, options)\073
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = watch.relation\073
  is_reached := EXISTS (SELECT FROM pg_constraint
    WHERE contype = ''f'' AND conrelid = relation
      AND (confdeltype IN (''c'', ''n'', ''d'') OR confupdtype IN (''c'', ''n'', ''d'')))\073
  definition := "audit_logs_internal"."definition_sql"(relation, resource, wanted, log_table, is_reached, is_origin)\073
  wanted := wanted || jsonb_build_object(''definition'', md5(definition), ''log'', log_table)\073

  IF previous.resource IS DISTINCT FROM resource OR previous.options IS DISTINCT FROM wanted
    OR previous.enabled IS DISTINCT FROM (CASE WHEN is_origin THEN ''O'' ELSE ''A'' END)::"char"
    OR NOT "audit_logs_internal"."is_whole"(relation, previous.enabled)
  THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation)\073
    EXECUTE definition\073
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, resource, wanted)\073
    PERFORM "audit_logs_internal"."renew_ancestors"(relation)\073
    PERFORM "audit_logs_internal"."record_own"(log_table, ''auditLog.watch'', target.name, jsonb_build_object(
      ''table'', target.name, ''resource'', resource, ''options'', options))\073
    definition := ''''\073
  END IF\073

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
    was_watched := "audit_logs_internal"."unwatch"(child, log) OR was_watched\073
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
AS E'
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"))\073
BEGIN
  RETURN "audit_logs_internal"."watch"(relation, resource, options, log)\073
END
';

-- Removes what audit_logs_watch made. Recorded as auditLog.unwatch. Gives false where the table was not watched.
--
-- SELECT audit_logs_unwatch('"public"."users"')
CREATE OR REPLACE FUNCTION "audit_logs_unwatch"(relation regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS E'
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"))\073
BEGIN
  RETURN "audit_logs_internal"."unwatch"(relation, log)\073
END
';

-- Makes the functions by which events, reads and failures reach the log. Their bodies name the log's schema, for whatever
-- search_path a caller has. audit_logs_write writes with the caller's privileges where he may INSERT. Everybody else needs
-- EXECUTE on audit_logs_write_as_owner, and nothing on the table.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_write"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
DECLARE
  schema_name text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log)\073
  log_table text := schema_name || ''.'' || (SELECT quote_ident(relname) FROM pg_class WHERE oid = log)\073
  writer text := schema_name || ''.'' || quote_ident(name)\073
  owner_writer text := schema_name || ''.'' || quote_ident(name || ''_as_owner'')\073
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
  RETURN QUERY INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, resource_id,
    outcome, reason, details, request_id, ip, user_agent, organization_id)
  SELECT e.id, e.action, e.actor_id, e.actor_type, e.actor_email, e.resource_type, e.resource_id, e.outcome, e.reason,
    -- a change that somebody tells must not look like one that the database saw
    CASE WHEN e.outcome = ''success''
        AND split_part(e.action, ''.'', 2) IN (''create'', ''update'', ''delete'', ''connect'', ''disconnect'', ''truncate'')
      THEN coalesce(e.details, ''{}'') || ''{"operation": "logDataChange"}'' ELSE e.details END,
    e.request_id, e.ip, e.user_agent, e.organization_id
  FROM jsonb_to_recordset(entries) AS e(id uuid, action text, actor_id text, actor_type text, actor_email text,
    resource_type text, resource_id text, outcome text, reason text, details jsonb, request_id text, ip inet,
    user_agent text, organization_id text)
  ON CONFLICT DO NOTHING
  RETURNING *\073
$body$, log_table)\073
BEGIN
  EXECUTE format(
    ''CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS SETOF %2$s
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS %3$L'', owner_writer, log_table,
    format(''BEGIN %s END'', body))\073
  EXECUTE format(''REVOKE ALL ON FUNCTION %s(jsonb) FROM PUBLIC'', owner_writer)\073
  EXECUTE format(
    ''CREATE OR REPLACE FUNCTION %1$s(entries jsonb) RETURNS SETOF %2$s
    LANGUAGE plpgsql SET search_path = pg_catalog AS %3$L'', writer, log_table, format(
$body$
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

SELECT "audit_logs_internal"."make_write"(
  (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs")), 'audit_logs_write');
