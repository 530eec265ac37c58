import { describe, expect, it } from 'vitest'
import { diffLines, withAudit, withAuditContext } from '../../src/index.ts'
import { Prisma } from '../generated/client/client.ts'
import { createClient } from '../support/database.ts'
import { createEvents, request } from './events.ts'

const { db, prisma, refusal } = await createEvents()

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
      details: { password: '[redacted]' },
    })
  })

  it('says the reason of a failed login once', async () => {
    const failed = await prisma.$audit.logLogin('ada', false, { reason: 'wrong password' })
    expect(failed).toMatchObject({ reason: 'wrong password', details: null })
    expect(diffLines(failed)).toEqual(['failed: wrong password'])
    // what is no reason that a failure can have stays where it was
    expect(await prisma.$audit.logLogin('ada', false, { reason: 7 })).toMatchObject({
      ...{ reason: 'login failed', details: { reason: 7 } },
    })
    expect(await prisma.$audit.logLogin('ada', true, { reason: 'remembered' })).toMatchObject({
      ...{ reason: null, details: { reason: 'remembered' } },
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
      details: { after: record, operation: 'logDataChange' },
      after: record,
      before: null,
    })
    expect(created.details).toEqual({ after: record, operation: 'logDataChange' })
    const deleted = await prisma.$audit.logDataChange('ada', 'Tag', 1, 'delete', {
      before: record,
      after: null,
    })
    expect(deleted.details).toEqual({ before: record, operation: 'logDataChange' })
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
      operation: 'logDataChange',
    })
  })

  it.each<[string, string, object]>([
    ['a create has no before', 'create', { before: { a: 1 }, after: { a: 1 } }],
    ['a delete has no after', 'delete', { before: { a: 1 }, after: { a: 1 } }],
    ['a change has a record before, after or both', 'update', {}],
    ['before is not a record', 'update', { before: 'x', after: { a: 1 } }],
    ['after is not a record', 'update', { before: { a: 1 }, after: [1] }],
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
