-- What Prisma's schema language can't say of Pagila: the triggers that stamp each changed row.
CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.last_update := CURRENT_TIMESTAMP;
  RETURN NEW;
END
$$;

DO $$
DECLARE
  stamped text;
BEGIN
  FOR stamped IN SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'last_update'
  LOOP
    EXECUTE format('CREATE TRIGGER last_updated BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION last_updated()', stamped);
  END LOOP;
END
$$;
