-- prisma.reading.update({ where: { sensor: 's1' }, data: { value: 2 } })

-- Prisma's statement:
-- UPDATE "public"."Reading"
-- SET "value" = $1
-- WHERE ("public"."Reading"."sensor" = $2 AND 1=1)
-- RETURNING "public"."Reading"."sensor", "public"."Reading"."value"

-- The change and its entries:
-- $3 = {"actor_id":"ada","actor_type":"user","request_id":"r1","ip":"192.0.2.1","details":{"operation":"update"}}
UPDATE "public"."Reading"
SET "value" = $1
WHERE ("public"."Reading"."sensor" = $2 AND 1=1)
RETURNING WITH (OLD AS "__audit_old", NEW AS "__audit_new")
  "public"."Reading"."sensor", "public"."Reading"."value",
  CASE
    WHEN pg_catalog.textne(
      pg_catalog.current_setting(
        'prisma_extension_audit.watched_1afda68e27a0db6bad9422bb935d98d0', true
      ),
      ''
    )
      THEN "public"."audit_logs_context"(NULL, '1afda68e27a0db6bad9422bb935d98d0', '')
  END,
  "public"."audit_logs_record"(
    'reading', NULL::text,
    pg_catalog.jsonb_build_object('sensor', "__audit_old"."sensor", 'value', "__audit_old"."value"),
    pg_catalog.jsonb_build_object('value', "__audit_new"."value"),
    pg_catalog.array_remove(
      ARRAY[
        CASE
          WHEN ROW("__audit_old"."value")::record *<> ROW("__audit_new"."value")::record
            THEN 'value'
        END
      ],
      NULL
    ),
    $3::pg_catalog.jsonb
  ),
  CASE WHEN false THEN ROW(NULL, NULL)::"public"."Reading" END;
