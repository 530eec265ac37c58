import { createPartitioned, fillMonths } from '../partitions/partitioned.ts'
import { untilReadable } from '../reader/readers.ts'
import type { Database } from '../support/database.ts'

/** A log of three years, in which the tag 1 was made first and renamed each month. */
export async function threeYears(): Promise<Database> {
  const db = await createPartitioned()
  await fillMonths(db, 36, 1_500)
  await db.sql(`INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, details, organization_id)
    SELECT gen_random_uuid(), now() - (36 - n) * interval '1 month' + interval '1 hour', CASE n WHEN 0 THEN 'tag.create' ELSE 'tag.update' END,
      'ada', 'user', 'tag', '1', CASE n WHEN 0 THEN '{}' ELSE jsonb_build_object('before', jsonb_build_object('id', 1, 'name', 'name ' || n - 1), 'changed', '["name"]'::jsonb) END
        || jsonb_build_object('after', jsonb_build_object('id', 1, 'name', 'name ' || n)), CASE WHEN n % 12 = 0 THEN 'held' END
    FROM generate_series(0, 35) AS n`)
  await db.sql(`INSERT INTO "Tag" (id, name) VALUES (1, 'name 35')`)
  await untilReadable(db)
  return db
}
