-- prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } })

-- Prisma's statement:
-- INSERT INTO "public"."_PostToTag" ("A","B") VALUES ($1,$2) ON CONFLICT DO NOTHING

-- The change and its entries:
-- $3 = update, $4 = <a number>, $5 = <28 characters of a UUIDv7>, $6 = ada, $7 = user, $8 = null, $9 = null, $10 = r1, $11 = 192.0.2.1, $12 = null, $13 = null
WITH "__audit_op"("__audit_new_a", "__audit_new_b", "__audit_triggers", "__audit_shape") AS (
  INSERT INTO "public"."_PostToTag" ("A","B")
  VALUES ($1,$2)
  ON CONFLICT DO NOTHING
  RETURNING
    pg_catalog.left("_PostToTag"."A"::text, 255), "_PostToTag"."B"::text,
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_28811d4903695b0d3ab04a66ec50ea44', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, '28811d4903695b0d3ab04a66ec50ea44', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL)::"public"."_PostToTag" END
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    (
      $5::pg_catalog.text || pg_catalog.lpad(
        pg_catalog.to_hex($4::pg_catalog.int8 + pg_catalog.row_number() OVER ()), 8, '0'
      )
    )::pg_catalog.uuid,
    side.action, $6, $7, $8, side.resource_type, side.resource_id, 'success', $9, side.details, $10,
    $11::pg_catalog.inet, $12, $13
  FROM "__audit_op"
  CROSS JOIN LATERAL (
    SELECT
      'post.connect', 'post', "__audit_op"."__audit_new_a",
      (
        SELECT pg_catalog.to_jsonb("__audit_details")
        FROM (
          SELECT
            'tags'::text AS "relation",
            pg_catalog.jsonb_build_object(
              'type', 'tag', 'id', "__audit_op"."__audit_new_b"
            ) AS "target",
            $3::pg_catalog.text AS "operation"
        ) AS "__audit_details"
      )
    UNION ALL
    SELECT
      'tag.connect', 'tag', "__audit_op"."__audit_new_b",
      (
        SELECT pg_catalog.to_jsonb("__audit_details")
        FROM (
          SELECT
            'posts'::text AS "relation",
            pg_catalog.jsonb_build_object(
              'type', 'post', 'id', "__audit_op"."__audit_new_a"
            ) AS "target",
            $3::pg_catalog.text AS "operation"
        ) AS "__audit_details"
      )
  ) AS side(action, resource_type, resource_id, details)
)
SELECT pg_catalog.count(*)::int4
FROM "__audit_op";
