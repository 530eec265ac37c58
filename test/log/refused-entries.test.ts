import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { AuditError, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { errorOf } from '../support/errors.ts'
import { migration } from '../support/migration.ts'
import { createTag, tagExists } from '../support/tags.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()

describe('a database without the log', async () => {
  const bare = await createDatabase()
  await bare.sql('DROP TABLE audit_logs')

  it('refuses every write with AUDIT_TABLE_MISSING and the fix; nothing is written', async () => {
    const prisma = withAudit(createClient(bare.url))
    const name = unique('unlogged')
    for (const write of [
      () => prisma.$audit.verify(),
      () => createTag(prisma, name),
      () => prisma.$transaction([createTag(prisma, name)]),
      () => prisma.$transaction((tx) => createTag(tx, name)),
      () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
      () => prisma.$executeRaw`TRUNCATE "Tag" CASCADE`,
    ]) {
      const error = await errorOf(write)
      expect(error).toBeInstanceOf(AuditError)
      expect(error.code).toBe('AUDIT_TABLE_MISSING')
      expect(error.message).toMatch(
        /"audit_logs" is not in the database.*Nothing was written.*prisma-extension-audit init.*prisma migrate deploy/s,
      )
    }
    expect(await tagExists(bare, name)).toBe(false)
  })

  it('leaves its connection usable', async () => {
    const prisma = withAudit(createClient(bare.url, { max: 1 }))
    await errorOf(() => prisma.$transaction((tx) => createTag(tx)))
    await errorOf(() => prisma.$transaction([createTag(prisma)]))
    await errorOf(() => createTag(prisma))
  })

  it('works as soon as the migration is applied, without a restart; a missing column is named', async () => {
    const prisma = withAudit(createClient(bare.url))
    await expect(createTag(prisma)).rejects.toMatchObject({ code: 'AUDIT_TABLE_MISSING' })

    await bare.sql(migration)
    expect(actions(await bare.changesOf(() => createTag(prisma)))).toEqual(['tag.create'])

    await bare.sql('ALTER TABLE audit_logs DROP COLUMN user_agent, DROP COLUMN ip')
    const other = withAudit(createClient(bare.url))
    const error = await errorOf(() => createTag(other))
    expect(error.code).toBe('AUDIT_TABLE_MISSING')
    expect(error.message).toContain('"audit_logs" lacks ip, user_agent')
    const running = await errorOf(() => createTag(prisma))
    expect(running).toBeInstanceOf(Error)
  })
})

describe('an entry that cannot be written', () => {
  const role = `writer_${randomUUID().slice(0, 8)}`
  const roleUrl = new URL(db.url)
  roleUrl.username = role
  roleUrl.password = 'secret'

  it('for want of the privilege INSERT means that nothing is written', async () => {
    await db.sql(`
      CREATE ROLE ${role} LOGIN PASSWORD 'secret';
      GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role};
      REVOKE ALL ON audit_logs FROM ${role}`)
    afterAll(async () => {
      await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    })
    const client = createClient(roleUrl.toString())
    const prisma = withAudit(client)
    const name = unique('unprivileged')
    const entries = await db.changesOf(async () => {
      for (const write of [
        () => createTag(prisma, name),
        () => prisma.tag.createMany({ data: [{ name }] }),
        () => prisma.tag.upsert({ where: { name }, create: { name }, update: {} }),
        () => prisma.post.create({ data: { title: name, tags: { create: { name } } } }),
        () => prisma.$transaction([createTag(prisma, name)]),
        () => prisma.$transaction((tx) => createTag(tx, name)),
        () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
        () => prisma.$queryRaw`INSERT INTO "Tag" (name) VALUES (${name}) RETURNING id`,
        () => prisma.$executeRaw`WITH made AS (INSERT INTO "Tag" (name) VALUES (${name})) SELECT 1`,
      ]) {
        const error = await errorOf(write)
        expect(error.message).toMatch(/permission denied for table audit_logs|denied access/i)
      }
    })
    expect(entries).toEqual([])
    expect(await tagExists(db, name)).toBe(false)
    expect(await prisma.tag.findUnique({ where: { name } })).toBeNull()
  })

  it('because the log refuses it means that nothing is written', async () => {
    const unwritten: AuditError[] = []
    const prisma = withAudit(createClient(db.url), { onError: (error) => unwritten.push(error) })
    const { id } = await createTag(prisma)
    const category = await prisma.category.create({
      data: { name: 'kept', children: { create: { name: 'kept' } } },
    })
    await db.sql(`ALTER TABLE audit_logs ADD CONSTRAINT full_up CHECK (actor_id <> 'refused') NOT VALID`)
    try {
      await withAuditContext({ actor: { id: 'refused', type: 'user' } }, async () => {
        const name = unique('refused')
        await errorOf(() => createTag(prisma, name))
        await errorOf(() => prisma.tag.update({ where: { id }, data: { name } }))
        await errorOf(() => prisma.category.delete({ where: { id: category.id } }))
        await errorOf(
          () => prisma.$executeRaw`WITH made AS (INSERT INTO "Tag" (name) VALUES (${name})) SELECT 1`,
        )
        expect(await tagExists(db, name)).toBe(false)
      })
      expect(await prisma.category.count({ where: { name: 'kept' } })).toBe(2)
      // nor are the entries about the failures
      await prisma.$audit.flush()
      expect(unwritten.map(({ code, entry }) => [code, entry?.action, entry?.outcome])).toEqual([
        ['AUDIT_NOT_WRITTEN', 'tag.create', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'tag.update', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'category.delete', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'raw.execute', 'failure'],
      ])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT full_up')
    }
  })

  it('does not exist for a key that is longer than its column: the write goes on', async () => {
    const prisma = withAudit(createClient(db.url))
    const key = `${unique('long')} ${'k'.repeat(400)}`
    const entries = await db.changesOf(() =>
      prisma.translation.create({ data: { key, language: 'en', text: unique('long') } }),
    )
    expect(actions(entries)).toEqual(['translation.create'])
    expect(entries[0]?.details.after.key).toBe(key)
  })
})
