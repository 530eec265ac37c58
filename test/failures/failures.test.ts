import { beforeEach, describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit, withAuditContext } from '../../src/index.ts'
import { emptyTables } from '../capture/audited.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'

const db = await createDatabase()
const prisma = audited()

/** An audited client on the file's database. */
function audited(
  options: AuditOptions<PrismaClient> = {},
  pool: { max?: number; connectionTimeoutMillis?: number } = {},
) {
  return withAudit(createClient(db.url, pool), options)
}

beforeEach(() => emptyTables(db))

/**
 * Runs `work`, which has to fail, and gives its error and the entries that were there when it was thrown; with `queuedBy`,
 * those that this client had queued, too.
 */
async function failing(
  work: () => PromiseLike<unknown>,
  queuedBy?: { $audit: { flush(): Promise<void> } },
): Promise<{ error: Error & { code?: string }; entries: Entry[] }> {
  const since = await db.lastSeq()
  let error: unknown
  try {
    await work()
  } catch (caught) {
    error = caught
  }
  await queuedBy?.$audit.flush()
  const entries = await db.entries(since)
  expect(error).toBeInstanceOf(Error)
  return { error: error as Error, entries }
}

/** What an entry says of the failure. */
function failure({ action, resource_type, resource_id, outcome, reason, details }: Entry) {
  expect(outcome).toBe('failure')
  expect(resource_type).toBe(action.split('.')[0])
  return { action, id: resource_id, reason, details }
}

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

const taken = { reason: 'P2002: Unique constraint failed on the constraint: `Tag_name_key`' }

describe.each([1, 10])('with a pool of %i, a write that fails', (max) => {
  const prisma = audited({}, { max })

  it('in an interactive transaction leaves one failure entry, and no success entry', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const { error, entries } = await failing(
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'new' } })
          await tx.tag.create({ data: { id: 9, name: 'taken' } })
        }),
      prisma,
    )
    expect(error.code).toBe('P2002')
    expect(entries.map(failure)).toEqual([
      { action: 'tag.create', id: '9', ...taken, details: { operation: 'create' } },
    ])
    expect(await db.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'taken' }])
  })

  it('and is caught in an interactive transaction leaves an entry for each call, since each failed', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const { entries } = await failing(
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'taken' } }).catch(() => {})
          await tx.tag.create({ data: { name: 'other' } })
        }),
      prisma,
    )
    expect(entries.map(failure)).toEqual([
      { action: 'tag.create', id: null, ...taken, details: { operation: 'create' } },
      {
        action: 'tag.create',
        id: null,
        reason:
          'P2039: Database error. Code: `25P02`. Message: `current transaction is aborted, commands ignored until end of transaction block`',
        details: { operation: 'create' },
      },
    ])
  })

  it('after the time-out of its transaction is recorded', async () => {
    const { error, entries } = await failing(
      () =>
        prisma.$transaction(
          async (tx) => {
            await tx.tag.create({ data: { name: 'one' } })
            await new Promise((resolve) => setTimeout(resolve, 1_200))
            await tx.tag.create({ data: { name: 'two' } })
          },
          { timeout: 1_000 },
        ),
      prisma,
    )
    expect(error.code).toBe('P2028')
    expect(entries.map(failure)).toEqual([
      {
        action: 'tag.create',
        id: null,
        reason: expect.stringMatching(
          /^P2028: Transaction API error: .* expired transaction\. The timeout .* 1000 ms/,
        ),
        details: { operation: 'create' },
      },
    ])
  })

  it('in a $transaction([…]) leaves one failure entry for its call, durable before the error is thrown', async () => {
    await db.sql(`INSERT INTO "Tag" (id, name) VALUES (-1, 'taken')`)
    const { error, entries } = await failing(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: 'new' } }),
        prisma.tag.update({ where: { id: 1 }, data: { name: 'taken' } }),
        prisma.user.create({ data: { email: 'later' } }),
      ]),
    )
    expect(error.code).toBe('P2002')
    expect(entries.map(failure)).toEqual([
      { action: 'tag.update', id: '1', ...taken, details: { operation: 'update' } },
    ])
    expect(await db.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'taken' }])
  })

  it('with all others of its $transaction([…]) at the end of it leaves one entry', async () => {
    await db.sql('CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
    try {
      const { error, entries } = await failing(() =>
        prisma.$transaction([
          prisma.user.count(),
          prisma.$executeRaw`INSERT INTO late VALUES (1), (1)`,
          prisma.tag.create({ data: { name: 'new' } }),
        ]),
      )
      expect(error.name).toBe('DriverAdapterError')
      expect(entries.map(failure)).toEqual([
        {
          action: 'raw.execute',
          id: null,
          reason: '23505: duplicate key value violates unique constraint "late_a_key"',
          details: { operation: '$executeRaw' },
        },
      ])
    } finally {
      await db.sql('DROP TABLE late')
    }
  })

  it('in the end of an interactive transaction leaves an entry for the transaction', async () => {
    await db.sql('CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
    try {
      const context = { actor: { id: 'ada', type: 'user' }, metadata: { job: 7 } } as const
      const { error, entries } = await failing(() =>
        withAuditContext(context, () =>
          prisma.$transaction(async (tx) => {
            await tx.tag.create({ data: { name: 'new' } })
            await (tx as unknown as typeof prisma).$transaction(
              (nested) => nested.$executeRaw`INSERT INTO late VALUES (1), (1)`,
            )
          }),
        ),
      )
      expect(error.name).toBe('DriverAdapterError')
      expect(entries.map(failure)).toEqual([
        {
          action: 'transaction.commit',
          id: null,
          reason: '23505: duplicate key value violates unique constraint "late_a_key"',
          details: { operation: '$transaction', metadata: { job: 7 } },
        },
      ])
      expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada'])
    } finally {
      await db.sql('DROP TABLE late')
    }
  })

  it('by a time-out before the end of its transaction leaves an entry for the transaction', async () => {
    const runOut = (work: (tx: Pick<typeof prisma, 'tag'>) => Promise<unknown>) =>
      failing(() =>
        prisma.$transaction(
          async (tx) => {
            await work(tx)
            await new Promise((resolve) => setTimeout(resolve, 1_200))
          },
          { timeout: 1_000 },
        ),
      )
    const { error, entries } = await runOut((tx) => tx.tag.create({ data: { name: 'one' } }))
    expect(error.code).toBe('P2028')
    expect(entries.map(failure)).toEqual([
      {
        action: 'transaction.commit',
        id: null,
        reason: expect.stringMatching(/^P2028: Transaction API error: .* expired transaction/),
        details: { operation: '$transaction' },
      },
    ])
    expect((await runOut((tx) => tx.tag.findMany())).entries).toEqual([])
  })

  it('many at once leave an entry each', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const since = await db.lastSeq()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        prisma.tag.create({ data: { id: 100 + index, name: 'taken' } }),
      ),
    )
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(
      (await db.entries(since)).map(({ resource_id }) => Number(resource_id)).sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, index) => 100 + index))
  })
})

describe('a raw statement that fails', () => {
  it.each<[string, () => PromiseLike<unknown>, string, string]>([
    [
      '$executeRaw',
      () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${'taken'})`,
      '$executeRaw',
      'P2010: Raw query failed. Code: `23505`. Message: `duplicate key value violates unique constraint "Tag_name_key"`',
    ],
    [
      '$executeRawUnsafe with a constant that does not fit',
      () => prisma.$executeRawUnsafe(`INSERT INTO "Tag" (id, name) VALUES ('s3cret'::text::int, 'x')`),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `22P02`. Message: `invalid input syntax for type integer: "[redacted]"`',
    ],
    [
      '$queryRaw that writes',
      () => prisma.$queryRaw`INSERT INTO "Tag" (name) VALUES (${'taken'}) RETURNING id`,
      '$queryRaw',
      'P2010: Raw query failed. Code: `23505`. Message: `duplicate key value violates unique constraint "Tag_name_key"`',
    ],
    [
      '$executeRawUnsafe with syntax that the audit can not tell from a write',
      () => prisma.$executeRawUnsafe(`INSERT INTOO "Tag" VALUES ('s3cret')`),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `42601`. Message: `syntax error at or near "[redacted]"`',
    ],
    [
      '$executeRawUnsafe with too few values',
      () => prisma.$executeRawUnsafe('INSERT INTO "Tag" (id, name) VALUES ($1, $2)', 1),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `08P01`. Message: `bind message supplies [redacted] parameters, but prepared statement "" requires 2`',
    ],
    [
      'a statement that can not be captured',
      () => prisma.$executeRawUnsafe('TRUNCATE nowhere'),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `42P01`. Message: `relation "nowhere" does not exist`',
    ],
  ])('by %s is raw.execute', async (_, work, operation, reason) => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const { entries } = await failing(work)
    expect(entries.map(failure)).toEqual([
      { action: 'raw.execute', id: null, reason, details: { operation } },
    ])
  })

  it('and only reads is not recorded, in whatever way it is called', async () => {
    for (const work of [
      () => prisma.$queryRaw`SELECT ${'abc'}::text::int`,
      () => prisma.$executeRaw`SELECT ${'abc'}::text::int`,
      () => prisma.$transaction([prisma.tag.create({ data: { name: 'x' } }), prisma.$queryRaw`SELECT 1 / 0`]),
    ]) {
      expect((await failing(work)).entries).toEqual([])
    }
  })
})

describe('the reason', () => {
  const strict = audited({
    redact: { Everything: ['varchar', 'integer', 'numeric', 'timestamp', 'jsonb'], '*': ['email'] },
  })

  it('holds no value of a redacted field that a trigger puts into its message', async () => {
    await db.sql(`
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not % (%), % of %, at %', NEW.varchar, NEW.text, NEW.numeric, NEW.integer, NEW."timestamp"; END $$;
      CREATE TRIGGER shout BEFORE INSERT ON "Everything" FOR EACH ROW EXECUTE FUNCTION shout()`)
    try {
      const { entries } = await failing(() =>
        strict.everything.create({
          data: {
            ...{ varchar: 'hunter2', text: 'shown', numeric: '12.5', integer: 42, smallint: 1 },
            timestamp: new Date('2026-01-02T03:04:05Z'),
          },
        }),
      )
      expect(entries.map(({ reason }) => reason)).toEqual([
        'P2039: Database error. Code: `P0001`. Message: `not [redacted] (shown), [redacted] of [redacted], at [redacted]`',
      ])
    } finally {
      await db.sql('DROP FUNCTION shout CASCADE')
    }
  })

  it('holds no value of a redacted field at any depth, nor a secret by its name', async () => {
    await db.sql(`
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '% <%> "%"', NEW.password_hash, NEW.email, NEW.name; END $$;
      CREATE TRIGGER shout BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout()`)
    try {
      const user = { email: 'ada@example.com', name: 'Ada', passwordHash: 'pa$$(w|rd)' }
      const works = [
        () => strict.user.createMany({ data: [user] }),
        () => strict.post.create({ data: { title: 't', author: { create: user } } }),
        () =>
          strict.post.create({
            data: { title: 't', author: { connectOrCreate: { where: { email: user.email }, create: user } } },
          }),
        () => strict.$executeRaw`INSERT INTO users (email, name, password_hash, updated_at)
          VALUES (${user.email}, 'Ada', ${user.passwordHash}, now())`,
      ]
      const reasons: (string | null)[] = []
      for (const work of works) {
        const { entries } = await failing(work)
        reasons.push(...entries.map(({ reason }) => reason))
      }
      expect(reasons).toEqual([
        'P2039: Database error. Code: `P0001`. Message: `[redacted] <[redacted]> "Ada"`',
        'P2039: Database error. Code: `P0001`. Message: `[redacted] <[redacted]> "Ada"`',
        'P2039: Database error. Code: `P0001`. Message: `[redacted] <[redacted]> "Ada"`',
        'P2010: Raw query failed. Code: `P0001`. Message: `[redacted] <[redacted]> "[redacted]"`',
      ])
    } finally {
      await db.sql('DROP FUNCTION shout CASCADE')
    }
  })

  it('says nothing of what a deferred trigger says, whose values may be those of any call', async () => {
    await db.sql(`
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not %', NEW.password_hash; END $$;
      CREATE CONSTRAINT TRIGGER shout AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION shout()`)
    try {
      const { entries } = await failing(() =>
        prisma.$transaction((tx) => tx.user.create({ data: { email: 'a', passwordHash: 'hunter2' } })),
      )
      expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
        ['transaction.commit', 'P0001: [redacted]'],
      ])
    } finally {
      await db.sql('DROP FUNCTION shout CASCADE')
    }
  })

  it('is cut when it is long, and stored whatever it holds', async () => {
    await db.sql(`
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '%', repeat('🙂', 5000); END $$;
      CREATE TRIGGER shout BEFORE INSERT ON "Tag" FOR EACH ROW EXECUTE FUNCTION shout()`)
    try {
      const { entries } = await failing(() => prisma.tag.create({ data: { name: 'x' } }))
      const start = 'P2039: Database error. Code: `P0001`. Message: `'
      expect(entries.map(({ reason }) => [reason?.slice(0, start.length + 2), reason?.length])).toEqual([
        [`${start}🙂`, 2001],
      ])
    } finally {
      await db.sql('DROP FUNCTION shout CASCADE')
    }
    const unstorable = await failing(() => prisma.country.create({ data: { code: 'a\0', name: '\0' } }))
    expect(unstorable.entries.map(failure)).toEqual([
      {
        action: 'country.create',
        id: null, // no record has such a key
        reason: expect.stringMatching(/^P20\d\d: /),
        details: { operation: 'create' },
      },
    ])
  })

  it('hides a redacted key', async () => {
    const secretive = audited({ redact: { Shelf: ['number'], Country: ['code'] } })
    const shelf = await failing(() =>
      secretive.shelf.delete({ where: { warehouseCode_number: { warehouseCode: 'W', number: 345 } } }),
    )
    const country = await failing(() => secretive.country.delete({ where: { code: 'TR' } }))
    expect([...shelf.entries, ...country.entries].map(({ resource_id }) => resource_id)).toEqual([
      '["W","[redacted]"]',
      '[redacted]',
    ])
  })
})

describe('nothing is recorded', () => {
  it.each<[string, () => PromiseLike<unknown>]>([
    ['when Prisma refuses the arguments', () => prisma.user.create({ data: { nope: 1 } as never })],
    ['when a read fails', () => prisma.user.findUniqueOrThrow({ where: { id: 404 } })],
    [
      'when a read fails in a $transaction([…])',
      () =>
        prisma.$transaction([prisma.user.findUniqueOrThrow({ where: { id: 404 } }), prisma.tag.deleteMany()]),
    ],
    [
      'when another extension refuses the call',
      () =>
        prisma
          .$extends({
            query: {
              tag: {
                create() {
                  throw new Error('Not allowed')
                },
              },
            },
          })
          .tag.create({ data: { name: 'x' } }),
    ],
    [
      'of a model that the options exclude',
      () => audited({ models: { exclude: ['Tag'] } }).tag.delete({ where: { id: 404 } }),
    ],
    [
      'without an actor that is required',
      () => audited({ requireActor: true }).tag.create({ data: { name: 'x' } }),
    ],
    [
      'of a statement that uncapturable refuses',
      () => audited({ uncapturable: 'throw' }).$executeRaw`TRUNCATE "Tag"`,
    ],
    ['with failures: false', () => audited({ failures: false }).tag.delete({ where: { id: 404 } })],
    [
      'of a transaction that the application itself gives up',
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'x' } })
          throw new Error('changed my mind')
        }),
    ],
  ])('%s', async (_, work) => {
    expect((await failing(work)).entries).toEqual([])
  })
})

describe('an attempt on the log itself', () => {
  it.each<[string, () => PromiseLike<unknown>, string]>([
    ['by its model', () => prisma.auditLog.deleteMany(), 'auditLog.delete'],
    ['by raw SQL', () => prisma.$executeRaw`UPDATE audit_logs SET actor_id = 'nobody'`, 'raw.execute'],
    ['by TRUNCATE', () => prisma.$executeRaw`TRUNCATE audit_logs`, 'raw.execute'],
  ])('%s is refused, and recorded', async (_, work, action) => {
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      VALUES (gen_random_uuid(), 'tag.create', 'a', 'user', 'tag')`)
    const { entries } = await failing(work)
    expect(entries.map(({ action, outcome, reason }) => [action, outcome, reason])).toEqual([
      [action, 'failure', expect.stringContaining('the audit log is append-only')],
    ])
  })
})

describe('the caller', () => {
  it('gets the error that the client below threw, the very same', async () => {
    const thrown: unknown[] = []
    const noting = withAudit(createClient(db.url)).$extends({
      query: {
        async $allOperations({ args, query }) {
          try {
            return await query(args)
          } catch (error) {
            thrown.push(error)
            throw error
          }
        },
      },
    })
    const works = [
      () => noting.tag.delete({ where: { id: 404 } }),
      () => noting.$executeRaw`INSERT INTO "Tag" (id) VALUES (1)`,
      () => noting.$transaction((tx) => tx.tag.delete({ where: { id: 404 } })),
      () => noting.$transaction([noting.tag.delete({ where: { id: 404 } })]),
    ]
    const errors: Error[] = []
    for (const work of works) errors.push((await failing(work)).error)
    expect(thrown).toHaveLength(works.length)
    for (const [index, error] of errors.entries()) expect(error).toBe(thrown[index])
    expect(errors[0]?.stack).toContain('failures.test.ts')
  })

  it('does not wait for a log that no connection is left for, and the entry follows', async () => {
    const crowded = audited({}, { max: 1, connectionTimeoutMillis: 1_000 })
    await crowded.tag.create({ data: { name: 'first' } })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const holding = crowded.$transaction(async (tx) => {
      await tx.tag.count()
      await held
    })
    const began = Date.now()
    const { error } = await failing(() => crowded.tag.delete({ where: { id: 1 } }))
    expect(Date.now() - began).toBeLessThan(1_900) // two waits would be 2 seconds
    release()
    await holding
    expect(error.message).toBe('timeout exceeded when trying to connect')
    await crowded.$audit.flush()
    const [last] = (await db.entries()).slice(-1)
    expect(last && failure(last)).toEqual({
      action: 'tag.delete',
      id: '1',
      reason: 'timeout exceeded when trying to connect',
      details: { operation: 'delete' },
    })
  })

  it('gets the error also when the log can not be written, and onError hears of it', async () => {
    const heard: string[] = []
    const unlucky = audited({ onError: (error) => heard.push(error.code) })
    await db.sql('ALTER TABLE audit_logs ADD CONSTRAINT no_failures CHECK (outcome = $$success$$) NOT VALID')
    try {
      const { error, entries } = await failing(() => unlucky.tag.delete({ where: { id: 404 } }))
      expect(error.code).toBe('P2025')
      expect(entries).toEqual([])
      await unlucky.$audit.flush()
      expect(heard).toEqual(['AUDIT_NOT_WRITTEN'])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT no_failures')
    }
  })
})
