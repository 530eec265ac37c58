import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient } from '../support/database.ts'
import { createFailing, failure } from './failing.ts'

const { db, prisma, failing } = await createFailing()

describe('a write that fails', () => {
  it('records one entry, durable before the error is thrown', async () => {
    await prisma.user.create({ data: { email: 'ada@example.com' } })
    const actor = { id: 'ada', type: 'user', email: 'ada@example.com' } as const
    const { error, entries } = await failing(() =>
      withAuditContext(
        {
          actor,
          requestId: 'r1',
          ip: '203.0.113.7',
          userAgent: 'curl',
          organizationId: 'o1',
          metadata: { try: 2 },
        },
        () => prisma.user.create({ data: { id: 7, email: 'ada@example.com' } }),
      ),
    )
    expect(error.code).toBe('P2002')
    expect(entries).toEqual([
      {
        ...{ id: expect.any(String), timestamp: expect.any(Date), seq: expect.any(String) },
        transaction_id: expect.any(String),
        ...{ action: 'user.create', resource_type: 'user', resource_id: '7', outcome: 'failure' },
        reason: 'P2002: Unique constraint failed on the constraint: `users_email_key`',
        details: { operation: 'create', metadata: { try: 2 } },
        ...{ actor_id: 'ada', actor_type: 'user', actor_email: 'ada@example.com' },
        ...{ request_id: 'r1', ip: '203.0.113.7', user_agent: 'curl', organization_id: 'o1' },
      },
    ])
  })

  it.each<
    [
      string,
      () => PromiseLike<unknown>,
      { action: string; id: string | null; reason: string; operation: string },
    ]
  >([
    [
      'a foreign key',
      () => prisma.profile.create({ data: { id: 'p', bio: '', userId: 999 } }),
      {
        action: 'profile.create',
        id: 'p',
        reason: 'P2003: Foreign key constraint violated on the constraint: `Profile_userId_fkey`',
        operation: 'create',
      },
    ],
    [
      'no record to update',
      () => prisma.user.update({ where: { id: 77 }, data: { name: 'x' } }),
      {
        action: 'user.update',
        id: '77',
        reason:
          'P2025: An operation failed because it depends on one or more records that were required but not found. No record was found for an update.',
        operation: 'update',
      },
    ],
    [
      'no record to delete, by a composite key',
      () => prisma.shelf.delete({ where: { warehouseCode_number: { warehouseCode: 'W', number: 3 } } }),
      {
        action: 'shelf.delete',
        id: '["W","3"]',
        reason:
          'P2025: An operation failed because it depends on one or more records that were required but not found. No record was found for a delete.',
        operation: 'delete',
      },
    ],
    [
      'no record to delete, by another key than the primary one',
      () => prisma.user.delete({ where: { email: 'nobody@example.com' } }),
      {
        action: 'user.delete',
        id: null,
        reason:
          'P2025: An operation failed because it depends on one or more records that were required but not found. No record was found for a delete.',
        operation: 'delete',
      },
    ],
    [
      'no record to connect',
      () => prisma.user.create({ data: { email: 'x', posts: { connect: { id: 'none' } } } }),
      {
        action: 'user.create',
        id: null,
        reason:
          "P2018: The required connected records were not found. Expected 1 records to be connected after connect operation on one-to-many relation 'PostToUser', found 0.",
        operation: 'create',
      },
    ],
    [
      'a value that the type does not take',
      () => prisma.everything.createMany({ data: [{ uuid: 'not one' }] }),
      {
        action: 'everything.create',
        id: null,
        reason: 'P2007: Invalid input value: invalid input syntax for type uuid: "[redacted]"',
        operation: 'createMany',
      },
    ],
    [
      'a value that is too long',
      () => prisma.everything.updateMany({ where: { id: 1n }, data: { varchar: 'x'.repeat(51) } }),
      {
        action: 'everything.update',
        id: '1',
        reason:
          "P2000: The provided value for the column is too long for the column's type. Column: (not available)",
        operation: 'updateMany',
      },
    ],
    [
      'an upsert',
      () => prisma.tag.upsert({ where: { id: 5 }, create: { name: 'taken' }, update: { name: 'taken' } }),
      {
        action: 'tag.upsert',
        id: '5',
        reason: 'P2002: Unique constraint failed on the constraint: `Tag_name_key`',
        operation: 'upsert',
      },
    ],
  ])('because of %s', async (_, work, { operation, ...expected }) => {
    await prisma.tag.create({ data: { name: 'taken' } })
    await prisma.everything.create({ data: {} })
    const { entries } = await failing(work)
    expect(entries.map(failure)).toEqual([{ ...expected, details: { operation } }])
  })

  it('because of a refused privilege or a statement timeout', async () => {
    const role = `clerk_${process.pid}`
    await db.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'clerk'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT INSERT ON audit_logs TO ${role}; GRANT UPDATE ON users TO ${role};
      ALTER ROLE ${role} SET statement_timeout = '3s'`)
    const url = new URL(db.url)
    Object.assign(url, { username: role, password: 'clerk' })
    const clerk = withAudit(createClient(url.toString()))
    await prisma.user.create({ data: { email: 'ada@example.com' } })
    try {
      const refused = await failing(() => clerk.tag.create({ data: { name: 'x' } }))
      expect(refused.entries.map(failure)).toEqual([
        {
          action: 'tag.create',
          id: null,
          reason: 'P2039: Database error. Code: `42501`. Message: `permission denied for table Tag`',
          details: { operation: 'create' },
        },
      ])
      const holder = await db.pool.connect()
      await holder.query('BEGIN; SELECT FROM users FOR UPDATE')
      const slow = await failing(() => clerk.user.updateMany({ data: { name: 'slow' } }))
      await holder.query('ROLLBACK')
      holder.release()
      expect(slow.entries.map(failure)).toEqual([
        {
          action: 'user.update',
          id: null,
          reason:
            'P2039: Database error. Code: `57014`. Message: `canceling statement due to statement timeout`',
          details: { operation: 'updateMany' },
        },
      ])
    } finally {
      await clerk.$disconnect()
      await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('because of a serialization failure', async () => {
    await prisma.stamped.create({ data: { id: 1 } })
    const { error, entries } = await failing(
      () =>
        prisma.$transaction(
          async (tx) => {
            await tx.stamped.findMany()
            await db.sql('UPDATE "Stamped" SET counter = 5')
            await tx.stamped.update({ where: { id: 1 }, data: { counter: 6 } })
          },
          { isolationLevel: 'Serializable' },
        ),
      prisma,
    )
    expect(error.code).toBe('P2034')
    expect(entries.filter(({ outcome }) => outcome === 'failure').map(failure)).toEqual([
      {
        action: 'stamped.update',
        id: '1',
        reason:
          'P2034: Transaction failed due to a write conflict or a deadlock. Please retry your transaction',
        details: { operation: 'update' },
      },
    ])
  })
})
