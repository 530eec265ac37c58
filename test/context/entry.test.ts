import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'
import { everything } from './contexts.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('an entry', () => {
  it('has every column filled from the context', async () => {
    const before = Date.now() - 1_000
    const name = unique('tag')
    let id = 0
    const entry = await db.changeOf(async () => {
      id = (await withAuditContext(everything, () => prisma.tag.create({ data: { name } }))).id
    })
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      timestamp: expect.any(Date),
      action: 'tag.create',
      actor_id: 'usr_1',
      actor_type: 'api_key',
      actor_email: 'ada@example.com',
      resource_type: 'tag',
      resource_id: String(id),
      outcome: 'success',
      reason: 'support ticket 4711',
      details: {
        operation: 'create',
        after: { id, name },
        metadata: { plan: 'pro', nested: { list: [1, null, 'x', true] } },
      },
      request_id: 'req-1',
      ip: '203.0.113.9',
      user_agent: 'curl/8.5.0',
      organization_id: 'org_1',
      seq: expect.stringMatching(/^\d+$/),
      transaction_id: expect.stringMatching(/^\d+$/),
    })
    expect(entry.timestamp.getTime()).toBeGreaterThan(before)
    expect(entry.timestamp.getTime()).toBeLessThan(Date.now() + 1_000)
  })

  it('has the system as its actor and nothing else where there is no context', async () => {
    const name = unique('tag')
    const entry = await db.changeOf(() => prisma.tag.create({ data: { name } }))
    expect(entry).toMatchObject({
      actor_id: 'system',
      actor_type: 'system',
      actor_email: null,
      reason: null,
      request_id: null,
      ip: null,
      user_agent: null,
      organization_id: null,
    })
    expect(entry.details).toEqual({ operation: 'create', after: { id: expect.any(Number), name } })
  })

  it('has the id of the transaction that PostgreSQL gives', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        const [{ id } = { id: '' }] = await tx.$queryRaw<
          { id: string }[]
        >`SELECT pg_current_xact_id()::text AS id`
        await tx.tag.create({ data: { name: id } })
      }),
    )
    expect(entries.map((entry) => entry.details.after.name)).toEqual(
      entries.map((entry) => entry.transaction_id),
    )
  })

  it('has ids that sort by time, also within one statement', async () => {
    const entries = await db.changesOf(async () => {
      await prisma.tag.createMany({ data: Array.from({ length: 50 }, () => ({ name: unique('tag') })) })
      await sleep(5)
      await createTag(prisma)
    })
    const ids = entries.map((entry) => entry.id)
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(51)
  })

  it('keeps quotes, percent signs, emoji and line breaks of a context as they are', async () => {
    const odd = `it's "quoted" \\ $1 %s 🦆\n\t{}`
    const entry = await db.changeOf(() =>
      withAuditContext(
        {
          actor: { id: odd, type: 'user', email: odd },
          requestId: odd,
          userAgent: odd,
          organizationId: odd,
          reason: odd,
          metadata: { [odd]: odd },
        },
        () => createTag(prisma),
      ),
    )
    expect([
      entry.actor_id,
      entry.actor_email,
      entry.request_id,
      entry.user_agent,
      entry.organization_id,
      entry.reason,
      entry.details.metadata,
    ]).toEqual([odd, odd, odd, odd, odd, odd, { [odd]: odd }])
  })

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::1', '::1'],
    ['2001:db8::ff00:42:8329', '2001:db8::ff00:42:8329'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::ffff:192.0.2.128', '::ffff:192.0.2.128'],
  ])('stores %s as inet', async (ip, stored) => {
    const entry = await db.changeOf(() => withAuditContext({ ip }, () => createTag(prisma)))
    expect(entry.ip).toBe(stored)
    const [row] = await db.sql(
      'SELECT pg_typeof(ip)::text AS type, masklen(ip) AS bits FROM audit_logs WHERE id = $1',
      [entry.id],
    )
    expect(row).toEqual({ type: 'inet', bits: ip.includes(':') ? 128 : 32 })
  })

  it('takes 255 characters where the column has 255, whatever their bytes', async () => {
    const long = `${'🦆'.repeat(127)}é`
    const entry = await db.changeOf(() =>
      withAuditContext({ actor: { id: long, type: 'user' }, requestId: long, organizationId: long }, () =>
        createTag(prisma),
      ),
    )
    expect([entry.actor_id, entry.request_id, entry.organization_id]).toEqual([long, long, long])
  })

  it('drops what JSON drops from metadata, and keeps what it keeps', async () => {
    const entry = await db.changeOf(() =>
      withAuditContext(
        {
          metadata: {
            when: new Date(0),
            nothing: null,
            missing: undefined,
            deep: { missing: undefined, n: -0.5 },
          },
        },
        () => createTag(prisma),
      ),
    )
    expect(entry.details.metadata).toEqual({
      when: '1970-01-01T00:00:00.000Z',
      nothing: null,
      deep: { n: -0.5 },
    })
  })

  it('has values in metadata as an event has them in its details', async () => {
    const given = {
      big: { n: 1n },
      notFinite: [1, Number.NaN, -Infinity],
      map: new Map([[1, 2n]]),
      set: new Set([1]),
      boxed: { toJSON: () => 1n },
      bytes: Buffer.from('hello'),
      error: new RangeError('too far'),
    }
    const expected = {
      big: { n: '1' },
      notFinite: [1, 'NaN', '-Infinity'],
      map: { 1: '2' },
      set: [1],
      boxed: '1',
      bytes: 'aGVsbG8=',
      error: { name: 'RangeError', message: 'too far' },
    }
    const change = await db.changeOf(() => withAuditContext({ metadata: given }, () => createTag(prisma)))
    expect(change.details.metadata).toEqual(expected)
    const event = await withAuditContext({ metadata: given }, () =>
      prisma.$audit.record({ action: 'report.run', details: given }),
    )
    expect(event.details).toEqual({ ...expected, metadata: expected })
  })

  it('may be about an application whose metadata is called like our own keys', async () => {
    const metadata = { before: 1, after: 2, changed: 3, operation: 4, metadata: 5, cause: 6 }
    const entry = await db.changeOf(() => withAuditContext({ metadata }, () => createTag(prisma)))
    expect(entry.details).toEqual({ operation: 'create', after: expect.anything(), metadata })
  })
})
