import { readFile } from 'node:fs/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { AuditError, withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient as QuotesClient } from '../generated/quotes/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { migration } from '../support/migration.ts'

const database = await createDatabase()
const plain = createClient(database.url)
const prisma = withAudit(createClient(database.url))
await database.sql('CREATE TABLE canary (id int); INSERT INTO canary VALUES (1)')

/** Each would show, by an error, by another value or by what it does, if it came into SQL as it is. */
const hostile = [
  `'; DROP TABLE canary; --`,
  `"; DROP TABLE canary; --`,
  `') , ('x'); DELETE FROM canary; --`,
  String.raw`\'; DROP TABLE canary; --`,
  `$$; DROP TABLE canary; $$`,
  `$1 ? :name {0} %s %I`,
  `*/ DROP TABLE canary; /*`,
  `{"__proto__": 1, "$1": "'"}`,
  `"__audit_op"."before"`,
  `ʼ＇’ \u202e\n\t%_`,
]

beforeEach(() => database.sql('TRUNCATE "Tag", "Everything" CASCADE'))
afterAll(async () => expect(await database.sql('SELECT * FROM canary')).toEqual([{ id: 1 }]))

async function newest() {
  const [entry] = await database.sql('SELECT * FROM audit_logs ORDER BY seq DESC LIMIT 1')
  return entry as Record<string, unknown> & { details: Record<string, unknown> }
}

describe.each(hostile)('%j is nothing but text', (text) => {
  it('as the value of a field', async () => {
    const { id } = await prisma.tag.create({ data: { name: 'tag' } })
    await prisma.tag.update({ where: { id }, data: { name: text } })
    expect((await newest()).details.after).toEqual({ id, name: text })
    await prisma.everything.create({ data: { text, texts: [text], jsonb: { [text]: text }, json: [text] } })
    expect((await newest()).details.after).toMatchObject({
      text,
      texts: [text],
      jsonb: { [text]: text },
      json: [text],
    })
    await prisma.$executeRaw`UPDATE "Everything" SET varchar = ${text.slice(0, 50)} WHERE text = ${text}`
    expect((await newest()).details.after).toMatchObject({ varchar: text.slice(0, 50) })
    await prisma.tag.deleteMany({ where: { name: text } })
    expect((await newest()).details.before).toEqual({ id, name: text })
  })

  it('in every field of the context, of a change, of an event and of a failure', async () => {
    const context = {
      actor: { id: text, type: 'user', email: text },
      ...{ requestId: text, userAgent: text, organizationId: text, reason: text, metadata: { [text]: text } },
    } as const
    const attributed = {
      ...{ actor_id: text, actor_email: text, request_id: text, user_agent: text, organization_id: text },
      details: { metadata: { [text]: text } },
    }
    await withAuditContext(context, () => prisma.tag.create({ data: { name: 'one' } }))
    expect(await newest()).toMatchObject({ ...attributed, reason: text })
    await withAuditContext(context, () =>
      prisma.tag.createMany({ data: [{ name: 'two' }, { name: 'three' }] }),
    )
    expect(await newest()).toMatchObject({ ...attributed, reason: text })
    await withAuditContext(context, () => prisma.tag.create({ data: { name: 'one' } }).catch(() => {}))
    expect(await newest()).toMatchObject({ ...attributed, outcome: 'failure' })
    await withAuditContext(context, () =>
      prisma.$audit.record({
        action: 'thing.done',
        resource: { type: 'thing', id: text },
        details: { [text]: text },
      }),
    )
    expect(await newest()).toMatchObject({ resource_id: text, actor_id: text, reason: text })
  })

  it('in every question to the log', async () => {
    await withAuditContext(
      { actor: { id: text, type: 'user', email: text }, requestId: text, organizationId: text },
      () => prisma.$audit.record({ action: 'thing.asked', resource: { type: 'thing', id: text } }),
    )
    const found = async (filter: Parameters<typeof prisma.$audit.search>[0]) =>
      (await prisma.$audit.search({ action: 'thing.asked', ...filter })).entries.map(
        ({ resource }) => resource.id,
      )
    for (const filter of [
      { actor: text },
      { actor: { email: text } },
      { resource: { type: 'thing', id: text } },
      { requestId: text },
      { organizationId: text },
    ]) {
      expect(await found(filter)).toEqual([text])
    }
    for (const filter of [{ action: text }, { action: `${text}*` }, { changed: text }, { resource: text }]) {
      expect(await found(filter)).toEqual([])
    }
    expect((await prisma.$audit.activity(text)).entries[0]?.resource.id).toBe(text)
    expect((await prisma.$audit.history('Country', text)).entries).toEqual([])
    for (const question of [{ transactionId: text }, { from: text }, { to: text }]) {
      await expect(prisma.$audit.search(question)).rejects.toMatchObject({ code: 'AUDIT_INVALID_FILTER' })
    }
    for (const cursor of [
      text,
      Buffer.from(text).toString('base64url'),
      Buffer.from(`1.1.${text}.x`).toString('base64url'),
    ]) {
      await expect(prisma.$audit.search({}, { cursor })).rejects.toMatchObject({
        code: 'AUDIT_INVALID_CURSOR',
      })
    }
  })

  it('as the option table', async () => {
    for (const table of [
      text,
      `"${text}"`,
      `"${text.replaceAll('"', '""')}"`,
      `public."${text.replaceAll('"', '""')}"`,
    ]) {
      const outcome = (async () => {
        await withAudit(createClient(database.url), { table }).tag.create({ data: { name: 'refused' } })
      })()
      const error: unknown = await outcome.catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(AuditError)
      expect(['AUDIT_INVALID_OPTIONS', 'AUDIT_TABLE_MISSING']).toContain((error as AuditError).code)
    }
    expect(await plain.tag.count()).toBe(0)
  })
})

describe('names with quotes', () => {
  it('of models, columns, enums and their values are only names', async () => {
    const quoting = await createDatabase({ template: 'template1' })
    await quoting.sql(migration)
    await quoting.sql(await readFile('test/prisma/quotes.sql', 'utf8'))
    const client = withAudit(new QuotesClient({ adapter: new PrismaPg({ connectionString: quoting.url }) }))
    afterAll(() => client.$disconnect())
    await client.parent.create({ data: { id: 1, text: 'a', secret: 'b', children: { create: { id: 1 } } } })
    await client.parent.update({ where: { id: 1 }, data: { id: 2, kind: 'other' } })
    await client.parent.updateMany({ data: { text: 'c' } })
    await client.parent.upsert({ where: { id: 2 }, create: { id: 2, text: 'd' }, update: { text: 'e' } })
    await client.parent.delete({ where: { id: 2 } })
    const entries = await quoting.changes()
    const first = { id: 1, text: 'a', kind: "it's plain", secret: '[redacted]' }
    const second = { ...first, id: 2, kind: '$1; --' }
    expect(entries.map(({ action, details: { before, after } }) => [action, before, after])).toEqual([
      ['parent.create', undefined, first],
      ['child.create', undefined, { id: 1, parentId: 1 }],
      ['parent.update', first, second],
      ['child.update', { id: 1, parentId: 1 }, { id: 1, parentId: 2 }],
      ['parent.update', second, { ...second, text: 'c' }],
      ['parent.update', { ...second, text: 'c' }, { ...second, text: 'e' }],
      ['parent.delete', { ...second, text: 'e' }, undefined],
      ['child.update', { id: 1, parentId: 2 }, { id: 1, parentId: null }],
    ])
    expect(await client.$audit.stateAt('Parent', 2, new Date())).toBeNull()
    await client.child.delete({ where: { id: 1 } })
    const { entries: lives } = await client.$audit.history('Child', 1)
    const [created] = await client.$audit.revert(lives[0]?.id ?? '')
    expect(created).toMatchObject({ action: 'child.create', after: { id: 1, parentId: null } })
    await client.$executeRawUnsafe(`INSERT INTO "ra""w' ""$1" VALUES (1, 'f')`)
    const [raw] = (await quoting.changes()).slice(-1)
    expect([raw?.resource_type, raw?.details.after]).toEqual([`ra"w' "$1`, { 'i"d': 1, 'va"lue\') --': 'f' }])
  })
})
