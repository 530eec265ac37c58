-- A UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, the rest random. PostgreSQL 18 has a function of its own.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."uuidv7"() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path = pg_catalog
AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;
