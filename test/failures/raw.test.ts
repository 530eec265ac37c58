import { describe, expect, it } from 'vitest'
import { createFailing, failure } from './failing.ts'

const { db, prisma, failing } = await createFailing()

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
      '$executeRawUnsafe with syntax that the audit cannot tell from a write',
      () => prisma.$executeRawUnsafe(`INSERT INTOO "Tag" VALUES ('s3cret')`),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `42601`. Message: `syntax error at or near "INTOO"`',
    ],
    [
      '$executeRawUnsafe with a value that ends its quotes',
      () => prisma.$executeRawUnsafe(`INSERT INTO "Tag" (name) VALUES ('O'Brien', 'Mc'Donald')`),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `42601`. Message: `syntax error at or near "[redacted]"`',
    ],
    [
      '$executeRawUnsafe with a value that is not closed',
      () => prisma.$executeRawUnsafe(`INSERT INTO "Tag" (name) VALUES ('s3cret)`),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `42601`. Message: `unterminated quoted string at or near "[redacted]"`',
    ],
    [
      '$executeRawUnsafe with too few values',
      () => prisma.$executeRawUnsafe('INSERT INTO "Tag" (id, name) VALUES ($1, $2)', 1),
      '$executeRawUnsafe',
      'P2010: Raw query failed. Code: `08P01`. Message: `bind message supplies [redacted] parameters, but prepared statement "" requires 2`',
    ],
    [
      'a statement that cannot be captured',
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
