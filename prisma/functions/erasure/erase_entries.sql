-- Erases personal values from entries of a log, and the salts of their seals, and tells of it: see audit_logs_erase.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erase_entries"(
  log regclass, subject jsonb, reason text, fields text[], keys jsonb, context jsonb
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  transaction bigint := pg_current_xact_id()::text::bigint;
  names text[] := CASE WHEN cardinality(fields) > 0 THEN fields END;
  told jsonb := subject;
  per_entry constant integer := 1000;
  found integer;
  unsealed integer;
  parts integer;
  entries uuid[];
  added record;
BEGIN
  IF coalesce(btrim(reason), '') = '' OR subject IS NULL OR jsonb_typeof(subject) <> 'object' OR NOT (CASE
      WHEN subject ? 'entries' THEN jsonb_typeof(subject -> 'entries') = 'array' AND (SELECT count(*) = 1 FROM jsonb_object_keys(subject))
      WHEN subject ? 'actor' THEN jsonb_typeof(subject -> 'actor') = 'string' AND (SELECT count(*) = 1 FROM jsonb_object_keys(subject))
      ELSE jsonb_typeof(subject -> 'resource') = 'string' AND jsonb_typeof(subject -> 'id') = 'string'
        AND (SELECT count(*) = 2 FROM jsonb_object_keys(subject)) END)
  THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA007',
      MESSAGE = 'what to erase, or why, is not said',
      HINT = 'The subject is {"resource": …, "id": …}, {"actor": …} or {"entries": [id, …]}, and the reason a text.';
  END IF;

  LOCK TABLE "audit_logs_internal"."erasing" IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction;
  EXECUTE format(
    'INSERT INTO "audit_logs_internal"."erasing"
      (log, transaction_id, id, seq, actor_id, actor_email, resource_id, reason, details, ip, user_agent, is_changed)
    SELECT $1, $2, n.*, (n.actor_id, n.actor_email, n.resource_id, n.reason, n.details, n.ip, n.user_agent)
      IS DISTINCT FROM (l.actor_id, l.actor_email, l.resource_id, l.reason, l.details, l.ip, l.user_agent)
    FROM %s AS l CROSS JOIN LATERAL (SELECT
      l.id, l.seq,
      CASE WHEN ''actor.id'' = ANY ($4) THEN ''[erased]'' ELSE l.actor_id::text END AS actor_id,
      CASE WHEN l.actor_email IS NOT NULL AND coalesce(''actor.email'' = ANY ($4), true) THEN ''[erased]'' ELSE l.actor_email::text END AS actor_email,
      CASE WHEN l.resource_id IS NOT NULL AND ''resource.id'' = ANY ($4) THEN ''[erased]'' ELSE l.resource_id::text END AS resource_id,
      CASE WHEN l.reason IS NOT NULL AND coalesce(''reason'' = ANY ($4), true) THEN ''[erased]'' ELSE l.reason END AS reason,
      "audit_logs_internal"."erased_details"(l.details, split_part(l.action, ''.'', 2),
        CASE WHEN ''resource.id'' = ANY ($4) THEN $4 || ARRAY(SELECT jsonb_array_elements_text($5 -> l.resource_type)) ELSE $4 END,
        $5 -> l.resource_type) AS details,
      CASE WHEN coalesce(''ip'' = ANY ($4), true) THEN NULL ELSE l.ip END AS ip,
      CASE WHEN l.user_agent IS NOT NULL AND coalesce(''userAgent'' = ANY ($4), true) THEN ''[erased]'' ELSE l.user_agent END AS user_agent
    ) AS n
    WHERE l.resource_type <> ''auditLog'' AND %s', log_table, CASE
      WHEN subject ? 'entries' THEN 'l.id IN (SELECT i::uuid FROM jsonb_array_elements_text($3 -> ''entries'') AS i)'
      WHEN subject ? 'actor' THEN 'l.actor_id = $3 ->> ''actor'''
      ELSE 'l.resource_type = $3 ->> ''resource'' AND l.resource_id = $3 ->> ''id''' END)
  USING log_table, transaction, subject, names, coalesce(keys, '{}');

  -- else they would be joined as if they were a few
  ANALYZE "audit_logs_internal"."erasing";

  -- where their leaves stand
  EXECUTE format(
    'UPDATE "audit_logs_internal"."erasing" AS e SET first_leaf = s.first_leaf, leaf = (position(uuid_send(e.id) IN s.leaves) - 10) / 57
    FROM %s AS l CROSS JOIN LATERAL (
      SELECT coalesce(max(r.number), 1) AS era FROM "audit_logs_internal"."eras" AS r WHERE r.log = $1 AND r.after_seq < l.seq
    ) AS p CROSS JOIN LATERAL (
      SELECT s.first_leaf, s.leaves FROM "audit_logs_internal"."sealed_leaves" AS s
      WHERE s.log = $1 AND (s.era, s.transaction_id, s.seq) <= (p.era, l.transaction_id, l.seq)
      ORDER BY s.era DESC, s.transaction_id DESC, s.seq DESC LIMIT 1
    ) AS s
    WHERE e.transaction_id = $2 AND e.log = $1 AND l.id = e.id AND position(uuid_send(e.id) IN s.leaves) %% 57 = 10', log_table)
  USING log_table, transaction;
  IF EXISTS (SELECT FROM "audit_logs_internal"."checkpoints" AS c WHERE c.log = log_table) THEN
    unsealed := (SELECT count(*) FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND e.first_leaf IS NULL);
    IF unsealed > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'ZA008',
        MESSAGE = format('%s of the entries to erase are not sealed yet', unsealed),
        HINT = 'Nothing was erased. Seal the log first, with "npx prisma-extension-audit seal --once", and erase again.';
    END IF;
  END IF;

  -- what is erased already, its salt included, and says so: one that came back from the archive may have nothing but its salt to erase
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND NOT e.is_changed
    AND (e.first_leaf IS NULL OR e.details #> '{erasure,entry}' IS NOT NULL) AND NOT EXISTS (
    SELECT FROM "audit_logs_internal"."seal_salts" AS s WHERE s.log = log_table AND s.first_leaf = e.first_leaf
      AND substring(s.salts FROM e.leaf * 16 + 1 FOR 16) <> decode(repeat('00', 16), 'hex'));
  found := (SELECT count(*) FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction);
  IF found = 0 THEN
    RETURN '{"erased": 0, "entries": []}';
  END IF;

  -- as they will be: each names the entry that tells of it, and has a number that nobody can guess
  parts := ceil(found::numeric / per_entry);
  entries := ARRAY(SELECT "audit_logs_internal"."uuidv7"() FROM generate_series(1, parts));
  UPDATE "audit_logs_internal"."erasing" AS e SET entry = entries[n.part],
    details = coalesce(e.details, '{}') || jsonb_build_object('erasure', jsonb_build_object(
      'entry', entries[n.part], 'nonce', replace(gen_random_uuid()::text, '-', '')))
  FROM (SELECT o.id, ((row_number() OVER (ORDER BY o.seq) - 1) / per_entry + 1)::integer AS part
    FROM "audit_logs_internal"."erasing" AS o WHERE o.transaction_id = transaction) AS n
  WHERE e.transaction_id = transaction AND e.log = log_table AND e.id = n.id;
  EXECUTE format(
    'UPDATE "audit_logs_internal"."erasing" AS e SET hash = encode(sha256(convert_to("audit_logs_internal"."entry_form"(
      l.id, l."timestamp", l.action, e.actor_id, l.actor_type, e.actor_email, l.resource_type, e.resource_id, l.outcome, e.reason, e.details,
      l.request_id, e.ip, e.user_agent, l.organization_id, l.seq, l.transaction_id), ''UTF8'')), ''hex'')
    FROM %s AS l WHERE e.transaction_id = $1 AND e.log = $2 AND l.id = e.id', log_table)
  USING transaction, log_table;

  -- told first: without it, nothing would let the change through
  IF subject ? 'entries' THEN
    told := NULL;
  ELSIF subject ? 'actor' AND 'actor.id' = ANY (names) THEN
    told := '{"actor": "[erased]"}';
  ELSIF subject ? 'resource' AND 'resource.id' = ANY (names) THEN
    told := subject || '{"id": "[erased]"}';
  END IF;
  FOR added IN
    SELECT part, jsonb_object_agg(e.id, e.hash) AS erased FROM unnest(entries) WITH ORDINALITY AS p(entry, part)
    JOIN "audit_logs_internal"."erasing" AS e ON e.transaction_id = transaction AND e.entry = p.entry GROUP BY part ORDER BY part
  LOOP
    EXECUTE format(
      'INSERT INTO %s (id, action, actor_id, actor_type, actor_email, resource_type, outcome, reason, details, request_id, ip, user_agent, organization_id)
      SELECT $1, ''auditLog.erase'', c ->> ''actor_id'', c ->> ''actor_type'', c ->> ''actor_email'', ''auditLog'', ''success'', $2, $3,
        c ->> ''request_id'', (c ->> ''ip'')::inet, c ->> ''user_agent'', c ->> ''organization_id'' FROM (SELECT $4 AS c) AS given', log_table)
    USING entries[added.part], reason,
      jsonb_strip_nulls(jsonb_build_object('subject', told, 'count', found, 'fields', to_jsonb(names),
        'part', CASE WHEN parts > 1 THEN jsonb_build_object('number', added.part, 'of', parts) END,
        'source', jsonb_build_object('role', session_user, 'application', nullif(current_setting('application_name', true), ''),
          'address', host(inet_client_addr())),
        'metadata', context #> '{details,metadata}')) || jsonb_build_object('erased', added.erased),
      context;
  END LOOP;

  EXECUTE format(
    'UPDATE %s AS l SET actor_id = e.actor_id, actor_email = e.actor_email, resource_id = e.resource_id, reason = e.reason,
      details = e.details, ip = e.ip, user_agent = e.user_agent
    FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = $1 AND e.log = $2 AND l.id = e.id', log_table)
  USING transaction, log_table;
  UPDATE "audit_logs_internal"."seal_salts" AS s
  SET salts = "audit_logs_internal"."erased_salts"(s.log, s.first_leaf, s.salts)
  WHERE s.log = log_table AND s.first_leaf IN (SELECT e.first_leaf FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction);
  DELETE FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction;
  RETURN jsonb_build_object('erased', found, 'entries', to_jsonb(entries));
END
$$;
