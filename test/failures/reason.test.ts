import { beforeAll, describe, expect, it } from 'vitest'
import type { AuditOptions } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { watchWith } from '../support/watch.ts'
import { createFailing, failure } from './failing.ts'

const { db, prisma, audited, failing } = await createFailing()

describe('the reason', () => {
  const redact: AuditOptions<PrismaClient>['redact'] = {
    Everything: ['varchar', 'integer', 'numeric', 'timestamp', 'jsonb'],
    '*': ['email'],
  }
  const strict = audited({ redact })
  beforeAll(() => watchWith(db, { redact }))

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
    const redact = { Shelf: ['number' as const], Country: ['code' as const] }
    await watchWith(db, { redact })
    const secretive = audited({ redact })
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
