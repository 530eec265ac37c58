-- Whether an entry stays in the table. A rule has a resource, an organization, or both, and whether what it matches stays: of
-- several that match, one that has it stay is enough. What none matches stays if "others_stay".
CREATE OR REPLACE FUNCTION "audit_logs_internal"."stays"(resource text, organization text, rules jsonb, others_stay boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS $$
  SELECT coalesce(bool_or(r.stays), others_stay)
  FROM jsonb_to_recordset(rules) AS r(resource text, organization text, stays boolean)
  WHERE (r.resource IS NULL OR r.resource = stays.resource) AND (r.organization IS NULL OR r.organization = stays.organization)
$$;
