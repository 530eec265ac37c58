import { describe, expect, it } from 'vitest'
import { createRaw, outline } from '../raw/raw.ts'

const { db, prisma, plain, contents, compare } = await createRaw()

const de = `"Country" c WHERE c.code = 'DE'`

/** Statements whose star has columns of other tables, some under the same name, and their entries. */
const statements: Record<string, { sql: string; count: number; entries: string[] }> = {
  'UPDATE with FROM': {
    sql: `UPDATE "Tag" t SET name = 'x' FROM ${de} AND t.id = 1 RETURNING *`,
    count: 1,
    entries: ['tag.update 1 name'],
  },
  'UPDATE with FROM, in a table with a trigger': {
    sql: `UPDATE "Stamped" s SET counter = 9 FROM ${de} AND s.id = 1 RETURNING s.counter, c.*, 1 AS one`,
    count: 1,
    entries: ['stamped.update 1 counter stampedAt'],
  },
  'UPDATE with FROM and a join, in a table with a trigger': {
    sql: `UPDATE "Stamped" s SET counter = 9 FROM "Country" c JOIN "Tag" t ON t.id = 1 WHERE c.code = 'DE' AND s.id = 1 RETURNING c.name, s.counter, t.*`,
    count: 1,
    entries: ['stamped.update 1 counter stampedAt'],
  },
  'DELETE with USING': {
    sql: `DELETE FROM "Country" d USING ${de} AND d.code <> c.code RETURNING *`,
    count: 1,
    entries: ['country.delete FR'],
  },
  'DELETE with USING and the other star': {
    sql: `DELETE FROM "Country" d USING ${de} AND d.code <> c.code RETURNING c.*, d.code AS gone`,
    count: 1,
    entries: ['country.delete FR'],
  },
  'DELETE with a join that merges columns': {
    sql: `DELETE FROM "Reading" r USING "Country" c JOIN "Country" e USING (code) WHERE c.code = 'DE' RETURNING *`,
    count: 1,
    entries: ['reading.delete '],
  },
  'the star among others, of one table': {
    sql: `UPDATE "Tag" SET name = name || '!' WHERE id = 2 RETURNING *, upper(name) AS loud`,
    count: 1,
    entries: ['tag.update 2 name'],
  },
}

describe('RETURNING * gives what it gives without the audit, and the rows are recorded', () => {
  it.each(Object.keys(statements))('%s, as rows', async (name) => {
    const statement = statements[name] as (typeof statements)[string]
    const { result } = await compare('$queryRawUnsafe', statement)
    expect(result).toHaveLength(statement.count)
  })

  it.each(Object.keys(statements))('%s, as a count', async (name) => {
    const statement = statements[name] as (typeof statements)[string]
    const { result } = await compare('$executeRawUnsafe', statement)
    expect(result).toBe(statement.count)
  })

  it('has the columns in their order, under names that occur twice', async () => {
    const sql = `DELETE FROM "Country" d USING ${de} AND d.code <> c.code RETURNING *`
    const columns = async (client: typeof plain) => {
      const [row] = await client.$queryRawUnsafe<Record<string, unknown>[]>(sql)
      return Object.entries(row ?? {})
    }
    const before = await contents()
    const expected = await columns(plain)
    expect(expected).toHaveLength(3)
    await db.sql(`INSERT INTO "Country" VALUES ('FR', 'France', 60)`)
    expect(await contents()).toEqual(before)
    expect(await columns(prisma as unknown as typeof plain)).toEqual(expected)
  })
})

it('records a join that merges columns and joins the old rows as text only', async () => {
  const sql = `UPDATE "Stamped" s SET counter = 9 FROM "Country" c JOIN "Country" e USING (code) WHERE s.id = 1 AND c.code = 'DE' RETURNING *`
  const entries = await db.changesOf(() => prisma.$queryRawUnsafe(sql))
  expect(outline(entries)).toEqual(['raw.execute  returning-star'])
})
