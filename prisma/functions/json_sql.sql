-- The SQL expression that gives a column's value as entries have it (docs/entries.md, "Values"). The library has the
-- same rules for the statements that it writes.
--
-- type, modifier: as in pg_attribute
-- reference: an expression for the column, such as NEW."price"
CREATE OR REPLACE FUNCTION "audit_logs_internal"."json_sql"(type oid, modifier integer, reference text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  t pg_type;
  built_in text;
  item text;
  cell text;
BEGIN
  SELECT * INTO t FROM pg_type WHERE oid = type;
  IF t.typtype = 'd' THEN
    RETURN "audit_logs_internal"."json_sql"(t.typbasetype, t.typtypmod, reference);
  END IF;
  built_in := CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END;
  IF t.typcategory = 'A' AND t.typelem <> 0 THEN
    t := "audit_logs_internal"."base_type"(t.typelem);
    IF t.typtype = 'e' OR "audit_logs_internal"."is_json_as_is"(t) THEN
      RETURN reference;
    END IF;
    IF t.typnamespace <> 'pg_catalog'::regnamespace
      OR t.typname NOT IN ('timestamp', 'timestamptz', 'json', 'bytea')
    THEN
      RETURN reference || '::text[]';
    END IF;
    item := "audit_logs_internal"."json_sql"(t.oid, modifier, '__audit_item.value');
    cell := "audit_logs_internal"."json_sql"(t.oid, modifier, format('(%s)[__audit_row][__audit_column]', reference));
    -- unnest flattens, so an array of arrays goes cell by cell
    RETURN format(
      'CASE array_ndims(%1$s) WHEN 2 THEN (SELECT jsonb_agg((SELECT jsonb_agg(%3$s ORDER BY __audit_column)
        FROM generate_subscripts(%1$s, 2) AS __audit_column) ORDER BY __audit_row)
        FROM generate_subscripts(%1$s, 1) AS __audit_row)
      ELSE CASE WHEN array_ndims(%1$s) > 2 THEN to_jsonb(%1$s::text)
        WHEN %1$s IS NOT NULL THEN to_jsonb(ARRAY(SELECT %2$s
          FROM unnest(%1$s) WITH ORDINALITY AS __audit_item(value, position) ORDER BY __audit_item.position)) END END',
      reference, item, cell);
  END IF;
  IF "audit_logs_internal"."is_json_as_is"(t) THEN
    RETURN reference;
  END IF;
  CASE built_in
    WHEN 'timestamp' THEN
      -- three digits of a second as JavaScript writes them, six where there are more. Infinity and years before Christ,
      -- which ISO 8601 cannot say in four digits, as PostgreSQL's JSON has them
      RETURN format('CASE WHEN %1$s < ''0001-01-01'' THEN to_jsonb(%1$s) #>> ''{}'' ELSE coalesce(%2$s, %1$s::text) END',
        reference,
        -- also where the column has three digits at most: a migration can give it more
        format('CASE WHEN date_trunc(''milliseconds'', %1$s) <> %1$s THEN %3$s ELSE %2$s END',
          reference,
          format('to_char(%s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'')', reference),
          format('to_char(%s, ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')', reference)));
    WHEN 'timestamptz' THEN
      RETURN "audit_logs_internal"."json_sql"(
        'timestamp'::regtype, modifier, format('(%s AT TIME ZONE ''UTC'')', reference));
    WHEN 'json' THEN
      -- json stores what jsonb cannot: the character with code zero, half a surrogate pair, a number beyond numeric.
      -- Then its text is the value
      RETURN format('CASE WHEN %1$s::text ~* %2$L THEN to_jsonb(%1$s::text) ELSE %1$s::jsonb END', reference,
        '\\u(0000|d[89a-f])|(^|[:,\[\s])-?\d+(\.\d+)?e[+-]?\d{6,}([,}\]\s]|$)');
    WHEN 'bytea' THEN
      -- encode() breaks base64 into lines of 76 characters, after RFC 2045
      RETURN format('translate(encode(%s, ''base64''), E''\n'', '''')', reference);
    ELSE
      RETURN reference || '::text';
  END CASE;
END
$$;
