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
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  newest text := (SELECT format('%I.%I', n.nspname, make_newest.name) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  columns text := 'id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details,
    request_id, ip, user_agent, organization_id, seq, transaction_id';
  -- the row type of the table itself would keep anybody from dropping it
  types text := 'id uuid, "timestamp" timestamptz, action varchar, actor_id varchar, actor_type varchar, actor_email varchar,
    resource_type varchar, resource_id varchar, outcome varchar, reason text, details jsonb, request_id varchar, ip inet, user_agent text,
    organization_id varchar, seq bigint, transaction_id bigint';
  -- what differs from call to call but for the key and the time is checked on top: each partition's part of a plan costs. A limit that
  -- is NULL is none, but has the planner expect to stop early: to read all of a busy actor it would sort, rather than follow the index
  entries text := format(
$body$(SELECT * FROM (
          SELECT %s FROM %s AS l
          WHERE %%s AND "timestamp" >= %%s AND "timestamp" < %%s ORDER BY "timestamp" DESC, seq DESC LIMIT no_limit
        ) AS l
        WHERE ("timestamp" < before OR seq < before_seq)
          AND (patterns IS NULL OR action LIKE ANY (patterns)) AND (of_outcome IS NULL OR outcome = of_outcome)
          AND (of_actor IS NULL OR actor_id = of_actor) AND (of_organization IS NULL OR organization_id = of_organization)
        LIMIT missing)$body$, columns, replace(log_table, '%', '%%'));
  own text := format(entries, 'resource_type = key[1] AND resource_id = key[2]', 'lower', 'upper');
  -- the first two conditions are those of the index
  read text := format(entries, $condition$resource_type = key[1] AND resource_id IS NULL AND action LIKE '%.read'
          AND jsonb_set('{}', ARRAY[resource_type::text], details -> 'ids') @> reading$condition$, 'greatest(lower, reads_from)', 'upper');
BEGIN
  EXECUTE format(
    -- without plans for single values, compilation, which takes seconds for many partitions, and reading months as a whole
    'CREATE OR REPLACE FUNCTION %s(by text, key text[], patterns text[], of_outcome text, of_actor text, of_organization text,
      edges timestamptz[], reads_from timestamptz, before timestamptz, before_seq bigint, count bigint)
    RETURNS TABLE (%s) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off AS %L', newest, types, format(
$body$
#variable_conflict use_column
DECLARE
  reading jsonb := jsonb_build_object(key[1], jsonb_build_array(key[2]));
  missing bigint := count;
  no_limit bigint;
  lower timestamptz;
  upper timestamptz;
  given bigint;
BEGIN
  FOR edge IN 2..cardinality(edges) LOOP
    lower := edges[edge];
    upper := least(edges[edge - 1], before + interval '1 microsecond');
    CONTINUE WHEN lower >= upper;
    CASE by
      WHEN 'record' THEN
        IF reads_from < upper THEN
          RETURN QUERY SELECT * FROM (%s UNION ALL %s) AS l ORDER BY "timestamp" DESC, seq DESC LIMIT missing;
        ELSE
          RETURN QUERY %s;
        END IF;
      WHEN 'actor' THEN
        RETURN QUERY %s;
      WHEN 'action' THEN
        RETURN QUERY %s;
      WHEN 'organization' THEN
        RETURN QUERY %s;
    END CASE;
    GET DIAGNOSTICS given = ROW_COUNT;
    missing := missing - given;
    EXIT WHEN missing <= 0;
  END LOOP;
END
$body$, own, read, own,
    format(entries, 'actor_id = key[1]', 'lower', 'upper'), format(entries, 'action = key[1]', 'lower', 'upper'),
    format(entries, 'organization_id = key[1]', 'lower', 'upper')));
END
$$;
