-- prisma.post.upsert({ where: { id: 'p1' }, create: { id: 'p1', title: '1' }, update: { id: 'p2' } })

-- Prisma's statement:
-- INSERT INTO "public"."Post" ("id","title","views")
-- VALUES ($1,$2,$3)
-- ON CONFLICT ("id") DO UPDATE
-- SET "id" = $4
-- WHERE ("public"."Post"."id" = $5 AND 1=1)
-- RETURNING
--   "public"."Post"."id", "public"."Post"."title", "public"."Post"."views",
--   "public"."Post"."authorId", "public"."Post"."reviewerId"

-- 1. Lock the rows that are about to change:
SELECT "Post".ctid::text
FROM "public"."Post" AS "Post"
WHERE (("Post"."id" = $1))
FOR UPDATE OF "Post";

-- 2. Lock the rows that referential actions reach:
WITH RECURSIVE "__audit_start"(relation, "row", patch) AS (
  SELECT "Post".tableoid, "Post".ctid, pg_catalog.jsonb_build_object('id', NULL)
  FROM "public"."Post" AS "Post"
  WHERE "Post".ctid = ANY ((SELECT $1::pg_catalog.text)::pg_catalog.tid[])
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT
      1, c.tableoid, c.ctid,
      (
        SELECT pg_catalog.jsonb_object_agg(k.child, r.patch -> k.parent)
        FROM (VALUES ('postId', 'id')) AS k(child, parent)
        WHERE r.patch ? k.parent
      )
    FROM "public"."Post" AS p
    JOIN "public"."Comment" AS c ON c."postId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch ?| ARRAY['id']
    UNION ALL
    SELECT
      2, c.tableoid, c.ctid,
      (
        SELECT pg_catalog.jsonb_object_agg(k.child, r.patch -> k.parent)
        FROM (VALUES ('A', 'id')) AS k(child, parent)
        WHERE r.patch ? k.parent
      )
    FROM "public"."Post" AS p
    JOIN "public"."_PostToTag" AS c ON c."A" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch ?| ARRAY['id']
  ) AS step
),
"__audit_locked_1" AS MATERIALIZED (
  SELECT
  FROM "__audit_reached" AS r
  JOIN "public"."Comment" AS "__audit_child"
    ON "__audit_child".tableoid = r.relation
    AND "__audit_child".ctid = r."row"
  WHERE r.node = 1
  FOR NO KEY UPDATE OF "__audit_child"
),
"__audit_locked_2" AS MATERIALIZED (
  SELECT
  FROM "__audit_reached" AS r
  JOIN "public"."_PostToTag" AS "__audit_child"
    ON "__audit_child".tableoid = r.relation
    AND "__audit_child".ctid = r."row"
  WHERE r.node = 2
  FOR UPDATE OF "__audit_child"
)
SELECT
  (
    (
      SELECT pg_catalog.count(*) FROM "__audit_locked_1"
    ) + (SELECT pg_catalog.count(*) FROM "__audit_locked_2")
  )::int4;

-- 3. The change and its entries (where the last column counts a row, it is undone, and all of this repeated):
-- $6 = upsert, $7 = {}, $8 = ada, $9 = user, $10 = null, $11 = null, $12 = r1, $13 = 192.0.2.1, $14 = null, $15 = null
WITH RECURSIVE "__audit_op"(
  "__audit_r0", "__audit_r1", "__audit_r2", "__audit_r3", "__audit_r4", "__audit_action",
  "__audit_id", "__audit_details", "__audit_relation", "__audit_row", "__audit_patch",
  "__audit_missed", "__audit_triggers", "__audit_shape", "__audit_claim"
) AS (
  INSERT INTO "public"."Post" ("id","title","views")
  VALUES ($1,$2,$3)
  ON CONFLICT ("id") DO UPDATE
  SET "id" = $4
  WHERE ("public"."Post"."id" = $5 AND 1=1)
  RETURNING WITH (OLD AS "__audit_old", NEW AS "__audit_new")
    "public"."Post"."id", "public"."Post"."title", "public"."Post"."views",
    "public"."Post"."authorId", "public"."Post"."reviewerId",
    CASE WHEN "__audit_old".tableoid IS NULL THEN 'post.create' ELSE 'post.update' END,
    CASE
      WHEN "__audit_old".tableoid IS NULL THEN pg_catalog.left("__audit_new"."id"::text, 255)
      ELSE pg_catalog.left("__audit_old"."id"::text, 255)
    END,
    CASE
      WHEN "__audit_old".tableoid IS NULL
        THEN pg_catalog.jsonb_build_object(
          'after', pg_catalog.jsonb_build_object(
            'id', "__audit_new"."id",
            'title', "__audit_new"."title",
            'views', "__audit_new"."views",
            'authorId', "__audit_new"."authorId",
            'reviewerId', "__audit_new"."reviewerId"
          ),
          'operation', $6::pg_catalog.text
        )
      ELSE CASE
        WHEN ROW("__audit_old"."id")::record *<> ROW("__audit_new"."id")::record
          THEN pg_catalog.jsonb_build_object(
            'before', pg_catalog.jsonb_build_object(
              'id', "__audit_old"."id",
              'title', "__audit_old"."title",
              'views', "__audit_old"."views",
              'authorId', "__audit_old"."authorId",
              'reviewerId', "__audit_old"."reviewerId"
            ),
            'after', pg_catalog.jsonb_build_object(
              'id', "__audit_new"."id",
              'title', "__audit_new"."title",
              'views', "__audit_new"."views",
              'authorId', "__audit_new"."authorId",
              'reviewerId', "__audit_new"."reviewerId"
            ),
            'changed', pg_catalog.array_remove(
              ARRAY[
                CASE
                  WHEN ROW("__audit_old"."id")::record *<> ROW("__audit_new"."id")::record THEN 'id'
                END
              ],
              NULL
            ),
            'operation', $6::pg_catalog.text
          )
      END
    END,
    "__audit_old".tableoid, "__audit_old".ctid,
    (
      SELECT pg_catalog.jsonb_object_agg("__audit_key".name, "__audit_key".value)
      FROM (
        VALUES (
          'id', pg_catalog.to_jsonb("__audit_new"."id"),
          ROW("__audit_old"."id")::record *<> ROW("__audit_new"."id")::record
        )
      ) AS "__audit_key"(name, value, changed)
      WHERE "__audit_key".changed
    ),
    NOT (
      "__audit_old".tableoid IS NULL
        OR "__audit_old".ctid = ANY ($7::pg_catalog.text::pg_catalog.tid[])
    ),
    CASE
      WHEN pg_catalog.textne(
        pg_catalog.current_setting(
          'prisma_extension_audit.watched_1fafabed29b8e509dd81daf64312040f', true
        ),
        ''
      )
        THEN "public"."audit_logs_context"(NULL, '1fafabed29b8e509dd81daf64312040f', '')
    END,
    CASE WHEN false THEN ROW(NULL, NULL, NULL, NULL, NULL)::"public"."Post" END,
    (
      SELECT
        pg_catalog.set_config(
          'prisma_extension_audit.records',
          pg_catalog.concat(
            EXTRACT(epoch FROM pg_catalog.statement_timestamp()),
            ' 456ef43e7d2f9774ddc0c97a31f7fcc3 28811d4903695b0d3ab04a66ec50ea44 '
          ),
          true
        )
    )
),
"__audit_start"(relation, "row", patch) AS (
  SELECT "__audit_relation", "__audit_row", "__audit_patch"
  FROM "__audit_op"
  WHERE "__audit_patch" IS NOT NULL
),
"__audit_reached"(node, relation, "row", patch) AS (
  SELECT 0, s.relation, s."row", s.patch
  FROM "__audit_start" AS s
  UNION
  SELECT step.*
  FROM "__audit_reached" AS r
  CROSS JOIN LATERAL (
    SELECT
      1, c.tableoid, c.ctid,
      (
        SELECT pg_catalog.jsonb_object_agg(k.child, r.patch -> k.parent)
        FROM (VALUES ('postId', 'id')) AS k(child, parent)
        WHERE r.patch ? k.parent
      )
    FROM "public"."Post" AS p
    JOIN "public"."Comment" AS c ON c."postId" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch ?| ARRAY['id']
    UNION ALL
    SELECT
      2, c.tableoid, c.ctid,
      (
        SELECT pg_catalog.jsonb_object_agg(k.child, r.patch -> k.parent)
        FROM (VALUES ('A', 'id')) AS k(child, parent)
        WHERE r.patch ? k.parent
      )
    FROM "public"."Post" AS p
    JOIN "public"."_PostToTag" AS c ON c."A" = p."id"
    WHERE r.node = 0 AND p.tableoid = r.relation AND p.ctid = r."row" AND r.patch ?| ARRAY['id']
  ) AS step
),
"__audit_affected_1" AS (
  SELECT
    CASE WHEN a.gone THEN 'comment.delete' ELSE 'comment.update' END AS "__audit_action",
    "__audit_child"."id"::text AS "__audit_id",
    CASE
      WHEN a.gone
        THEN pg_catalog.jsonb_build_object(
          'before', pg_catalog.jsonb_build_object(
            'id', "__audit_child"."id",
            'text', "__audit_child"."text",
            'postId', "__audit_child"."postId",
            'userId', "__audit_child"."userId"
          ),
          'cause', 'post.update'::text,
          'operation', $6::pg_catalog.text
        )
      ELSE CASE
        WHEN "__audit_child"."id" IS DISTINCT FROM "__audit_patched"."id"
          OR ROW("__audit_child"."text")::record *<> ROW("__audit_patched"."text")::record
          OR ROW("__audit_child"."postId")::record *<> ROW("__audit_patched"."postId")::record
          OR "__audit_child"."userId" IS DISTINCT FROM "__audit_patched"."userId"
          THEN pg_catalog.jsonb_build_object(
            'before', pg_catalog.jsonb_build_object(
              'id', "__audit_child"."id",
              'text', "__audit_child"."text",
              'postId', "__audit_child"."postId",
              'userId', "__audit_child"."userId"
            ),
            'after', pg_catalog.jsonb_build_object(
              'id', "__audit_patched"."id",
              'text', "__audit_patched"."text",
              'postId', "__audit_patched"."postId",
              'userId', "__audit_patched"."userId"
            ),
            'changed', pg_catalog.array_remove(
              ARRAY[
                CASE
                  WHEN "__audit_child"."id" IS DISTINCT FROM "__audit_patched"."id" THEN 'id'
                END,
                CASE
                  WHEN ROW("__audit_child"."text")::record *<> ROW("__audit_patched"."text")::record
                    THEN 'text'
                END,
                CASE
                  WHEN ROW("__audit_child"."postId")::record *<> ROW(
                    "__audit_patched"."postId"
                  )::record
                    THEN 'postId'
                END,
                CASE
                  WHEN "__audit_child"."userId" IS DISTINCT FROM "__audit_patched"."userId"
                    THEN 'userId'
                END
              ],
              NULL
            ),
            'cause', 'post.update'::text,
            'operation', $6::pg_catalog.text
          )
      END
    END AS "__audit_details",
    CASE WHEN false THEN ROW(NULL, NULL, NULL, NULL)::"public"."Comment" END AS "__audit_guard"
  FROM (
    SELECT
      r.relation, r."row", pg_catalog.bool_or(r.patch IS NULL) AS gone,
      pg_catalog.jsonb_object_agg(f.key, f.value) FILTER (WHERE f.key IS NOT NULL) AS patch
    FROM "__audit_reached" AS r
    LEFT JOIN LATERAL pg_catalog.jsonb_each(r.patch) AS f ON true
    WHERE r.node = 1
      AND NOT EXISTS (
        SELECT
        FROM "__audit_op" AS o
        WHERE o."__audit_relation" = r.relation AND o."__audit_row" = r."row"
      )
    GROUP BY r.relation, r."row"
  ) AS a
  JOIN "public"."Comment" AS "__audit_child"
    ON "__audit_child".tableoid = a.relation
    AND "__audit_child".ctid = a."row"
  CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
    "__audit_child", coalesce(a.patch, '{}')
  ) AS "__audit_patched"
),
"__audit_affected_2" AS (
  SELECT
    a.gone AS "__audit_gone", pg_catalog.left("__audit_child"."A"::text, 255) AS "__audit_old_a",
    "__audit_child"."B"::text AS "__audit_old_b",
    pg_catalog.left("__audit_patched"."A"::text, 255) AS "__audit_new_a",
    "__audit_patched"."B"::text AS "__audit_new_b"
  FROM (
    SELECT
      r.relation, r."row", pg_catalog.bool_or(r.patch IS NULL) AS gone,
      pg_catalog.jsonb_object_agg(f.key, f.value) FILTER (WHERE f.key IS NOT NULL) AS patch
    FROM "__audit_reached" AS r
    LEFT JOIN LATERAL pg_catalog.jsonb_each(r.patch) AS f ON true
    WHERE r.node = 2
      AND NOT EXISTS (
        SELECT
        FROM "__audit_op" AS o
        WHERE o."__audit_relation" = r.relation AND o."__audit_row" = r."row"
      )
    GROUP BY r.relation, r."row"
  ) AS a
  JOIN "public"."_PostToTag" AS "__audit_child"
    ON "__audit_child".tableoid = a.relation
    AND "__audit_child".ctid = a."row"
  CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(
    "__audit_child", coalesce(a.patch, '{}')
  ) AS "__audit_patched"
),
"__audit_log" AS (
  INSERT INTO "public"."audit_logs" (
    "id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id"
  )
  SELECT
    pg_catalog.uuidv7(), e.action, $8, $9, $10, e.resource_type, e.resource_id, 'success', $11,
    e.details, $12, $13::pg_catalog.inet, $14, $15
  FROM (
    SELECT
      "__audit_op"."__audit_action", 'post', "__audit_op"."__audit_id",
      "__audit_op"."__audit_details"
    FROM "__audit_op"
    WHERE "__audit_op"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT
      "__audit_affected_1"."__audit_action", 'comment', "__audit_affected_1"."__audit_id",
      "__audit_affected_1"."__audit_details"
    FROM "__audit_affected_1"
    WHERE "__audit_affected_1"."__audit_details" IS NOT NULL
    UNION ALL
    SELECT side.action, side.resource_type, side.resource_id, side.details
    FROM "__audit_affected_2"
    CROSS JOIN LATERAL (
      SELECT
        'post.disconnect', 'post', "__audit_affected_2"."__audit_old_a",
        pg_catalog.jsonb_build_object(
          'relation', 'tags'::text,
          'target', pg_catalog.jsonb_build_object(
            'type', 'tag', 'id', "__audit_affected_2"."__audit_old_b"
          ),
          'cause', 'post.update'::text,
          'operation', $6::pg_catalog.text
        )
      UNION ALL
      SELECT
        'tag.disconnect', 'tag', "__audit_affected_2"."__audit_old_b",
        pg_catalog.jsonb_build_object(
          'relation', 'posts'::text,
          'target', pg_catalog.jsonb_build_object(
            'type', 'post', 'id', "__audit_affected_2"."__audit_old_a"
          ),
          'cause', 'post.update'::text,
          'operation', $6::pg_catalog.text
        )
    ) AS side(action, resource_type, resource_id, details)
    UNION ALL
    SELECT side.action, side.resource_type, side.resource_id, side.details
    FROM "__audit_affected_2"
    CROSS JOIN LATERAL (
      SELECT
        'post.connect', 'post', "__audit_affected_2"."__audit_new_a",
        pg_catalog.jsonb_build_object(
          'relation', 'tags'::text,
          'target', pg_catalog.jsonb_build_object(
            'type', 'tag', 'id', "__audit_affected_2"."__audit_new_b"
          ),
          'cause', 'post.update'::text,
          'operation', $6::pg_catalog.text
        )
      UNION ALL
      SELECT
        'tag.connect', 'tag', "__audit_affected_2"."__audit_new_b",
        pg_catalog.jsonb_build_object(
          'relation', 'posts'::text,
          'target', pg_catalog.jsonb_build_object(
            'type', 'post', 'id', "__audit_affected_2"."__audit_new_a"
          ),
          'cause', 'post.update'::text,
          'operation', $6::pg_catalog.text
        )
    ) AS side(action, resource_type, resource_id, details)
    WHERE NOT "__audit_affected_2"."__audit_gone"
  ) AS e(action, resource_type, resource_id, details)
)
SELECT
  "__audit_r0" AS "id", "__audit_r1" AS "title", "__audit_r2" AS "views",
  "__audit_r3" AS "authorId", "__audit_r4" AS "reviewerId",
  (SELECT pg_catalog.count(*)::int4 FROM "__audit_op" WHERE "__audit_missed")
FROM "__audit_op";
