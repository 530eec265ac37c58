import { expect, it } from 'vitest'
import { auditPage } from '../../src/ui/index.ts'
import type { WireActivity, WireOverview, WirePage } from '../../src/ui/wire.ts'
import { createDatabase } from '../support/database.ts'

const database = await createDatabase()
const page = auditPage(database.url)
const json = async <Answer>(path: string) =>
  (await (await page(new Request(`http://localhost${path}`))).json()) as Answer

// three weeks, an entry an hour, with ids that say nothing of the time
const [first, last] = ['2026-01-01T00:00:00Z', '2026-01-21T23:00:00Z']
await database.sql(
  `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, reason)
   SELECT gen_random_uuid(), at, 'order.' || (ARRAY['create', 'update'])[1 + extract(hour FROM at)::int % 2],
     'actor of ' || extract(day FROM at), 'user', 'order', CASE WHEN at = $1 THEN 'the first' END
   FROM generate_series($1::timestamptz, $2::timestamptz, '1 hour') AS at`,
  [first, last],
)

it('the chart counts by the time of entries, whatever their ids', async () => {
  const { bucket, counts, sample } = await json<WireActivity>('/api/activity?buckets=120')
  expect({ bucket, sample }).toEqual({ bucket: 6 * 3_600_000, sample: 1 })
  expect([counts[0]?.[0], counts.at(-1)?.[0]]).toEqual([
    Date.parse(first),
    Date.parse('2026-01-21T18:00:00Z'),
  ])
  expect(counts.map(([, successes]) => successes)).toEqual(Array(21 * 4).fill(6))
})

it('a text is found in entries with any ids, and the newest actors are those of the newest entries', async () => {
  const { entries } = await json<WirePage>('/api/entries?text=the+first')
  expect(entries.map(({ timestamp }) => timestamp)).toEqual(['2026-01-01T00:00:00.000000Z'])
  const { actors } = await json<WireOverview>('/api/overview')
  expect(actors.map(({ id }) => id)).toContain('actor of 21')
  expect(actors.map(({ id }) => id)).not.toContain('actor of 1')
})
