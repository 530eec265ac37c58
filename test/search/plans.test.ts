import { describe, expect, it } from 'vitest'
import { fillLog } from '../../scripts/fill-log.ts'
import { type AuditPage, type PageOptions, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const size = 200_000
const db = await createDatabase()
await fillLog(db.pool, size)

/** The last statement on the log that a helper sent. */
let sent: { sql: string; values: unknown[] } | undefined
const client = createClient(db.url)
const queryRaw = client.$queryRawUnsafe.bind(client)
Object.assign(client, {
  $queryRawUnsafe: (sql: string, ...values: unknown[]) => {
    if (sql.includes('audit_logs')) sent = { sql, values }
    return queryRaw(sql, ...values)
  },
})
const { $audit: audit } = withAudit(client)

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

/** What a helper's statement does with the log. */
async function workOf(read: () => Promise<unknown>) {
  sent = undefined
  await read()
  if (!sent) throw new Error('the helper sent no statement')
  const { sql, values } = sent as { sql: string; values: unknown[] }
  const [row] = await db.sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`,
    values,
  )
  const nodes = flatten(row?.['QUERY PLAN'][0].Plan)
  const scans = nodes.filter((node) => node['Relation Name'] === 'audit_logs')
  return {
    sequentialScans: scans.filter((node) => node['Node Type'] === 'Seq Scan').length,
    fullSorts: nodes.filter((node) => node['Node Type'] === 'Sort').length,
    rowsRead: scans.map(rowsOf).reduce((sum, rows) => sum + rows, 0),
    rowsSorted: Math.max(0, ...nodes.filter((node) => node['Node Type'] === 'Sort').map(inputOf)),
  }
}

function inputOf({ Plans: [input] = [] }: PlanNode): number {
  return input ? input['Actual Rows'] * input['Actual Loops'] : 0
}

function flatten(node: PlanNode | undefined): PlanNode[] {
  return node ? [node, ...(node.Plans ?? []).flatMap(flatten)] : []
}

function rowsOf(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return (node['Actual Rows'] + removed) * node['Actual Loops']
}

/** The page that begins `skip` entries after the first one. */
async function cursorAfter(skip: number, read: (page: PageOptions) => Promise<AuditPage>): Promise<string> {
  const { nextCursor } = await read({ limit: skip })
  if (nextCursor === null) throw new Error('there are too few entries for a further page')
  return nextCursor
}

const hourAgo = new Date(Date.now() - 3_600_000)
const hoursAgo = new Date(Date.now() - 15 * 3_600_000)

describe(`on ${size.toLocaleString('en')} entries`, () => {
  // The newest entries, and those from the thousandth on. Conditions on one actor, organization or action
  const ordered: Record<string, [(page: PageOptions) => Promise<AuditPage>, number]> = {
    activity: [(page) => audit.activity('actor-42', page), 400],
    'an action': [(page) => audit.search({ action: 'order.update' }, page), 1_000],
    'an action of a time span': [
      (page) => audit.search({ action: 'order.update', from: hoursAgo }, page),
      1_000,
    ],
    'an actor of a time span': [(page) => audit.search({ actor: 'actor-43', from: hoursAgo }, page), 400],
    'failed logins of the last hour': [(page) => audit.failedLogins({ since: hourAgo }, page), 1_000],
    'an organization': [(page) => audit.search({ organizationId: 'organization-7' }, page), 1_000],
    'an organization and an action': [
      (page) => audit.search({ organizationId: 'organization-7', action: 'resource0.*' }, page),
      100,
    ],
  }
  for (const [name, [read, skip]] of Object.entries(ordered)) {
    it(`one index gives the entries of ${name} in order, on the first page and later`, async () => {
      const cursor = await cursorAfter(skip, read)
      for (const page of [{ limit: 20 }, { limit: 20, cursor }]) {
        const { sequentialScans, fullSorts, rowsRead } = await workOf(() => read(page))
        expect({ sequentialScans, fullSorts }).toEqual({ sequentialScans: 0, fullSorts: 0 })
        expect(rowsRead).toBeLessThan(1_000)
      }
    })
  }

  // 301 actions at most: a few entries of each, whatever the size of the log
  const merged: Record<string, (page: PageOptions) => Promise<AuditPage>> = {
    everything: (page) => audit.search({}, page),
    'a time span': (page) => audit.search({ from: hoursAgo }, page),
    'actions of a pattern': (page) => audit.search({ action: 'resource1*' }, page),
    'several actions': (page) => audit.search({ action: ['resource0.update', 'resource9.read'] }, page),
    'a model': (page) => audit.search({ resource: 'resource0' }, page),
    exports: (page) => audit.exports({}, page),
    'exports of a time span': (page) => audit.exports({ from: hoursAgo, to: hourAgo }, page),
  }
  for (const [name, read] of Object.entries(merged)) {
    it(`the index on actions gives ${name}, a few entries of each action`, async () => {
      const cursor = await cursorAfter(200, read)
      for (const page of [{ limit: 20 }, { limit: 20, cursor }]) {
        const work = await workOf(() => read(page))
        expect(work.sequentialScans).toBe(0)
        expect(work.rowsRead).toBeLessThan(3_000)
        expect(work.rowsSorted).toBeLessThan(2_500)
      }
    })
  }

  it('a transaction is found by its block range, however large the log', async () => {
    const work = await workOf(() => audit.transaction(1_000_020_000n))
    expect(work.sequentialScans).toBe(0)
    // 128 pages of the table, some 3,000 entries, are one range
    expect(work.rowsRead).toBeLessThan(15_000)
    expect(work.rowsSorted).toBe(5)
  })

  it('a record has its entries by one index in order, and the reads that gave others too by another', async () => {
    const read = (page: PageOptions) => audit.history('User', 101, page)
    const cursor = await cursorAfter(10, read)
    for (const page of [{ limit: 20 }, { limit: 20, cursor }]) {
      const { sequentialScans, rowsRead, rowsSorted } = await workOf(() => read(page))
      expect({ sequentialScans, rowsSorted }).toEqual({ sequentialScans: 0, rowsSorted: 0 })
      expect(rowsRead).toBeLessThan(1_000)
    }
    // 5,000 reads of twenty records each, of which every 50th gave the record
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
      SELECT gen_random_uuid(), 'user.read', 'reader', 'user', 'user',
        jsonb_build_object('ids', (SELECT jsonb_agg((n * 20 % 1000 + m)::text) FROM generate_series(1, 20) m))
      FROM generate_series(1, 5000) n`)
    await db.sql('ANALYZE audit_logs')
    for (const ask of [read, (page: PageOptions) => audit.accesses('User', 101, page)]) {
      const { sequentialScans, rowsRead, rowsSorted } = await workOf(() => ask({ limit: 20 }))
      expect({ sequentialScans, rowsSorted }).toEqual({ sequentialScans: 0, rowsSorted: 100 })
      expect(rowsRead).toBeLessThan(1_000)
    }
  })
})
