import { describe, expect, it } from 'vitest'
import { type AuditPage, type PageOptions, withAudit } from '../../src/index.ts'
import { connectionTo } from '../../src/ui/data/read-connection.ts'
import { sqlLogReader } from '../../src/ui/data/sql-log-reader.ts'
import { allPages } from '../search/all-pages.ts'
import { createClient } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { createPartitioned, fillMonths } from './partitioned.ts'

const db = await createPartitioned()
await fillMonths(db, 84, 6_000)
const hour = 3_600_000
const now = Date.now()
const monthsAgo = (months: number) => new Date(now - months * 30 * 24 * hour).toISOString()
// what lies beyond: before the first month that was made, and dated ahead
await db.sql(`CREATE TABLE long_ago PARTITION OF audit_logs FOR VALUES FROM (MINVALUE) TO ('2010-01-01')`)
await insertEntries(db, [
  {
    timestamp: '2003-05-06T07:08:09Z',
    action: 'user.login',
    actor_id: 'actor-3',
    resource_type: 'user',
    resource_id: '3',
  },
  {
    timestamp: monthsAgo(-6),
    action: 'user.login',
    actor_id: 'actor-3',
    resource_type: 'user',
    resource_id: '3',
  },
])

// reads of several records, long ago and now
await insertEntries(
  db,
  [70, 41, 40, 0].map((months, index) => ({
    ...{ timestamp: monthsAgo(months), action: 'user.read', actor_id: 'reader', resource_type: 'user' },
    details: { ids: ['4', '5', String(100 + index)] },
  })),
)

/** The statements that a helper sent. */
let sent: string[] = []
const client = createClient(db.url)
const queryRaw = client.$queryRawUnsafe.bind(client)
Object.assign(client, {
  $queryRawUnsafe: (sql: string, ...values: unknown[]) => {
    sent.push(sql)
    return queryRaw(sql, ...values)
  },
})
const { $audit: audit } = withAudit(client)

async function seqsWhere(condition: string): Promise<bigint[]> {
  const rows = await db.sql<{ seq: string }>(
    `SELECT seq FROM audit_logs WHERE ${condition} ORDER BY "timestamp" DESC, seq DESC`,
  )
  return rows.map(({ seq }) => BigInt(seq))
}

describe('a log of 84 months', () => {
  const span = { from: monthsAgo(30), to: monthsAgo(3) }
  const questions: [string, (page: PageOptions) => Promise<AuditPage>, string][] = [
    ['everything', (page) => audit.search({}, page), 'true'],
    ['a record', (page) => audit.history('User', 3, page), `resource_type = 'user' AND resource_id = '3'`],
    ['an actor', (page) => audit.activity('actor-3', page), `actor_id = 'actor-3'`],
    ['an action', (page) => audit.search({ action: 'user.login' }, page), `action = 'user.login'`],
    ['actions of a pattern', (page) => audit.exports({}, page), `action LIKE '%.export'`],
    ['a model', (page) => audit.search({ resource: 'order' }, page), `resource_type = 'order'`],
    ['an outcome', (page) => audit.search({ outcome: 'failure' }, page), `outcome = 'failure'`],
    [
      'a time span',
      (page) => audit.search(span, page),
      `"timestamp" >= '${span.from}' AND "timestamp" < '${span.to}'`,
    ],
    [
      'an organization and a time span',
      (page) => audit.search({ organizationId: 'organization-0', ...span }, page),
      `organization_id = 'organization-0' AND "timestamp" >= '${span.from}' AND "timestamp" < '${span.to}'`,
    ],
    ['a request', (page) => audit.search({ requestId: 'request-77' }, page), `request_id = 'request-77'`],
    ['a transaction', (page) => audit.transaction(1_000_000_100n, page), 'transaction_id = 1000000100'],
    [
      'a record and its reads',
      (page) => audit.history('User', 5, page),
      `resource_type = 'user' AND (resource_id = '5' OR details->'ids' ? '5')`,
    ],
    ['reads', (page) => audit.accesses('User', 5, page), `action = 'user.read' AND details->'ids' ? '5'`],
    [
      'a record, an actor and a time span',
      (page) => audit.search({ resource: { type: 'user', id: '4' }, actor: 'actor-3', ...span }, page),
      `resource_type = 'user' AND resource_id = '4' AND actor_id = 'actor-3' AND "timestamp" >= '${span.from}' AND "timestamp" < '${span.to}'`,
    ],
    [
      'an actor, an outcome and a pattern',
      (page) =>
        audit.search({ actor: 'actor-2', outcome: 'failure', action: ['user.*', 'report.export'] }, page),
      `actor_id = 'actor-2' AND outcome = 'failure' AND action IN ('user.login', 'report.export')`,
    ],
    [
      'an organization and an actor',
      (page) => audit.search({ actor: 'actor-2', organizationId: 'organization-2' }, page),
      `actor_id = 'actor-2' AND organization_id = 'organization-2'`,
    ],
    [
      'failures of an action',
      (page) => audit.failedLogins({ since: monthsAgo(50), until: monthsAgo(20) }, page),
      `action = 'user.login' AND outcome = 'failure' AND "timestamp" >= '${monthsAgo(50)}' AND "timestamp" < '${monthsAgo(20)}'`,
    ],
    ['nothing', (page) => audit.activity('nobody', page), 'false'],
  ]
  it.each(questions)('gives %s in order, each entry once, whatever the page', async (_, ask, condition) => {
    const expected = await seqsWhere(condition)
    const found = await allPages(ask, 400)
    expect(found.map(({ seq }) => seq)).toEqual(expected)
  })

  it('gives all of it as a stream', async () => {
    const seqs: bigint[] = []
    for await (const { seq } of audit.stream({ action: 'user.*' })) seqs.push(seq)
    expect(seqs).toEqual(await seqsWhere(`action LIKE 'user.%'`))
  })

  it('is read by one statement on its newest months, where these fill the page', async () => {
    const actor = { id: 'actor-4', type: 'user' } as const
    await audit.search({ actor }, { limit: 5 })
    sent = []
    await audit.search({ actor }, { limit: 5 })
    await audit.search({ action: ['order.update', 'order.delete'] }, { limit: 5 })
    expect(sent).toHaveLength(2)
    for (const sql of sent) expect(sql).toContain(`WHERE "timestamp" >= '`)
  })

  it('gives a page of the web page whose time is over, and goes on from there', async () => {
    const connection = connectionTo(db.url)
    const reader = sqlLogReader(connection, { name: 'audit_logs' })
    const seqs: bigint[] = []
    let cursor: string | undefined
    do {
      const page = await reader.page({ text: 'request-1' }, { limit: 100, cursor })
      seqs.push(...page.entries.map(({ seq }) => BigInt(seq)))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seqs).toEqual(await seqsWhere(`request_id LIKE 'request-1%'`))
    await connection.close()
  })

  it('gives an entry by its id, whether or not the id says when it was written', async () => {
    const connection = connectionTo(db.url)
    const reader = sqlLogReader(connection, { name: 'audit_logs' })
    const rows = await db.sql<{ id: string }>(
      `(SELECT id FROM audit_logs ORDER BY "timestamp" LIMIT 3) UNION ALL (SELECT id FROM audit_logs ORDER BY "timestamp" DESC LIMIT 3)`,
    )
    for (const { id } of rows) expect((await reader.entry(id))?.id).toBe(id)
    expect(await reader.entry('00000000-0000-7000-8000-000000000000')).toBeUndefined()
    await connection.close()
  })
})
