import { describe, expect, it } from 'vitest'
import { Prisma } from '../../generated/client/client.ts'
import { quote } from '../../support/quote.ts'
import { createRaw } from './raw.ts'

const { db, prisma, compare } = await createRaw()

describe('names that look like SQL', () => {
  const columns = [
    ...[
      '$1',
      '--',
      '/*',
      '*/',
      ';',
      "it's",
      'back\\slash',
      'a"b',
      'new\nline',
      '/*fold:0*/',
      '$q$',
      'ünï🦆',
      'NULL',
    ],
    ...['%s', '{0}', "E'\\x'", ' ', '$2::text', "'||'"],
  ]
  const table = `odd $1 -- \\ ' " /* ;`

  it('are names', async () => {
    await db.sql(`
      CREATE TABLE ${quote(table)} (${['$k int PRIMARY KEY', ...columns.map((name) => `${name} text`)]
        .map((column) =>
          column.replace(/^(.*) (int PRIMARY KEY|text)$/s, (_, name, type) => `${quote(name)} ${type}`),
        )
        .join(', ')});
      CREATE TABLE "odd child" (id int PRIMARY KEY, "f'k\\" int REFERENCES ${quote(table)} ON DELETE CASCADE ON UPDATE CASCADE)`)
    const values = (prefix: string) => columns.map((name) => prefix + name)
    const numbered = columns.map((_, index) => `$${index + 2}`)
    const key = quote('$k')
    const entries = await db.changesOf(async () => {
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quote(table)} VALUES ($1, ${numbered})`,
        1,
        ...values('v'),
      )
      await prisma.$executeRawUnsafe(`INSERT INTO "odd child" VALUES (5, 1)`)
      await prisma.$executeRawUnsafe(
        `UPDATE ${quote(table)} SET ${columns.map((name, index) => `${quote(name)} = ${numbered[index]}`)} WHERE ${key} = $1`,
        1,
        ...values('w'),
      )
      const [row] = await prisma.$queryRawUnsafe<Record<string, string>[]>(
        `UPDATE ${quote(table)} SET ${quote('$1')} = 'z' WHERE ${key} = $1 RETURNING ${columns.map(quote)}`,
        1,
      )
      expect(Object.keys(row ?? {})).toEqual(columns)
      await prisma.$executeRawUnsafe(`UPDATE ${quote(table)} SET ${key} = $2 WHERE ${key} = $1`, 1, 2)
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quote(table)} (${key}, "--") VALUES ($1, $2) ON CONFLICT (${key}) DO UPDATE SET "--" = excluded."--" || $3`,
        ...[2, 'a', 'b'],
      )
      await prisma.$executeRawUnsafe(`DELETE FROM ${quote(table)} WHERE ${key} = $1`, 2)
    })
    expect(
      entries.map(({ action, resource_id, details }) => [action, resource_id, details.cause ?? null]),
    ).toEqual([
      [`${table}.create`, '1', null],
      ['odd child.create', '5', null],
      [`${table}.update`, '1', null],
      [`${table}.update`, '1', null],
      [`${table}.update`, '1', null],
      ['odd child.update', '5', `${table}.update`],
      [`${table}.update`, '2', null],
      [`${table}.delete`, '2', null],
      ['odd child.delete', '5', `${table}.delete`],
    ])
    expect(entries[2]?.details.changed).toEqual(columns)
    expect(entries[2]?.details.after).toEqual({
      $k: 1,
      ...Object.fromEntries(columns.map((name) => [name, `w${name}`])),
    })
  })
})

describe('long statements', () => {
  it('with thousands of rows and parameters', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `long ${index}`)
    const entries = await db.changesOf(async () => {
      expect(
        await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES ${Prisma.join(names.map((name) => Prisma.sql`(${name})`))}`,
      ).toBe(3_000)
      expect(await prisma.$executeRaw`DELETE FROM "Tag" WHERE name IN (${Prisma.join(names)})`).toBe(3_000)
    })
    expect(entries).toHaveLength(6_000)
    expect(entries.slice(0, 3_000).map((entry) => entry.details.after.name)).toEqual(names)
  })

  it('whose strings look like folded lists', async () => {
    const list = Array.from({ length: 500 }, (_, index) => `$${index + 1}`)
    const text = `/*fold:0*/ ${list.join(', ')} /*fold:1*/`
    const ids = Array.from({ length: 500 }, (_, index) => index + 1)
    const sql = `UPDATE "Country" SET name = '${text}' WHERE population IN (${list.join(',')}) AND code = 'DE'`
    await compare('$executeRawUnsafe', { sql, values: ids, count: 1, entries: ['country.update DE name'] })
    expect(await db.sql(`SELECT name FROM "Country" WHERE code = 'DE'`)).toEqual([{ name: text }])
  })
})
