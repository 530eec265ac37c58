import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createLogged } from '../capture/statement-log.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { brief, recorded } from '../support/recorded.ts'
import { watchTables } from '../support/watch.ts'
import { createWatched } from './watched.ts'

const schema = await readFile('test/prisma/schema.prisma', 'utf8')
const db = await createDatabase()
await watchTables(db, schema, 'all')
const { prisma, log } = createLogged({ connectionString: db.url })

const ada = { actor: { id: 'ada', type: 'user' }, requestId: 'r1', reason: 'because' } as const

/** What the work sends, and what it records. */
async function during(work: (client: PrismaClient) => Promise<unknown>) {
  const since = await db.lastSeq()
  const sent = await log.during(() => withAuditContext(ada, () => work(prisma)))
  return { sent: sent.map(({ sql }) => sql), entries: await db.entries(since) }
}

describe('an audited client on tables that triggers record', () => {
  it('adds one call to an UPDATE and a DELETE, in their condition, and no statement', async () => {
    await prisma.tag.create({ data: { id: 1, name: 'a' } })
    const { sent, entries } = await during(async (client) => {
      await client.tag.update({ where: { id: 1 }, data: { name: 'b' } })
      await client.tag.deleteMany({ where: { id: 1 } })
    })
    const call =
      /AND \(SELECT "public"\."audit_logs_context"\(\$\d+::pg_catalog\.text, '\w{32}', '\w{32}'\)\)/
    expect(sent).toEqual([expect.stringMatching(call), expect.stringMatching(call)])
    expect(sent[0]?.replace(call, 'AND …').replaceAll('\n', ' ')).toBe(
      'UPDATE "public"."Tag" SET "name" = $1 WHERE (("public"."Tag"."id" = $2 AND 1=1)) AND … RETURNING "public"."Tag"."id", "public"."Tag"."name"',
    )
    expect(entries.map(recorded)).toEqual([
      {
        action: 'tag.update',
        id: '1',
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'b' },
        changed: ['name'],
        operation: 'update',
      },
      { action: 'tag.delete', id: '1', before: { id: 1, name: 'b' }, operation: 'deleteMany' },
    ])
    expect(entries[0]).toMatchObject({ actor_id: 'ada', request_id: 'r1', reason: 'because' })
  })

  it('adds it to what an INSERT returns, and takes it off the result', async () => {
    const { sent, entries } = await during(async (client) => {
      expect(await client.tag.create({ data: { id: 900, name: 'two' } })).toEqual({ id: 900, name: 'two' })
      expect(await client.tag.createMany({ data: [{ name: 'x' }, { name: 'y' }] })).toEqual({ count: 2 })
      expect(await client.$executeRaw`INSERT INTO "Tag" (name) VALUES ('raw'), ('raw too')`).toBe(2)
      expect(await client.$queryRaw`INSERT INTO "Tag" (name) VALUES ('mute')`).toEqual([])
    })
    expect(
      sent.map((sql) => /, \(SELECT "public"\."audit_logs_context"|RETURNING \(SELECT/.test(sql)),
    ).toEqual(sent.map(() => true))
    expect(brief(entries.map(recorded)).map((line) => line.replace(/ \d+$/, ''))).toEqual(
      Array.from({ length: 6 }, () => 'tag.create'),
    )
  })

  it('records a cascade by one statement, with its cause', async () => {
    await prisma.user.create({
      data: {
        id: 1,
        email: 'u@example.com',
        profile: { create: { id: 'p', bio: '' } },
      },
    })
    await prisma.post.create({
      data: { id: 'post', title: 't', comments: { create: { text: 'c', userId: 1 } } },
    })
    const { sent, entries } = await during((client) => client.user.delete({ where: { id: 1 } }))
    expect(sent).toHaveLength(1)
    expect(brief(entries.map(recorded)).sort()).toEqual([
      'comment.delete 1 because user.delete',
      'profile.delete p because user.delete',
      'user.delete 1',
    ])
    expect(new Set(entries.map(({ actor_id }) => actor_id))).toEqual(new Set(['ada']))
  })

  it('tells who acts ahead of a statement that can carry no call, and takes it back', async () => {
    const { sent, entries } = await during(async (client) => {
      await client.$executeRaw`TRUNCATE "Tag" CASCADE`
      await client.$transaction(async (tx) => {
        await tx.$executeRaw`DO 'BEGIN INSERT INTO "Tag" (name) VALUES (''done''); END'`
        await tx.country.create({ data: { code: 'CH', name: 'Suisse' } })
      })
    })
    const next = sent.filter((sql) => sql.includes('audit_logs_next_context'))
    expect(next).toHaveLength(3)
    expect(brief(entries.map(recorded)).map((line) => line.replace(/tag\.create \d+/, 'tag.create'))).toEqual(
      ['tag.truncate (no id)', '_PostToTag.truncate (no id)', 'tag.create', 'country.create CH'],
    )
    expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada', 'ada', 'ada', 'ada'])
  })

  it('captures what no statement could record: MERGE, a view, a WITH clause, a cursor', async () => {
    await db.sql('CREATE VIEW tags AS SELECT id, name FROM "Tag"')
    await prisma.tag.createMany({
      data: [
        { id: 21, name: 'm' },
        { id: 22, name: 'n' },
      ],
    })
    const { entries } = await during(async (client) => {
      await client.$executeRaw`UPDATE tags SET name = 'by view' WHERE id = 21`
      await client.$executeRaw`WITH gone AS (DELETE FROM "Tag" WHERE id = 22 RETURNING *) SELECT * FROM gone`
      await client.$executeRaw`UPDATE "Tag" SET name = 'joined' FROM (VALUES (21)) AS v(id) WHERE v.id = "Tag".id`
    })
    expect(brief(entries.map(recorded))).toEqual([
      'tag.update 21 [name]',
      'tag.delete 22',
      'tag.update 21 [name]',
    ])
    expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada', 'ada', 'ada'])
  })

  it('is refused where its options say otherwise than the triggers, before anything is written', async () => {
    const other = withAudit(createClient(db.url), { redact: { Tag: ['name'] }, snapshot: 'changed' })
    const refusal = {
      code: 'AUDIT_OPTIONS_DIFFER',
      message: expect.stringContaining('snapshot: changed here, full there; redact name: yes here, no there'),
    }
    const count = await prisma.tag.count()
    await expect(other.tag.create({ data: { name: 'never' } })).rejects.toMatchObject(refusal)
    await expect(other.$audit.verify()).rejects.toMatchObject({ code: 'AUDIT_OPTIONS_DIFFER' })
    expect(await prisma.tag.count()).toBe(count)
  })

  it('is refused where some of the triggers are gone, so that nobody would record an update', async () => {
    const own = await createDatabase()
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag'); DROP TRIGGER "!audit_logs_row_update" ON "Tag"`)
    const client = withAudit(createClient(own.url))
    const refusal = { code: 'AUDIT_TRIGGERS_OUTDATED' }
    await expect(client.tag.create({ data: { name: 'never' } })).rejects.toMatchObject(refusal)
    await expect(client.$audit.verify()).rejects.toMatchObject(refusal)
    expect(await client.tag.count()).toBe(0)
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
    await client.tag.create({ data: { name: 'recorded' } })
    expect(brief((await own.changes()).map(recorded))).toEqual(['tag.create 1'])
  })

  it('is refused where that is so of a table that a cascade reaches', async () => {
    const { own, client, deletePost } = await withPosts()
    await watchTables(own, schema, 'all')
    await own.sql('ALTER TABLE "Comment" DISABLE TRIGGER "!audit_logs_row_delete_1"')
    const refusal = {
      code: 'AUDIT_TRIGGERS_OUTDATED',
      message: expect.stringContaining('"public"."Comment"'),
    }
    await expect(deletePost('a')).rejects.toMatchObject(refusal)
    await client.post.update({ where: { id: 'a' }, data: { title: 'reaches no comment' } })
    const deletion = `WITH gone AS (DELETE FROM "Post" WHERE id = 'a' RETURNING *) SELECT FROM gone`
    const asText = await own.changesOf(() => client.$executeRawUnsafe(deletion))
    expect(asText.map(({ action }) => action)).toContain('raw.execute')
    await own.sql('ALTER TABLE "Comment" ENABLE ALWAYS TRIGGER "!audit_logs_row_delete_1"')
    expect(await deletePost('b')).toEqual(['post.delete b', 'comment.delete 2 because post.delete'])
  })

  it('is not refused for what was mended after the client read of it', async () => {
    const own = await createDatabase()
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag'); DROP TRIGGER "!audit_logs_row_update" ON "Tag"`)
    const client = withAudit(createClient(own.url))
    await client.$executeRaw`TRUNCATE "Tag" CASCADE`
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
    expect(await client.tag.create({ data: { name: 'recorded' } })).toMatchObject({ name: 'recorded' })
  })

  it('finds by verify() a table that a migration changed after its triggers', async () => {
    const own = await createDatabase()
    await watchTables(own, schema, 'all')
    const client = withAudit(createClient(own.url))
    await client.$audit.verify()
    await own.sql('ALTER TABLE "Tag" ADD COLUMN color text')
    await expect(client.$audit.verify()).rejects.toMatchObject({
      code: 'AUDIT_TRIGGERS_OUTDATED',
      message: expect.stringContaining('"public"."Tag" has other columns than its triggers spell out'),
    })
    await client.tag.create({ data: { id: 1, name: 'a' } })
    expect((await own.entries()).map(recorded)).toEqual([
      { action: 'tag.create', id: '1', after: { id: 1, name: 'a', color: null }, operation: 'create' },
    ])
  })
})

describe('triggers that come and go', () => {
  it('outside a transaction change nothing for the caller', async () => {
    const own = await createDatabase()
    const client = withAudit(createClient(own.url))
    const actions = async () => (await own.changes()).map(({ action }) => action)
    await client.tag.create({ data: { id: 1, name: 'a' } })
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
    await client.tag.update({ where: { id: 1 }, data: { name: 'b' } })
    await own.sql(`SELECT audit_logs_unwatch('"Tag"')`)
    await client.tag.update({ where: { id: 1 }, data: { name: 'c' } })
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag'); ALTER TABLE "Tag" DISABLE TRIGGER ALL`)
    await client.tag.update({ where: { id: 1 }, data: { name: 'd' } })
    expect(await actions()).toEqual(['tag.create', 'tag.update', 'tag.update', 'tag.update'])
  })

  it('make a transaction fail that began before, once', async () => {
    const own = await createDatabase()
    const client = withAudit(createClient(own.url))
    await client.tag.create({ data: { id: 1, name: 'a' } })
    await own.sql(`SELECT audit_logs_watch('"Tag"', 'tag')`)
    const rename = (name: string) =>
      client.$transaction((tx) => tx.tag.update({ where: { id: 1 }, data: { name } }))
    await expect(rename('b')).rejects.toMatchObject({ code: 'AUDIT_SCHEMA_CHANGED' })
    await rename('c')
    expect(brief((await own.changes()).map(recorded))).toEqual(['tag.create 1', 'tag.update 1 [name]'])
  })

  it('and were disabled by somebody leave the context to those of every table below', async () => {
    const own = await createDatabase()
    await watchTables(own, schema, 'all')
    await disableTriggers(own, 'Post')
    const client = withAudit(createClient(own.url))
    await client.post.create({ data: { id: 'p', title: 't', comments: { create: { id: 1, text: 'c' } } } })
    const entries = await own.changesOf(() =>
      withAuditContext(ada, () => client.post.delete({ where: { id: 'p' } })),
    )
    expect(brief(entries.map(recorded))).toEqual(['post.delete p', 'comment.delete 1 because post.delete'])
    expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada', 'ada'])

    const withoutPosts = withAudit(createClient(own.url), { models: { exclude: ['Post'] } })
    await client.post.create({ data: { id: 'q', title: 't', comments: { create: { id: 2, text: 'c' } } } })
    const below = await own.changesOf(() =>
      withAuditContext(ada, () => withoutPosts.post.deleteMany({ where: { id: 'q' } })),
    )
    expect(brief(below.map(recorded))).toEqual(['comment.delete 2 because post.delete'])
  })

  describe('below a table whose triggers somebody disables, after the client looked', () => {
    it('leave no row without its entry once they are gone', async () => {
      const { own, client, deletePost } = await withPosts()
      await own.sql(`SELECT audit_logs_watch('"Post"', 'post'), audit_logs_watch('"Comment"', 'comment')`)
      await disableTriggers(own, 'Post')
      expect(await deletePost('a')).toEqual(['post.delete a', 'comment.delete 1 because post.delete'])
      await own.sql(`SELECT audit_logs_unwatch('"Comment"')`)
      await disableTriggers(own, 'Post')
      expect(await deletePost('b')).toEqual(['post.delete b', 'comment.delete 2 because post.delete'])
      await own.sql(`SELECT audit_logs_watch('"Comment"', 'comment')`)
      await disableTriggers(own, 'Post')
      await client.post.delete({ where: { id: 'c' } })
      await own.sql(`SELECT audit_logs_unwatch('"Comment"')`)
      await disableTriggers(own, 'Post')
      const deletion = client.$transaction((tx) => tx.post.delete({ where: { id: 'd' } }))
      await expect(deletion).rejects.toMatchObject({ code: 'AUDIT_SCHEMA_CHANGED' })
    })

    it('give no row two entries once they are there', async () => {
      const { own, client, deletePost } = await withPosts()
      expect(await deletePost('a')).toEqual(['post.delete a', 'comment.delete 1 because post.delete'])
      await own.sql(`SELECT audit_logs_watch('"Comment"', 'comment')`)
      await disableTriggers(own, 'Post')
      expect(await deletePost('b')).toEqual(['post.delete b', 'comment.delete 2 because post.delete'])
      await own.sql(`SELECT audit_logs_unwatch('"Comment"'), audit_logs_unwatch('"Post"')`)
      await client.post.delete({ where: { id: 'c' } })
      await own.sql(`SELECT audit_logs_watch('"Comment"', 'comment')`)
      await disableTriggers(own, 'Post')
      const deletion = client.$transaction((tx) => tx.post.delete({ where: { id: 'd' } }))
      await expect(deletion).rejects.toMatchObject({ code: 'AUDIT_SCHEMA_CHANGED' })
    })
  })
})

/** Four posts with a comment each, and what the deletion of one records, whoever is said to have done it. */
async function withPosts() {
  const { db: own, entriesOf } =
    await createWatched(`INSERT INTO "Post" (id, title) SELECT chr(96 + n), 't' FROM generate_series(1, 4) AS n;
    INSERT INTO "Comment" (text, "postId") SELECT 'c', chr(96 + n) FROM generate_series(1, 4) AS n ORDER BY n`)
  const client = withAudit(createClient(own.url))
  const deletePost = async (id: string) =>
    brief((await entriesOf(() => client.post.delete({ where: { id } }))).map(recorded))
  return { own, client, deletePost }
}

/** All but those of foreign keys, which work by triggers, too. */
async function disableTriggers({ sql }: Database, table: string): Promise<void> {
  await sql(`DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = '"${table}"'::regclass AND NOT tgisinternal
    LOOP EXECUTE format('ALTER TABLE "${table}" DISABLE TRIGGER %I', name); END LOOP; END $$`)
}
