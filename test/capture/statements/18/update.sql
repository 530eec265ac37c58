-- prisma.country.update({ where: { code: 'CH' }, data: { name: 'Suisse' } })

-- Prisma's statement:
-- UPDATE "public"."Country"
-- SET "name" = $1
-- WHERE ("public"."Country"."code" = $2 AND 1=1)
-- RETURNING "public"."Country"."code", "public"."Country"."name", "public"."Country"."population"

-- The change and its entries:
-- $3 = {"actor_id":"ada","actor_type":"user","request_id":"r1","ip":"192.0.2.1","details":{"operation":"update"}}
UPDATE "public"."Country"
SET "name" = $1
WHERE ("public"."Country"."code" = $2 AND 1=1)
RETURNING WITH (OLD AS "__audit_old", NEW AS "__audit_new")
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
    'country', pg_catalog.left((pg_catalog.to_jsonb("__audit_old"."code") #>> '{}'), 255),
    pg_catalog.jsonb_build_object(
      'code', "__audit_old"."code",
      'name', "__audit_old"."name",
      'population', "__audit_old"."population"::text
    ),
    pg_catalog.jsonb_build_object('name', "__audit_new"."name"),
    pg_catalog.array_remove(
      ARRAY[
        CASE
          WHEN ROW("__audit_old"."name")::record *<> ROW("__audit_new"."name")::record THEN 'name'
        END
      ],
      NULL
    ),
    $3::pg_catalog.jsonb
  ),
  CASE WHEN false THEN ROW(NULL, NULL, NULL)::"public"."Country" END;
