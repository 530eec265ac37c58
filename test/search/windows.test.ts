import { afterAll, describe, expect, it } from 'vitest'
import { fillLog } from '../../scripts/fill-log.ts'
import { type SearchFilter, withAudit } from '../../src/index.ts'
import type { Conditions } from '../../src/search/conditions.ts'
import { readPage } from '../../src/search/page.ts'
import { connectionTo } from '../../src/ui/data/read-connection.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { allPages } from './all-pages.ts'

// windows begin with 4,000 entries and grow: this is five of them
const db = await createDatabase()
await fillLog(db.pool, 100_000)
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
const rare = Array.from({ length: 40 }, (_, n) => ({
  timestamp: hoursAgo(n / 3),
  actor_email: 'ada@example.com',
}))
await insertEntries(db, rare)
const { $audit: audit } = withAudit(createClient(db.url))
const connection = connectionTo(db.url)
afterAll(() => connection.close())

async function seqsWhere(condition: string): Promise<bigint[]> {
  const rows = await db.sql<{ seq: string }>(
    `SELECT seq FROM audit_logs WHERE ${condition} ORDER BY "timestamp" DESC, seq DESC`,
  )
  return rows.map(({ seq }) => BigInt(seq))
}

describe('a search for what no index knows goes back in windows of time', () => {
  const [from, to] = [hoursAgo(7), hoursAgo(2)]
  it.each<[string, SearchFilter, string]>([
    ['rare', { actor: { email: 'ada@example.com' } }, 'actor_email IS NOT NULL'],
    [
      'rare in a time span',
      { actor: { email: 'ada@example.com' }, from, to },
      `actor_email IS NOT NULL AND "timestamp" >= '${from}' AND "timestamp" < '${to}'`,
    ],
    ['not there', { changed: 'nothing' }, 'false'],
  ])('and finds what is %s', async (_, filter, condition) => {
    const found = await allPages((page) => audit.search(filter, page), 7)
    expect(found.map(({ seq }) => seq)).toEqual(await seqsWhere(condition))
  })

  it('and finds each entry once, page by page and as a stream', async () => {
    const expected = await seqsWhere(`outcome = 'failure'`)
    const pages = await allPages((page) => audit.search({ outcome: 'failure' }, page), 1_000)
    expect(pages.map(({ seq }) => seq)).toEqual(expected)
    const streamed: bigint[] = []
    for await (const { seq } of audit.stream({ outcome: 'failure' })) {
      if (streamed.push(seq) === 2_500) break
    }
    expect(streamed).toEqual(expected.slice(0, 2_500))
  })

  it('also where ids are not in the order of time', async () => {
    const other = await createDatabase()
    const given = Array.from({ length: 9_000 }, (_, n) => ({
      timestamp: new Date(Date.UTC(2026, 0, 1) + ((n * 7_919) % 9_000) * 1_000).toISOString(),
      outcome: n % 50 === 0 ? 'failure' : 'success',
    }))
    await insertEntries(other, given)
    const { $audit } = withAudit(createClient(other.url))
    const found = await allPages((page) => $audit.search({ outcome: 'failure' }, page), 20)
    const times = given.filter(({ outcome }) => outcome === 'failure').map(({ timestamp }) => timestamp)
    expect(found.map(({ timestamp }) => timestamp.toISOString())).toEqual(times.sort().reverse())
  })
})

describe('a page whose time is over', () => {
  it.each<[string, Conditions, string]>([
    ['a text', { text: 'FF00' }, `request_id LIKE '%ff00%'`],
    ['an actor and a text', { actorId: 'ada', text: 'ff0' }, `actor_id = 'ada' AND request_id LIKE '%ff0%'`],
    [
      'actions and a text',
      { actions: ['*.login', 'resource1.*'], text: 'ff0' },
      `action ~ '^resource1\\.|\\.login$' AND request_id LIKE '%ff0%'`,
    ],
    [
      'a resource type and an outcome',
      { resourceType: 'user', outcome: 'success' },
      `resource_type = 'user' AND outcome = 'success'`,
    ],
  ])('says how far it looked for %s, and its cursor goes on from there', async (_, conditions, condition) => {
    const source = { table: { name: 'audit_logs' }, connection: connection.within(10_000), columns: 'seq' }
    const found: bigint[] = []
    const stops: string[] = []
    let cursor: string | undefined
    do {
      const options = { limit: 1_000, cursor, time: 0 }
      const page = await readPage<{ seq: number }>(source, 'test', conditions, options)
      found.push(...page.rows.map(({ seq }) => BigInt(seq)))
      if (page.stoppedAt !== null) stops.push(page.stoppedAt)
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(found).toEqual(await seqsWhere(condition))
    expect(stops.length).toBeGreaterThan(0)
    expect(stops).toEqual(stops.toSorted().reverse())
  })
})
