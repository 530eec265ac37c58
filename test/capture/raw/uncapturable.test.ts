import { describe, expect, it } from 'vitest'
import { AuditError, withAudit, withAuditContext } from '../../../src/index.ts'
import { createClient, type Entry } from '../../support/database.ts'
import { createRaw, outline } from './raw.ts'

const { db, prisma, plain, version, contents } = await createRaw()

describe('a statement that cannot be captured row by row is recorded as raw.execute', () => {
  interface Uncapturable {
    /** Statements before it, in the same transaction, that are no matter here. */
    first?: string[]
    sql: string
    values?: unknown[]
    reason: string
    /** Its text in the log; that of `sql` where it has no values. */
    text?: string
    since?: number
    before?: number
  }
  const statements: Record<string, Uncapturable> = {
    'several statements': {
      sql: `INSERT INTO "Tag" (name) VALUES ('x'); UPDATE "Tag" SET name = 'y' WHERE id = 1`,
      reason: 'several-statements',
      text: 'INSERT INTO "Tag" (name) VALUES (?); UPDATE "Tag" SET name = ? WHERE id = ?',
    },
    MERGE: {
      sql: `MERGE INTO "Tag" t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT (name) VALUES ('y')`,
      reason: 'merge',
      text: 'MERGE INTO "Tag" t USING (SELECT ? AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET name = ? WHEN NOT MATCHED THEN INSERT (name) VALUES (?)',
      since: 15,
    },
    'a WITH clause that writes': {
      sql: `WITH gone AS (DELETE FROM "Tag" WHERE id = $1 RETURNING name) INSERT INTO "Reading" SELECT name, 2.5 FROM gone`,
      values: [1],
      reason: 'writing-cte',
      text: 'WITH gone AS (DELETE FROM "Tag" WHERE id = $1 RETURNING name) INSERT INTO "Reading" SELECT name, ? FROM gone',
    },
    'a WITH clause that writes before a SELECT': {
      sql: `WITH gone AS (DELETE FROM "Tag" RETURNING id) SELECT count(*) FROM gone`,
      reason: 'writing-cte',
    },
    'SELECT INTO': { sql: `SELECT id INTO made_by_select FROM "Tag"`, reason: 'select-into' },
    'a function that may write': { sql: 'SELECT writes()', reason: 'function' },
    'a function that may write, deep inside': {
      sql: `SELECT * FROM "Tag" WHERE id IN (SELECT public.writes() FROM "Country")`,
      reason: 'function',
    },
    'a function that may write in FROM': { sql: 'SELECT * FROM writes() AS w', reason: 'function' },
    'a function that may write in VALUES': { sql: 'VALUES (writes())', reason: 'function' },
    'COPY of a function that may write': {
      sql: `COPY (SELECT writes()) TO PROGRAM 'cat > /dev/null'`,
      reason: 'function',
      text: 'COPY (SELECT writes()) TO PROGRAM ?',
    },
    'a cursor over a function that may write': {
      sql: 'DECLARE one CURSOR FOR SELECT writes()',
      reason: 'function',
    },
    CALL: { sql: 'CALL writes_too()', reason: 'procedure' },
    DO: { sql: `DO $$ BEGIN DELETE FROM "Tag"; END $$`, reason: 'procedure', text: 'DO ?' },
    'COPY FROM': {
      sql: `COPY "Tag" (name) FROM PROGRAM 'echo x'`,
      reason: 'copy',
      text: 'COPY "Tag" (name) FROM PROGRAM ?',
    },
    TRUNCATE: { sql: 'TRUNCATE "Reading"', reason: 'truncate' },
    EXECUTE: {
      first: [`PREPARE change AS DELETE FROM "Tag" WHERE id = $1`],
      sql: 'EXECUTE change(1)',
      reason: 'prepared-statement',
      text: 'EXECUTE change(?)',
    },
    'EXPLAIN ANALYZE': { sql: `EXPLAIN ANALYZE DELETE FROM "Tag"`, reason: 'explain-analyze' },
    'EXPLAIN (ANALYZE)': { sql: `EXPLAIN (COSTS off, ANALYZE) DELETE FROM "Tag"`, reason: 'explain-analyze' },
    'EXPLAIN ANALYZE of a function that may write': {
      sql: 'EXPLAIN ANALYZE SELECT writes()',
      reason: 'explain-analyze',
    },
    'EXPLAIN ANALYZE of CREATE TABLE AS': {
      sql: 'EXPLAIN ANALYZE CREATE TABLE made_by_explain AS SELECT id FROM "Tag"',
      reason: 'explain-analyze',
    },
    'WHERE CURRENT OF': {
      first: ['DECLARE here CURSOR FOR SELECT * FROM "Tag" ORDER BY id FOR UPDATE', 'FETCH 1 FROM here'],
      sql: `UPDATE "Tag" SET name = 'x' WHERE CURRENT OF here`,
      reason: 'cursor',
      text: 'UPDATE "Tag" SET name = ? WHERE CURRENT OF here',
    },
    'CREATE TABLE': { sql: 'CREATE TABLE made (id int)', reason: 'definition' },
    'CREATE TABLE AS': { sql: 'CREATE TABLE made AS SELECT id FROM "Tag"', reason: 'definition' },
    'ALTER TABLE': {
      sql: `ALTER TABLE "Reading" ADD COLUMN note text DEFAULT 'x'`,
      reason: 'definition',
      text: 'ALTER TABLE "Reading" ADD COLUMN note text DEFAULT ?',
    },
    'DROP TABLE': { sql: 'DROP TABLE derived', reason: 'definition' },
    GRANT: { sql: 'GRANT SELECT ON "Tag" TO PUBLIC', reason: 'definition' },
    'CREATE INDEX': { sql: 'CREATE INDEX ON "Tag" (name)', reason: 'definition' },
    'REFRESH MATERIALIZED VIEW': {
      first: ['CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM "Tag"'],
      sql: 'REFRESH MATERIALIZED VIEW counted',
      reason: 'definition',
    },
    'a temporary table': {
      first: ['CREATE TEMPORARY TABLE brief (id int) ON COMMIT DROP'],
      sql: 'INSERT INTO brief VALUES (1)',
      reason: 'unknown-table',
      text: 'INSERT INTO brief VALUES (?)',
    },
    'a view': {
      sql: `UPDATE tag_view SET name = 'x' WHERE id = 1`,
      reason: 'not-a-table',
      text: 'UPDATE tag_view SET name = ? WHERE id = ?',
    },
    'a table with a rule': {
      sql: `INSERT INTO ruled VALUES (1, 'x')`,
      reason: 'rule',
      text: 'INSERT INTO ruled VALUES (?, ?)',
    },
    'RETURNING * beside a join that merges columns, in a table with a trigger': {
      sql: `UPDATE "Stamped" s SET counter = 9 FROM "Country" c JOIN "Country" e USING (code) WHERE s.id = 1 RETURNING *`,
      reason: 'returning-star',
      text: 'UPDATE "Stamped" s SET counter = ? FROM "Country" c JOIN "Country" e USING (code) WHERE s.id = ? RETURNING *',
    },
    'before 18: an upsert that does not say its keys in VALUES': {
      sql: `INSERT INTO "Country" SELECT code, 'x', 1 FROM "Country" ON CONFLICT (code) DO UPDATE SET name = excluded.name`,
      reason: 'upsert-without-values',
      text: 'INSERT INTO "Country" SELECT code, ?, ? FROM "Country" ON CONFLICT (code) DO UPDATE SET name = excluded.name',
      before: 18,
    },
    'before 18: an upsert by an expression': {
      first: ['CREATE UNIQUE INDEX ON "Tag" (lower(name))'],
      sql: `INSERT INTO "Tag" (name) VALUES ('A') ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name`,
      reason: 'upsert-without-values',
      text: 'INSERT INTO "Tag" (name) VALUES (?) ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name',
      before: 18,
    },
  }
  const names = Object.keys(statements).filter((name) => {
    const { since = 0, before = Infinity } = statements[name] as Uncapturable
    return version >= since && version < before
  })
  class Undo extends Error {}

  /** In a transaction that is undone, so that each starts alike; gives the result and the entries as it saw them. */
  async function attempt(client: typeof plain, { first = [], sql, values = [] }: Uncapturable) {
    let seen: { result: unknown; entries: Entry[] } | undefined
    const running = client.$transaction(async (tx) => {
      for (const statement of first) await tx.$executeRawUnsafe(statement)
      const [{ before } = { before: 0 }] = await tx.$queryRaw<
        { before: number }[]
      >`SELECT count(*)::int AS before FROM audit_logs WHERE resource_type <> 'auditLog'`
      const result = await tx.$executeRawUnsafe(sql, ...values)
      const entries = await tx.$queryRawUnsafe<Entry[]>(
        `SELECT action, resource_type, resource_id, outcome, details FROM audit_logs WHERE resource_type <> 'auditLog' ORDER BY seq OFFSET ${before}`,
      )
      seen = { result, entries }
      throw new Undo()
    })
    await expect(running).rejects.toThrow(Undo)
    return seen
  }

  it.each(names)('%s', async (name) => {
    const one = statements[name] as Uncapturable
    const since = await db.lastSeq()
    const expected = await attempt(plain, one)
    const actual = await attempt(prisma, one)
    expect(actual?.result).toEqual(expected?.result)
    expect(actual?.entries).toEqual([
      {
        action: 'raw.execute',
        resource_type: 'raw',
        resource_id: null,
        outcome: 'success',
        details: { operation: '$executeRawUnsafe', statement: one.text ?? one.sql, reason: one.reason },
      },
    ])
    expect(await db.changes(since)).toEqual([]) // undone with its transaction
  })

  const strict = withAudit(createClient(db.url), { uncapturable: 'throw' })

  it.each(names)("%s is refused before it runs, with uncapturable: 'throw'", async (name) => {
    const { first = [], sql, values = [], reason } = statements[name] as Uncapturable
    if (first.length > 0) return // these need statements that are refused themselves, or a transaction
    const before = await contents()
    const entries = await db.changesOf(async () => {
      for (const run of [
        () => strict.$executeRawUnsafe(sql, ...values),
        () => strict.$queryRawUnsafe(sql, ...values),
        () => strict.$transaction([strict.$executeRawUnsafe(sql, ...values)]),
        () => strict.$transaction((tx) => tx.$executeRawUnsafe(sql, ...values)),
      ]) {
        const error = await run().then(undefined, (error: unknown) => error)
        expect(error).toBeInstanceOf(AuditError)
        expect(error).toMatchObject({ code: 'AUDIT_UNCAPTURABLE' })
        expect((error as AuditError).message).toContain(`(${reason}: `)
      }
    })
    expect(entries).toEqual([])
    expect(await contents()).toEqual(before)
    expect(
      await db.sql(`SELECT to_regclass('made') AS made, to_regclass('derived')::text AS derived`),
    ).toEqual([{ made: null, derived: 'derived' }])
  })

  it("syntax that nobody knows is refused with uncapturable: 'throw', and the server's error otherwise", async () => {
    await expect(strict.$executeRaw`UPDTE "Tag" SET name = 'x'`).rejects.toMatchObject({
      code: 'AUDIT_UNCAPTURABLE',
      message: expect.stringContaining('unknown-syntax'),
    })
    const entries = await db.entriesOf(() =>
      expect(prisma.$executeRaw`UPDTE "Tag" SET name = 'x'`).rejects.toMatchObject({ code: 'P2010' }),
    )
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([['raw.execute', 'failure']])
  })

  it("reads and captured writes run with uncapturable: 'throw'", async () => {
    const entries = await db.changesOf(async () => {
      await strict.$queryRaw`SELECT 1`
      await strict.$executeRaw`UPDATE "Tag" SET name = 'x' WHERE id = 1`
      await strict.tag.deleteMany()
    })
    expect(entries).toHaveLength(4)
  })

  it('has the context of its call', async () => {
    const [entry] = await db.changesOf(() =>
      withAuditContext(
        { actor: { id: 'ada', type: 'user' }, reason: 'clean up', metadata: { a: 1 } },
        () => prisma.$executeRaw`TRUNCATE "Reading"`,
      ),
    )
    expect(entry).toMatchObject({
      action: 'raw.execute',
      actor_id: 'ada',
      reason: 'clean up',
      details: {
        operation: '$executeRaw',
        statement: 'TRUNCATE "Reading"',
        reason: 'truncate',
        metadata: { a: 1 },
      },
    })
  })

  it('leaves the entry of a failure when it fails, and no other', async () => {
    const entries = await db.entriesOf(async () => {
      await expect(prisma.$executeRaw`TRUNCATE no_such_table`).rejects.toMatchObject({ code: 'P2010' })
      await expect(
        prisma.$executeRaw`WITH w AS (INSERT INTO "Tag" (name) VALUES ('a')) SELECT 1`,
      ).rejects.toMatchObject({ code: 'P2010' })
      await expect(
        prisma.$transaction([
          prisma.$executeRaw`TRUNCATE "Reading"`,
          prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES ('a')`,
        ]),
      ).rejects.toMatchObject({ code: 'P2010' })
    })
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual(
      Array(3).fill(['raw.execute', 'failure']),
    )
    expect(await db.sql('SELECT sensor FROM "Reading"')).toHaveLength(1)
  })

  it('commits with its statement, under the same transaction id as what comes with it', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction([prisma.$executeRaw`TRUNCATE "Reading"`, prisma.tag.delete({ where: { id: 1 } })]),
    )
    expect(outline(entries)).toEqual(['raw.execute  truncate', 'tag.delete 1'])
    expect(entries[0]?.transaction_id).toBe(entries[1]?.transaction_id)
  })

  it('keeps words apart where a comment stood between them', async () => {
    const [entry] = await db.changesOf(() => prisma.$executeRawUnsafe('TRUNCATE/* all of */"Reading" -- now'))
    expect(entry?.details.statement).toBe('TRUNCATE "Reading"')
  })
})

describe('statements that do not run inside a transaction', () => {
  it('VACUUM, ANALYZE and CHECKPOINT work, and change nothing worth an entry', async () => {
    const entries = await db.changesOf(async () => {
      await prisma.$executeRaw`VACUUM`
      await prisma.$executeRaw`VACUUM FULL "Tag"`
      await prisma.$executeRaw`ANALYZE "Tag"`
      await prisma.$executeRaw`CHECKPOINT`
    })
    expect(entries).toEqual([])
  })

  it('CREATE and DROP INDEX CONCURRENTLY, REINDEX CONCURRENTLY and a procedure that commits work, with an entry', async () => {
    const entries = await db.changesOf(async () => {
      await prisma.$executeRaw`CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)`
      await prisma.$executeRaw`REINDEX INDEX CONCURRENTLY concurrent_index`
      await prisma.$executeRaw`DROP INDEX CONCURRENTLY concurrent_index`
      await prisma.$executeRaw`CALL commits()`
    })
    expect(entries.map(({ details }) => [details.reason, details.statement])).toEqual([
      ['definition', 'CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)'],
      ['definition', 'REINDEX INDEX CONCURRENTLY concurrent_index'],
      ['definition', 'DROP INDEX CONCURRENTLY concurrent_index'],
      ['procedure', 'CALL commits()'],
    ])
    expect(await db.sql('SELECT sensor FROM "Reading"')).toHaveLength(2)
  })

  it('fail inside a transaction as they do without the audit', async () => {
    const entries = await db.changesOf(() =>
      expect(
        prisma.$transaction(async (tx) => {
          await tx.tag.delete({ where: { id: 1 } })
          await tx.$executeRaw`CREATE INDEX CONCURRENTLY concurrent_index ON "Tag" (name)`
        }),
      ).rejects.toMatchObject({ code: 'P2010', message: expect.stringContaining('25001') }),
    )
    expect(entries).toEqual([])
  })
})
