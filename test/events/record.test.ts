import { isDeepStrictEqual } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type AuditEntry, AuditError, type AuditEvent, withAudit, withAuditContext } from '../../src/index.ts'
import { Prisma, PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

const request = {
  actor: { id: 'ada', type: 'user', email: 'ada@example.com' },
  requestId: 'req-1',
  ip: '203.0.113.7',
  userAgent: 'Firefox',
  organizationId: 'org-1',
  reason: 'ticket 42',
  metadata: { route: '/reports' },
} as const

/** What the table holds of an entry that a helper gave. */
async function stored(entry: AuditEntry): Promise<Record<string, unknown> | undefined> {
  const [row] = await db.sql(
    'SELECT action, actor_id, resource_type, resource_id, outcome, reason, details FROM audit_logs WHERE id = $1',
    [entry.id],
  )
  return row
}

/** The error that an event is refused with. */
async function refusal(work: () => Promise<unknown>): Promise<AuditError> {
  const before = await db.lastSeq()
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AuditError)) throw new Error('not refused', { cause: error })
  expect(await db.lastSeq()).toBe(before)
  return error
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

describe('details', () => {
  it('hold values as the entries of data changes do', async () => {
    class Money {
      constructor(readonly cents: bigint) {}
      toJSON() {
        return { cents: this.cents }
      }
    }
    class Point {
      x = 1
      get y() {
        return 2
      }
    }
    const details = {
      nothing: null,
      absent: undefined,
      text: 'naïve 🙂',
      numbers: [0, -0, 1.5, 1e21, 5e-324, 1.7976931348623157e308],
      notFinite: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      big: 9007199254740993n,
      decimals: [
        new Prisma.Decimal('1e30'),
        new Prisma.Decimal('-0.00000000000000000001'),
        new Prisma.Decimal('1.10'),
      ],
      otherDecimal: { s: 1, e: 0, d: [1], toFixed: () => '1.25', toJSON: () => '1.25e0' },
      date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
      buffer: Buffer.from('hello'),
      bytes: new Uint8Array([255, 254]).subarray(1),
      arrayBuffer: new Uint8Array([1]).buffer,
      floats: new Float32Array([0.5]),
      map: new Map<unknown, unknown>([
        ['a', 1n],
        [2, new Map()],
      ]),
      set: new Set(['x', 1n]),
      holes: [undefined, 1],
      money: new Money(5n),
      point: new Point(),
      boxed: [Object(1n), new String('s'), new Number(1), new Boolean(false)],
      error: new RangeError('too far'),
      url: new URL('https://example.com/a'),
      ['__proto__']: 'own',
    }
    const entry = await prisma.$audit.record({ action: 'a.b', details })
    const expected = {
      nothing: null,
      text: 'naïve 🙂',
      numbers: [0, 0, 1.5, 1e21, 5e-324, 1.7976931348623157e308],
      notFinite: ['NaN', 'Infinity', '-Infinity'],
      big: '9007199254740993',
      decimals: [`1${'0'.repeat(30)}`, '-0.00000000000000000001', '1.1'],
      otherDecimal: '1.25',
      date: '2026-01-02T03:04:05.006Z',
      buffer: 'aGVsbG8=',
      bytes: '/g==',
      arrayBuffer: 'AQ==',
      floats: [0.5],
      map: { a: '1', 2: {} },
      set: ['x', '1'],
      holes: [null, 1],
      money: { cents: '5' },
      point: { x: 1 },
      boxed: ['1', 's', 1, false],
      error: { name: 'RangeError', message: 'too far' },
      url: 'https://example.com/a',
      ['__proto__']: 'own',
    }
    expect(isDeepStrictEqual(entry.details, expected)).toBe(true)
    expect(entry.details).toEqual(expected)
  })

  const cyclic: Record<string, unknown> = { name: 'a' }
  cyclic.list = [{ back: cyclic }]
  const deep = Array.from({ length: 101 }).reduce<object>((inner) => ({ a: inner }), {})

  it.each<[string, Record<string, unknown>]>([
    ['details.list.0.back refers back to an object that contains it', cyclic],
    ["details.a.call is a function, which JSON can't hold", { a: { call: () => 1 } }],
    ["details.a.0 is a symbol, which JSON can't hold", { a: [Symbol('x')] }],
    ['details.when is an invalid Date', { when: new Date(Number.NaN) }],
    ['details.text holds a NUL character or a lone surrogate', { text: 'a\0b' }],
    ['details.text holds a NUL character or a lone surrogate', { text: '\udc00' }],
    ['has a NUL character or a lone surrogate in its name', { 'a\0': 1 }],
    ["details.wait is a Promise, which JSON can't hold", { wait: Promise.resolve(1) }],
    ["details.pattern is a RegExp, which JSON can't hold", { pattern: /x/ }],
    ['details.map is a Map with a key that is a object', { map: new Map([[{}, 1]]) }],
    [
      'details.map is a Map with two keys that are one in JSON',
      {
        map: new Map<unknown, number>([
          [1, 1],
          ['1', 2],
        ]),
      },
    ],
    ['has more than 100 levels', { deep }],
    [
      'details.bad can not be read',
      {
        get bad() {
          throw new TypeError('no')
        },
      },
    ],
    ['details is no object in JSON', { toJSON: () => 'text' }],
  ])('are refused with the path: %s', async (message, details) => {
    const error = await refusal(() => prisma.$audit.record({ action: 'a.b', details }))
    expect(error.code).toBe('AUDIT_INVALID_EVENT')
    expect(error.message).toContain(message)
  })

  it('may hold one object at several places, and be large', async () => {
    const shared = { a: 1 }
    const details = { one: shared, two: shared, text: 'x'.repeat(5_000_000) }
    const entry = await prisma.$audit.record({ action: 'a.b', details })
    expect(entry.details).toEqual(details)
  })

  it('hide what the options redact', async () => {
    const client = withAudit(createClient(db.url), { redact: { User: ['name'], '*': ['text'] } })
    const details = {
      name: 'Ada',
      text: 'secret by option',
      api_key: 'secret by name',
      password: null,
      token: () => 'not even looked at',
      before: { name: 'Eda', note: 1, passwordHash: 'h1' },
      after: { name: 'Ada', note: 2, passwordHash: 'h2' },
      team: { name: 'visible: another record', text: 'x', members: [{ pin: 1234 }] },
      map: new Map([['otp', '123']]),
    }
    const ofUser = await client.$audit.record({ action: 'User.merge', details, metadata: { token: 't' } })
    expect(ofUser.details).toEqual({
      name: '[redacted]',
      text: '[redacted]',
      api_key: '[redacted]',
      password: null,
      token: '[redacted]',
      before: { name: '[redacted]', note: 1, passwordHash: '[redacted]' },
      after: { name: '[redacted]', note: 2, passwordHash: '[redacted]' },
      team: { name: 'visible: another record', text: '[redacted]', members: [{ pin: '[redacted]' }] },
      map: { otp: '[redacted]' },
      metadata: { token: '[redacted]' },
    })
    const ofTeam = await client.$audit.record({ action: 'team.merge', details: { name: 'Ada', text: 'x' } })
    expect(ofTeam.details).toEqual({ name: 'Ada', text: '[redacted]' })
    const open = withAudit(createClient(db.url), { redactSecrets: false })
    expect((await open.$audit.record({ action: 'a.b', details: { pin: 1 } })).details).toEqual({ pin: 1 })
  })
})

describe('logLogin', () => {
  it('records who logged in', async () => {
    const entry = await withAuditContext({ ip: '203.0.113.7' }, () =>
      prisma.$audit.logLogin(42, true, { method: 'passkey' }),
    )
    expect(entry).toMatchObject({
      action: 'user.login',
      actor: { id: '42', type: 'user' },
      resource: { type: 'user', id: '42' },
      outcome: 'success',
      reason: null,
      details: { method: 'passkey' },
      ip: '203.0.113.7',
    })
  })

  it('records why a login failed', async () => {
    const unnamed = await prisma.$audit.logLogin('ada', false)
    expect(unnamed).toMatchObject({ outcome: 'failure', reason: 'login failed', details: null })
    const named = await prisma.$audit.logLogin('ada', false, {
      reason: 'wrong password',
      password: 'hunter2',
    })
    expect(named).toMatchObject({
      outcome: 'failure',
      reason: 'wrong password',
      details: { reason: 'wrong password', password: '[redacted]' },
    })
  })

  it.each([undefined, null, Number.NaN, {}, '', 'x'.repeat(256)])('refuses the id %s', async (id) => {
    const error = await refusal(() => prisma.$audit.logLogin(id as string, true))
    expect(error.code).toBe('AUDIT_INVALID_EVENT')
  })
})

describe('logDataAccess', () => {
  it('records who read what', async () => {
    expect(await prisma.$audit.logDataAccess('doctor', 'Post', 7n)).toMatchObject({
      action: 'post.read',
      actor: { id: 'doctor', type: 'user' },
      resource: { type: 'post', id: '7' },
      outcome: 'success',
      details: null,
    })
  })
})

describe('logDataChange', () => {
  it('records both sides and what differs', async () => {
    const before = { state: 'open', total: new Prisma.Decimal('10'), items: [1n], passwordHash: 'a' }
    const after = {
      state: 'paid',
      total: new Prisma.Decimal('10.0'),
      items: [1n],
      passwordHash: 'b',
      note: null,
    }
    const entry = await prisma.$audit.logDataChange('ada', 'invoice', 42, 'settle', { before, after })
    expect(entry).toMatchObject({
      action: 'invoice.settle',
      actor: { id: 'ada', type: 'user' },
      resource: { type: 'invoice', id: '42' },
      changes: [
        { field: 'state', from: 'open', to: 'paid' },
        { field: 'passwordHash', from: '[redacted]', to: '[redacted]' },
        { field: 'note', from: null, to: null },
      ],
    })
    expect(entry.details).toEqual({
      before: { state: 'open', total: '10', items: ['1'], passwordHash: '[redacted]' },
      after: { state: 'paid', total: '10', items: ['1'], passwordHash: '[redacted]', note: null },
      changed: ['state', 'passwordHash', 'note'],
    })
  })

  it('records one side of a create and of a delete', async () => {
    const record = { name: 'x' }
    const created = await prisma.$audit.logDataChange('ada', 'Tag', 1, 'create', { after: record })
    expect(created).toMatchObject({
      action: 'tag.create',
      details: { after: record },
      after: record,
      before: null,
    })
    expect(created.details).toEqual({ after: record })
    const deleted = await prisma.$audit.logDataChange('ada', 'Tag', 1, 'delete', {
      before: record,
      after: null,
    })
    expect(deleted.details).toEqual({ before: record })
  })

  it('takes the options ignore, snapshot and the redacted fields of the model', async () => {
    const client = withAudit(createClient(db.url), {
      ignore: { User: ['updatedAt'] },
      redact: { User: ['name'] },
      snapshot: 'changed',
    })
    const entry = await client.$audit.logDataChange('ada', 'user', 1, 'update', {
      before: { id: 1, name: 'a', level: 'LOW', updatedAt: new Date(0) },
      after: { id: 1, name: 'b', level: 'HIGH', updatedAt: new Date(1) },
    })
    expect(entry.details).toEqual({
      before: { name: '[redacted]', level: 'LOW' },
      after: { name: '[redacted]', level: 'HIGH' },
      changed: ['name', 'level'],
    })
  })

  it.each<[string, string, object]>([
    ['a create has no before', 'create', { before: { a: 1 }, after: { a: 1 } }],
    ['a delete has no after', 'delete', { before: { a: 1 }, after: { a: 1 } }],
    ['a change has a record before, after or both', 'update', {}],
    ['before is no record', 'update', { before: 'x', after: { a: 1 } }],
    ['after is no record', 'update', { before: { a: 1 }, after: [1] }],
    ['after.a is a function', 'update', { after: { a: () => 1 } }],
    ['resource.verb', 'up date', { after: { a: 1 } }],
  ])('refuses: %s', async (message, verb, change) => {
    const error = await refusal(() => prisma.$audit.logDataChange('ada', 'invoice', 1, verb, change))
    expect(error.code).toBe('AUDIT_INVALID_EVENT')
    expect(error.message).toContain(message)
  })
})

describe('logExport', () => {
  it('records who exported what', async () => {
    const entry = await withAuditContext(request, () => prisma.$audit.logExport('User', { rows: 1200n }))
    expect(entry).toMatchObject({
      action: 'user.export',
      actor: request.actor,
      resource: { type: 'user', id: null },
      details: { rows: '1200', metadata: { route: '/reports' } },
    })
  })
})

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
    await db.sql('CREATE TABLE swallowing (LIKE audit_logs INCLUDING ALL)')
    await db.sql(`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
    await db.sql('CREATE TRIGGER swallow BEFORE INSERT ON swallowing FOR EACH ROW EXECUTE FUNCTION swallow()')
    const swallowed = withAudit(createClient(db.url), { table: 'swallowing' })
    const error = await refusal(() => swallowed.$audit.record({ action: 'a.b' }))
    expect(error).toMatchObject({
      code: 'AUDIT_NOT_WRITTEN',
      message: expect.stringContaining('a trigger on the table "swallowing"'),
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

describe('whatever an event holds', () => {
  const hostile = [
    "'); DROP TABLE audit_logs; --",
    '"; DELETE FROM audit_logs; --',
    "' OR '1'='1",
    '$1',
    '\\',
    "\\'); --",
    "E'\\047",
    '${process.env.HOME}',
    '{"json": "inside"}',
    '\u2028\u202e\u0007',
    '%s%n',
  ]

  it.each(hostile)('is stored literally: %s', async (text) => {
    const entry = await prisma.$audit.record({
      action: 'probe.run',
      actor: { id: text, type: 'user', email: text },
      resource: { type: text, id: text },
      reason: text,
      details: { [text]: text },
      requestId: text,
      userAgent: text,
      organizationId: text,
      metadata: { [text]: [text] },
    })
    expect(entry).toMatchObject({
      actor: { id: text, type: 'user', email: text },
      resource: { type: text, id: text },
      reason: text,
      requestId: text,
      userAgent: text,
      organizationId: text,
    })
    expect(entry.details).toEqual({ [text]: text, metadata: { [text]: [text] } })
    const [row] = await db.sql('SELECT actor_id, organization_id FROM audit_logs WHERE id = $1', [entry.id])
    expect(row).toEqual({ actor_id: text, organization_id: text })
    expect((await refusal(() => prisma.$audit.record({ action: text }))).code).toBe('AUDIT_INVALID_EVENT')
    expect((await refusal(() => prisma.$audit.record({ action: 'a.b', ip: text }))).code).toBe(
      'AUDIT_INVALID_EVENT',
    )
  })

  it('gives the entry with the expected JSON, or an AuditError', async () => {
    let storedRuns = 0
    await fc.assert(
      fc.asyncProperty(objectWithJson, async ({ value, json }) => {
        const outcome = await prisma.$audit
          .record({ action: 'a.b', details: value as Record<string, unknown> })
          .catch((error: unknown) => error)
        if (json === refused) {
          expect(outcome).toMatchObject({ name: 'AuditError', code: 'AUDIT_INVALID_EVENT' })
        } else {
          storedRuns += 1
          const { details } = outcome as AuditEntry
          if (!isDeepStrictEqual(details, json)) expect(details).toEqual(json)
        }
      }),
      { numRuns: 400 },
    )
    expect(storedRuns).toBeGreaterThan(100)
  })

  it('gives an entry or an AuditError, also when it is no event at all', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvent, async (event) => {
        const outcome = await prisma.$audit.record(event as AuditEvent).catch((error: unknown) => error)
        const isEntry = typeof outcome === 'object' && outcome !== null && 'seq' in outcome
        expect(isEntry || outcome instanceof AuditError ? 'entry or AuditError' : outcome).toBe(
          'entry or AuditError',
        )
      }),
      { numRuns: 400 },
    )
  })
})

describe('whatever the helpers get', () => {
  it('gives an entry or an AuditError', async () => {
    const { $audit } = prisma
    const id = or(fc.oneof(text, fc.integer(), fc.bigInt()))
    const type = or(fc.constantFrom('User', 'report', 'Post'))
    const calls = fc.oneof(
      fc
        .tuple(id, anything, anything)
        .map((call) => () => $audit.logLogin(...(call as [never, never, never]))),
      fc.tuple(id, type, id).map((call) => () => $audit.logDataAccess(...(call as [never, never, never]))),
      fc
        .tuple(id, type, id, or(fc.constantFrom('create', 'delete', 'merge')), anyChange)
        .map((call) => () => $audit.logDataChange(...(call as [never, never, never, never, never]))),
      fc.tuple(type, anything).map((call) => () => $audit.logExport(...(call as [never, never]))),
    )
    await fc.assert(
      fc.asyncProperty(calls, async (call) => {
        const outcome = await call().catch((error: unknown) => error)
        const isEntry = typeof outcome === 'object' && outcome !== null && 'seq' in outcome
        expect(isEntry || outcome instanceof AuditError ? 'entry or AuditError' : outcome).toBe(
          'entry or AuditError',
        )
      }),
      { numRuns: 400 },
    )
  })

  it('also where a getter throws', async () => {
    const throwing = {
      get reason() {
        throw new TypeError('no')
      },
      get before() {
        throw new TypeError('no')
      },
    }
    for (const work of [
      () => prisma.$audit.logLogin('ada', false, throwing),
      () => prisma.$audit.logDataChange('ada', 'user', 1, 'merge', throwing as object),
      () => prisma.$audit.record(new Proxy({} as AuditEvent, { get: () => throwing.reason })),
    ]) {
      expect((await refusal(work)).code).toBe('AUDIT_INVALID_EVENT')
    }
  })
})

const refused = Symbol('refused')

/** A value of an application, and what the log is to hold of it; undefined where that is nothing. */
interface WithJson {
  value: unknown
  json: unknown
}

const storable = (text: string) => !text.includes('\0') && text.isWellFormed()
const withJson = <T>(arbitrary: fc.Arbitrary<T>, json: (value: T) => unknown): fc.Arbitrary<WithJson> =>
  arbitrary.map((value) => ({ value, json: json(value) }))

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string() },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)
const key = fc.oneof(
  { weight: 20, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.constant('__proto__') },
)

const leaf = fc.oneof(
  { weight: 10, arbitrary: withJson(text, (value) => (storable(value) ? value : refused)) },
  {
    weight: 10,
    arbitrary: withJson(fc.double(), (value) => (Number.isFinite(value) ? value + 0 : String(value))),
  },
  { weight: 5, arbitrary: withJson(fc.bigInt(), String) },
  { weight: 5, arbitrary: withJson(fc.constantFrom(true, false, null, undefined), (value) => value) },
  {
    weight: 5,
    arbitrary: withJson(fc.date({ noInvalidDate: true }), (value) => value.toISOString()),
  },
  {
    weight: 5,
    arbitrary: withJson(fc.uint8Array(), (value) => Buffer.from(value).toString('base64')),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.bigInt(), fc.stringMatching(/^([0-9]{0,30}[1-9])?$/))
      .filter(([whole]) => whole !== 0n)
      .map(([whole, digits]) => {
        const json = digits === '' ? String(whole) : `${whole}.${digits}`
        return { value: new Prisma.Decimal(json), json }
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<unknown>(() => 1, Symbol('x'), new Date(Number.NaN), 'a\0b', '\ud800', Promise.resolve())
      .map((value) => ({ value, json: refused })),
  },
)

const isAny = (jsons: unknown[], what: unknown) => jsons.some((json) => json === what)
const listOf = (parts: WithJson[]) => {
  const jsons = parts.map(({ json }) => json)
  return isAny(jsons, refused) ? refused : jsons.map((json) => json ?? null)
}
const recordOf = (entries: [string, WithJson][]) => {
  if (entries.some(([name, { json }]) => json === refused || !storable(name))) return refused
  return Object.fromEntries(entries.flatMap(([name, { json }]) => (json === undefined ? [] : [[name, json]])))
}
const entriesOf = (inner: fc.Arbitrary<WithJson>) =>
  fc.uniqueArray(fc.tuple(key, inner), { selector: ([name]) => name, maxLength: 6 })
const values = (entries: [string, WithJson][]) => entries.map(([name, { value }]) => [name, value] as const)

const { compound } = fc.letrec<{ any: WithJson; compound: WithJson }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, tie('compound')),
  compound: fc.oneof(
    entriesOf(tie('any')).map((entries) => ({
      value: Object.fromEntries(values(entries)),
      json: recordOf(entries),
    })),
    fc.array(tie('any'), { maxLength: 5 }).map((parts) => ({
      value: parts.map(({ value }) => value),
      json: listOf(parts),
    })),
    entriesOf(tie('any')).map((entries) => ({ value: new Map(values(entries)), json: recordOf(entries) })),
    fc.uniqueArray(leaf, { selector: ({ value }) => value, maxLength: 5 }).map((parts) => ({
      value: new Set(parts.map(({ value }) => value)),
      json: listOf(parts),
    })),
    tie('any').map(({ value, json }) => ({ value: { toJSON: () => value }, json })),
  ),
}))

const objectWithJson = entriesOf(fc.oneof(leaf, compound)).map((entries) => ({
  value: Object.fromEntries(values(entries)),
  json: recordOf(entries),
}))

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
})
const or = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: anything })

const anyChange = or(
  fc.record(
    { before: or(fc.dictionary(fc.string(), anything)), after: or(fc.dictionary(fc.string(), anything)) },
    { requiredKeys: [] },
  ),
)

const anyEvent = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        action: or(fc.constantFrom('a.b', 'User.login', 'x.y-z')),
        actor: or(
          fc.record(
            { id: text, type: fc.constantFrom('user', 'system'), email: text },
            { requiredKeys: ['id', 'type'] },
          ),
        ),
        resource: or(fc.record({ type: text, id: fc.oneof(text, fc.integer(), fc.bigInt()) })),
        outcome: or(fc.constantFrom('success', 'failure')),
        reason: or(text),
        details: or(fc.dictionary(fc.string(), anything)),
        requestId: or(text),
        ip: or(fc.oneof(fc.ipV4(), fc.ipV6())),
        userAgent: or(text),
        organizationId: or(text),
        metadata: or(fc.dictionary(fc.string(), anything)),
      },
      { requiredKeys: ['action'] },
    ),
  },
)
