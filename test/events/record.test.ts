import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, describe, expect, it } from 'vitest'
import { type AuditEntry, type AuditEvent, withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createEvents, request } from './events.ts'

const { db, prisma, refusal } = await createEvents()

/** What the table holds of an entry that a helper gave. */
async function stored(entry: AuditEntry): Promise<Record<string, unknown> | undefined> {
  const [row] = await db.sql(
    'SELECT action, actor_id, resource_type, resource_id, outcome, reason, details FROM audit_logs WHERE id = $1',
    [entry.id],
  )
  return row
}

describe('record', () => {
  it('gives the stored entry, with who and where from the context', async () => {
    const entry = await withAuditContext(request, () =>
      prisma.$audit.record({
        action: 'report.export',
        resource: { type: 'report', id: 'q3' },
        details: { format: 'pdf' },
      }),
    )
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      timestamp: expect.any(Date),
      action: 'report.export',
      actor: { id: 'ada', type: 'user', email: 'ada@example.com' },
      resource: { type: 'report', id: 'q3' },
      outcome: 'success',
      reason: 'ticket 42',
      details: { format: 'pdf', metadata: { route: '/reports' } },
      requestId: 'req-1',
      ip: '203.0.113.7',
      userAgent: 'Firefox',
      organizationId: 'org-1',
      seq: expect.any(BigInt),
      transactionId: expect.any(BigInt),
      before: null,
      after: null,
      changes: [],
    })
    expect(await stored(entry)).toEqual({
      action: 'report.export',
      actor_id: 'ada',
      resource_type: 'report',
      resource_id: 'q3',
      outcome: 'success',
      reason: 'ticket 42',
      details: { format: 'pdf', metadata: { route: '/reports' } },
    })
  })

  it('takes what the event says over what the context says', async () => {
    const said = {
      actor: { id: 'key-7', type: 'api_key' },
      requestId: 'req-2',
      ip: '::1',
      userAgent: 'curl',
      organizationId: 'org-2',
      reason: 'nightly',
    } as const
    const event: AuditEvent = { action: 'report.run', ...said, metadata: { job: 9 } }
    const entry = await withAuditContext(request, () => prisma.$audit.record(event))
    expect(entry).toMatchObject({ ...said, details: { metadata: { route: '/reports', job: 9 } } })
    expect(entry.actor).toEqual(said.actor)
  })

  it('needs no context, no resource and no details', async () => {
    expect(await prisma.$audit.record({ action: 'cache.clear' })).toMatchObject({
      actor: { id: 'system', type: 'system' },
      resource: { type: 'cache', id: null },
      reason: null,
      details: null,
      requestId: null,
    })
  })

  it('calls a model as the log does, whichever way the event calls it', async () => {
    const events = ['User.invite', 'user.invite'].map((action) => prisma.$audit.record({ action }))
    const [byModel, byResource] = await Promise.all(events)
    expect([byModel?.action, byModel?.resource.type]).toEqual(['user.invite', 'user'])
    expect([byResource?.action, byResource?.resource.type]).toEqual(['user.invite', 'user'])
    const other = await prisma.$audit.record({ action: 'Report.run', resource: { type: 'Report' } })
    expect([other.action, other.resource.type]).toEqual(['Report.run', 'Report'])
  })

  it('takes ids as applications have them', async () => {
    const ids = ['x', 42, 9007199254740993n, null, undefined]
    const entries = await Promise.all(
      ids.map((id) => prisma.$audit.record({ action: 'order.view', resource: { type: 'order', id } })),
    )
    expect(entries.map((entry) => entry.resource.id)).toEqual(['x', '42', '9007199254740993', null, null])
  })

  it('records a failure with its own reason', async () => {
    const failure = { action: 'payment.capture', outcome: 'failure' } as const
    const entry = await withAuditContext(request, () =>
      prisma.$audit.record({ ...failure, reason: 'card declined' }),
    )
    expect(entry).toMatchObject({ outcome: 'failure', reason: 'card declined' })
    const error = await refusal(() => withAuditContext(request, () => prisma.$audit.record(failure)))
    expect([error.code, error.message]).toEqual([
      'AUDIT_INVALID_EVENT',
      "The event can't be stored, and nothing was written: ✖ a failure needs one\n  → at reason",
    ])
  })

  it.each<[string, unknown]>([
    ['action', { action: 'export' }],
    ['action', { action: 'report.' }],
    ['action', { action: 'report.export.pdf' }],
    ['action', { action: 'report export.now' }],
    ['action', { action: 'report.*' }],
    ['action', { action: `report.${'x'.repeat(94)}` }],
    ['action', {}],
    ['resource.type', { action: 'a.b', resource: { type: 'x'.repeat(101) } }],
    ['resource.type', { action: 'a.b', resource: { type: '' } }],
    ['resource.id', { action: 'a.b', resource: { type: 'a', id: 'x'.repeat(256) } }],
    ['resource.id', { action: 'a.b', resource: { type: 'a', id: {} } }],
    ['resource.id', { action: 'a.b', resource: { type: 'a', id: 'a\0b' } }],
    ['outcome', { action: 'a.b', outcome: 'maybe' }],
    ['actor.type', { action: 'a.b', actor: { id: 'x', type: 'robot' } }],
    ['actor.id', { action: 'a.b', actor: { id: '', type: 'user' } }],
    ['ip', { action: 'a.b', ip: '203.0.113.7:80' }],
    ['reason', { action: 'a.b', reason: 'half \ud800' }],
    ['details', { action: 'a.b', details: 'text' }],
    ['details', { action: 'a.b', details: [1] }],
    ['metadata', { action: 'a.b', metadata: 'text' }],
    ['tenant', { action: 'a.b', tenant: 'x' }],
    ['expected object', 'a.b'],
    ['expected object', null],
  ])('refuses a wrong %s: %j', async (field, event) => {
    const error = await refusal(() => prisma.$audit.record(event as AuditEvent))
    expect(error.code).toBe('AUDIT_INVALID_EVENT')
    expect(error.message).toContain(field)
  })

  it('takes an action of 100 characters', async () => {
    const action = `report.${'x'.repeat(93)}`
    expect((await prisma.$audit.record({ action })).action).toBe(action)
  })

  it('refuses an event without an actor where one is required', async () => {
    const strict = withAudit(createClient(db.url), { requireActor: true })
    const error = await refusal(() => strict.$audit.record({ action: 'a.b' }))
    expect(error.code).toBe('AUDIT_ACTOR_REQUIRED')
    expect((await refusal(() => strict.$audit.logExport('user'))).code).toBe('AUDIT_ACTOR_REQUIRED')
    await strict.$audit.record({ action: 'a.b', actor: { id: 'x', type: 'system' } })
    await strict.$audit.logLogin('ada', true)
    await withAuditContext(request, () => strict.$audit.record({ action: 'a.b' }))
  })

  it('takes the context and the actor of the options', async () => {
    const other = withAudit(createClient(db.url), {
      actor: { id: 'worker', type: 'system' },
      context: () => ({ requestId: 'from the option' }),
      requireActor: true,
    })
    expect(await other.$audit.record({ action: 'a.b' })).toMatchObject({
      actor: { id: 'worker', type: 'system' },
      requestId: 'from the option',
    })
  })

  it('works on a client that had connected before it was wrapped', async () => {
    const client = createClient(db.url)
    await client.user.count()
    expect(await withAudit(client).$audit.record({ action: 'a.b' })).toMatchObject({ action: 'a.b' })
  })

  it('works on what $extends made of the client, before the audit and after it', async () => {
    const log: string[] = []
    const noisy = {
      query: {
        $allOperations: ({ operation, args, query }: Hook) => {
          log.push(operation)
          return query(args)
        },
      },
    }
    const extended = withAudit(createClient(db.url).$extends(noisy)).$extends(noisy)
    expect(await extended.$audit.record({ action: 'a.b' })).toMatchObject({ action: 'a.b' })
    expect(log).toEqual([])
  })
})

interface Hook {
  operation: string
  args: unknown
  query: (args: unknown) => Promise<unknown>
}

describe('in an interactive transaction', () => {
  it('an event commits with it', async () => {
    const since = await db.lastSeq()
    const given = await prisma.$transaction(async (tx) => {
      await tx.tag.create({ data: { name: 'with an event' } })
      return tx.$audit.record({ action: 'tag.review' })
    })
    const entries = await db.entries(since)
    expect(entries.map(({ action }) => action)).toEqual(['tag.create', 'tag.review'])
    expect(new Set(entries.map((entry) => entry.transaction_id))).toEqual(
      new Set([String(given.transactionId)]),
    )
  })

  it('an event goes with it when it rolls back, and a queued one stays', async () => {
    const since = await db.lastSeq()
    const rolledBack = prisma.$transaction(async (tx) => {
      await tx.$audit.record({ action: 'tag.review' })
      await tx.$audit.logLogin('ada', true)
      await tx.$audit.record({ action: 'tag.attempt' }, { queue: true })
      throw new Error('undo')
    })
    await expect(rolledBack).rejects.toThrow('undo')
    await prisma.$audit.flush()
    expect((await db.entries(since)).map(({ action }) => action)).toEqual(['tag.attempt'])
  })

  it('an event on the client itself stays when it rolls back', async () => {
    const since = await db.lastSeq()
    const rolledBack = prisma.$transaction(async () => {
      await prisma.$audit.record({ action: 'tag.attempt' })
      throw new Error('undo')
    })
    await expect(rolledBack).rejects.toThrow('undo')
    expect((await db.entries(since)).map(({ action }) => action)).toEqual(['tag.attempt'])
  })
})

describe('an event that the database refuses', () => {
  it('says that the table is missing', async () => {
    const lost = withAudit(createClient(db.url), { table: 'nowhere.log' })
    const error = await refusal(() => lost.$audit.record({ action: 'a.b', details: { n: 1 } }))
    expect(error).toMatchObject({
      code: 'AUDIT_TABLE_MISSING',
      message: expect.stringContaining('"nowhere"."log"'),
      entry: { action: 'a.b', actor: { id: 'system', type: 'system' }, details: { n: 1 } },
    })
  })

  it('says what else it was, with the error and the entry', async () => {
    const failing = prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1/0`.catch(() => {})
      await tx.$audit.record({ action: 'a.b', resource: { type: 'a', id: 1 }, ip: '::1' })
    })
    const error = await refusal(() => failing)
    expect(error).toMatchObject({ code: 'AUDIT_NOT_WRITTEN', cause: { code: 'P2010' } })
    expect(error.message).toContain('SQLSTATE 25P02')
    expect(error.entry).toEqual({
      id: expect.any(String),
      action: 'a.b',
      actor: { id: 'system', type: 'system' },
      resource: { type: 'a', id: '1' },
      outcome: 'success',
      reason: null,
      details: null,
      requestId: null,
      ip: '::1',
      userAgent: null,
      organizationId: null,
    })
  })

  it('says so when a trigger of the table let nothing through', async () => {
    const own = await createDatabase()
    await own.sql(`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
    await own.sql(
      'CREATE TRIGGER swallow BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION swallow()',
    )
    const swallowed = withAudit(createClient(own.url))
    const error = await refusal(() => swallowed.$audit.record({ action: 'a.b' }))
    expect(error).toMatchObject({
      code: 'AUDIT_NOT_WRITTEN',
      message: expect.stringContaining('a trigger on the table "audit_logs"'),
      entry: { action: 'a.b' },
    })
  })

  it('says so when a database is not there', async () => {
    const adapter = new PrismaPg({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' })
    const away = withAudit(new PrismaClient({ adapter }))
    afterAll(() => away.$disconnect())
    const error = await refusal(() => away.$audit.record({ action: 'a.b' }))
    expect(error).toMatchObject({
      code: 'AUDIT_NOT_WRITTEN',
      message: expect.stringContaining('did not answer'),
    })
  })
})
