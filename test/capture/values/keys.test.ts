import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { PrismaClient } from '../../generated/client/client.ts'
import { createValues } from './values.ts'

const { db, prisma } = await createValues()

describe('keys', () => {
  const keyed = async (type: string, expression: string) => {
    await db.sql(`DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (key ${type} PRIMARY KEY)`)
    const since = await db.lastSeq()
    // a fresh client, since the table is new
    const client = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
    await client.$executeRawUnsafe(`INSERT INTO keyed VALUES (${expression})`)
    await client.$disconnect()
    const [entry] = await db.entries(since)
    return entry?.resource_id
  }

  it.each([
    ['boolean', 'true', 'true'],
    ['smallint', '-7', '-7'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['numeric', '1.10', '1.10'],
    ['double precision', '0.1::float8 + 0.2', '0.30000000000000004'],
    ['double precision', `'NaN'`, 'NaN'],
    ['uuid', `'6F9619FF-8B86-D011-B42D-00C04FC964FF'`, '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
    ['text', `'a "b"'`, 'a "b"'],
    ['char(4)', `'ab'`, 'ab  '],
    ['citext', `'Ab'`, 'Ab'],
    ['timestamp', `'2026-01-02 03:04:05'`, '2026-01-02T03:04:05.000Z'],
    ['timestamptz', `'2026-01-02 03:04:05.000001+02'`, '2026-01-02T01:04:05.000001Z'],
    ['date', `'2026-01-02'`, '2026-01-02'],
    ['bytea', `'\\x00ff'`, 'AP8='],
    ['mood', `'so so'`, 'so so'],
    ['price', '1.5', '1.5000'],
    ['moment', `'2026-01-02 03:04:05+01'`, '2026-01-02T02:04:05.000Z'],
    ['int4range', `'[1,5]'`, '[1,6)'],
    ['interval', `'1 day'`, '1 day'],
  ])('%s %s', async (type, expression, expected) => {
    expect(await keyed(type, expression)).toBe(expected)
  })

  it('longer than the log’s column does not stop the write', async () => {
    const key = 'https://example.org/'.padEnd(400, 'x')
    await prisma.status.create({ data: { code: key } })
    expect(await prisma.status.findUnique({ where: { code: key } })).toEqual({ code: key })
    await prisma.status.delete({ where: { code: key } })
  })
})
