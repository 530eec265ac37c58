-- What Prisma's schema language can't say.
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.stamped_at := clock_timestamp();
  RETURN NEW;
END
$$;

CREATE TRIGGER stamp BEFORE UPDATE ON "Stamped" FOR EACH ROW EXECUTE FUNCTION stamp();

CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END
$$;

CREATE TRIGGER count_revision BEFORE UPDATE ON "Meter" FOR EACH ROW EXECUTE FUNCTION count_revision();
