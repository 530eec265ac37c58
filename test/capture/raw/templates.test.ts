import * as runtime from '@prisma/client/runtime/client'
import { describe, expect, it } from 'vitest'
import { withAuditContext } from '../../../src/index.ts'
import { Prisma } from '../../generated/client/client.ts'
import { createRaw, outline } from './raw.ts'

const { db, prisma, plain } = await createRaw()

describe('tagged templates', () => {
  it('bind their values, Prisma.sql, Prisma.join and Prisma.empty included', async () => {
    const ids = [1, 2]
    const entries = await db.changesOf(async () => {
      const where = Prisma.sql`id IN (${Prisma.join(ids)})`
      expect(
        await prisma.$executeRaw`UPDATE "Tag" SET name = name || ${'!'} WHERE ${where} ${Prisma.empty}`,
      ).toBe(2)
      const rows = await prisma.$queryRaw<unknown[]>(
        Prisma.sql`UPDATE ${Prisma.raw('"Tag"')} SET name = ${'z'} WHERE id = ${3} RETURNING id, name`,
      )
      expect(rows).toEqual([{ id: 3, name: 'z' }])
    })
    expect(outline(entries)).toEqual(['tag.update 1 name', 'tag.update 2 name', 'tag.update 3 name'])
    expect(entries.map((entry) => entry.details.operation)).toEqual([
      '$executeRaw',
      '$executeRaw',
      '$queryRaw',
    ])
  })

  it('bind values of every type', async () => {
    const when = new Date('2024-01-02T03:04:05.678Z')
    const sql = (client: typeof plain) =>
      client.$queryRaw`INSERT INTO "Everything" ("bigint", double, "decimal", "text", "boolean", "timestamp", jsonb, bytes, integers)
        VALUES (${9007199254740993n}, ${1.5}, ${new Prisma.Decimal('1.10')}, ${null}, ${true}, ${when}, ${{ a: 1 }}, ${Buffer.from([0, 255])}, ${[1, 2]})
        RETURNING "bigint", double, "decimal", "text", "boolean", "timestamp", jsonb, bytes, integers`
    const expected = await sql(plain)
    let actual: unknown
    const [entry] = await db.changesOf(async () => {
      actual = await sql(prisma)
    })
    expect(actual).toEqual(expected)
    expect(entry?.details.after).toMatchObject({
      bigint: '9007199254740993',
      double: 1.5,
      decimal: '1.100000000000000000000000000000',
      text: null,
      boolean: true,
      timestamp: '2024-01-02T03:04:05.678Z',
      jsonb: { a: 1 },
      bytes: 'AP8=',
      integers: [1, 2],
    })
  })

  it('of one text run as often as one likes, with values and contexts of their own', async () => {
    const entries = await db.changesOf(async () => {
      for (const [index, name] of ['x', 'y', 'z'].entries()) {
        await withAuditContext({ ...(index === 1 && { metadata: { index } }) }, async () => {
          await prisma.$executeRaw`UPDATE "Tag" SET name = ${name} WHERE id = ${index + 1}`
        })
      }
    })
    expect(entries.map(({ details }) => [details.after.name, details.metadata ?? null])).toEqual([
      ['x', null],
      ['y', { index: 1 }],
      ['z', null],
    ])
  })
})

describe('TypedSQL', () => {
  // what `prisma generate --sql` writes for a file that it checked against a database
  const rename = runtime.makeTypedQueryFactory(
    'UPDATE "Tag" SET name = $1 WHERE id = $2 RETURNING id, name',
  ) as unknown as (
    name: string,
    id: number,
  ) => runtime.TypedSql<[string, number], { id: number; name: string }>
  const clear = runtime.makeTypedQueryFactory('TRUNCATE "Reading"') as unknown as () => runtime.TypedSql<
    [],
    never
  >

  it('is captured as raw SQL is', async () => {
    const entries = await db.changesOf(async () => {
      expect(await prisma.$queryRawTyped(rename('typed', 2))).toEqual([{ id: 2, name: 'typed' }])
      await prisma.$transaction((tx) => tx.$queryRawTyped(rename('typed again', 2)))
      await prisma.$queryRawTyped(clear())
    })
    expect(outline(entries)).toEqual(['tag.update 2 name', 'tag.update 2 name', 'raw.execute  truncate'])
    expect(entries.map((entry) => entry.details.operation)).toEqual([
      '$queryRawTyped',
      '$queryRawTyped',
      '$queryRawTyped',
    ])
  })
})
