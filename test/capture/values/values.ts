import { expect, it } from 'vitest'
import { createAudited } from '../audited.ts'

/** What Prisma's schema language can't say: a table of every other type. */
export const oddTable = `
  CREATE TYPE pair AS (x int, label text);
  CREATE TYPE mood AS ENUM ('so so', 'it''s "good", really');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN price AS numeric(12, 4);
  CREATE DOMAIN small_price AS price;
  CREATE DOMAIN moment AS timestamptz(6);
  CREATE DOMAIN blob AS bytea;
  CREATE DOMAIN padded AS char(4);
  CREATE DOMAIN document AS jsonb;
  CREATE DOMAIN big AS bigint;
  CREATE DOMAIN bigs AS bigint[];
  CREATE DOMAIN moods AS mood;
  CREATE TABLE odd (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    "numeric" numeric, "interval" interval, span int4range, period tstzrange, spans int4multirange, pair pair, mood mood,
    positive positive, price price, small_price small_price, moment moment, blob blob, padded padded, document document,
    big big, bigs bigs, moods moods, oid oid, name name, tiny "char", point point, vector tsvector, mac macaddr,
    cidr cidr, bits varbit, path jsonpath, second timestamp(0), stamp timestamp, zoned timestamptz, zone time with time zone,
    booleans boolean[], smallints smallint[], reals real[], doubles double precision[], numerics numeric[], moneys money[],
    intervals interval[], times time[], timetzs timetz[], chars char(3)[], citexts citext[], inets inet[], xmls xml[],
    ranges int4range[], pairs pair[], moodlist mood[], positives positive[], prices price[], moments moment[], blobs blob[],
    bits_list bit(2)[], matrix int[], stamps timestamp[], zoneds timestamptz[], documents document[], names name[],
    fruit text, loud text GENERATED ALWAYS AS (upper(fruit)) STORED,
    "select" int, "we""ird. $1 %s 'Name'" text, "Ünïcode 🙂" text, "after" text, "n" text, "old" text, "new" text,
    a63characterslongnameisthelongestthatpostgresqlgivestoacolumnok text
  );`

/** An audited client on a database with columns of every type, and ways to see a value of one in the log. */
export async function createValues() {
  const { db, prisma, recordedBy } = await createAudited({ setUp: oddTable })

  /**
   * Stores a value (an SQL expression) in a column by insert, by update and then takes it away by delete. Gives the JSON
   * in the log, which must be the same each time; the oracle agrees with every entry.
   */
  async function inLog(table: string, column: string, expression: string): Promise<unknown> {
    return JSON.parse(await textInLog(table, column, expression))
  }

  /** The same, as the text of the JSON: every digit of a number. */
  async function textInLog(table: string, column: string, expression: string): Promise<string> {
    const since = await db.lastSeq()
    const [name, target] = [`"${column.replaceAll('"', '""')}"`, `"${table}"`]
    await db.sql(`DELETE FROM ${target}`)
    await recordedBy(async () => {
      await prisma.$executeRawUnsafe(`INSERT INTO ${target} (${name}) VALUES (${expression})`)
      await prisma.$executeRawUnsafe(`DELETE FROM ${target}`)
      await prisma.$executeRawUnsafe(`INSERT INTO ${target} DEFAULT VALUES`)
      await prisma.$executeRawUnsafe(`UPDATE ${target} SET ${name} = ${expression}`)
      await prisma.$executeRawUnsafe(`DELETE FROM ${target}`)
    })
    const values = await db.sql<{ action: string; value: string }>(
      `SELECT action, (coalesce(details -> 'after', details -> 'before') -> $2)::text AS value
       FROM audit_logs WHERE seq > $1 ORDER BY seq`,
      [since, column],
    )
    const created = values[0]?.value as string
    const expected = ['create', 'delete', 'create', 'update', 'delete'].map((verb, index) => ({
      verb,
      value: index === 2 ? expect.anything() : created,
    }))
    expect(values.map(({ action, value }) => ({ verb: action.split('.')[1], value }))).toEqual(expected)
    return created
  }

  const everything = (column: string, expression: string) => inLog('Everything', column, expression)

  /** A column type with SQL values and what the log says of each. */
  function values(table: string, column: string, cases: [string, unknown][]): void {
    it.each(cases)(`${column} %s`, async (expression, expected) => {
      expect(await inLog(table, column, expression)).toEqual(expected)
    })
  }

  return { db, prisma, recordedBy, inLog, textInLog, everything, values, version: await db.serverVersion() }
}
