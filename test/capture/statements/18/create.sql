-- prisma.country.create({ data: { code: 'CH', name: 'Switzerland', population: 9 } })

-- Prisma's statement:
-- INSERT INTO "public"."Country" ("code","name","population")
-- VALUES ($1,$2,$3)
-- RETURNING "public"."Country"."code", "public"."Country"."name", "public"."Country"."population"

-- The change and its entries:
-- $4 = {"actor_id":"ada","actor_type":"user","request_id":"r1","ip":"192.0.2.1","details":{"operation":"create"}}
INSERT INTO "public"."Country" ("code","name","population")
VALUES ($1,$2,$3)
RETURNING
  "public"."Country"."code", "public"."Country"."name", "public"."Country"."population",
  CASE
    WHEN pg_catalog.textne(
      pg_catalog.current_setting(
        'prisma_extension_audit.watched_b04deb61a8ea1fb8d15de316791f5675', true
      ),
      ''
    )
      THEN "public"."audit_logs_context"(NULL, 'b04deb61a8ea1fb8d15de316791f5675', '')
  END,
  "public"."audit_logs_record"(
    'country', pg_catalog.left((pg_catalog.to_jsonb("Country"."code") #>> '{}'), 255), NULL,
    pg_catalog.jsonb_build_object(
      'code', "Country"."code", 'name', "Country"."name", 'population', "Country"."population"::text
    ),
    NULL, $4::pg_catalog.jsonb
  ),
  CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Country" END;
