import { describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createPost } from './posts.ts'

const db = await createDatabase()
const audited = (options: AuditOptions<PrismaClient>) => withAudit(createClient(db.url), options)
const plain = createClient(db.url)

/** Every column of the log as one text. */
async function wholeLog(): Promise<string> {
  const rows = await db.sql<{ entry: string }>('SELECT to_jsonb(l)::text AS entry FROM audit_logs l')
  return rows.map((row) => row.entry).join('\n')
}

describe('redact', () => {
  it('shows [redacted] for a value and null for null, and still lists the field as changed', async () => {
    const prisma = audited({ redact: { User: ['name', 'loginCount'] } })
    const email = unique('redact@')
    const entries = await db.changesOf(async () => {
      await prisma.user.create({ data: { email } })
      await prisma.user.update({ where: { email }, data: { name: 'hidden one' } })
      await prisma.user.update({ where: { email }, data: { name: 'hidden two', loginCount: 77 } })
      await prisma.user.update({ where: { email }, data: { name: null } })
      await prisma.user.delete({ where: { email } })
    })
    const shown = (row: Record<string, unknown> | undefined) => row && [row.email, row.name, row.loginCount]
    expect(
      entries.map(({ action, details }) => [
        action,
        shown(details.before) ?? null,
        shown(details.after) ?? null,
        details.changed?.filter((field: string) => field !== 'updatedAt') ?? null,
      ]),
    ).toEqual([
      ['user.create', null, [email, null, '[redacted]'], null],
      ['user.update', [email, null, '[redacted]'], [email, '[redacted]', '[redacted]'], ['name']],
      [
        'user.update',
        [email, '[redacted]', '[redacted]'],
        [email, '[redacted]', '[redacted]'],
        ['name', 'loginCount'],
      ],
      ['user.update', [email, '[redacted]', '[redacted]'], [email, null, '[redacted]'], ['name']],
      ['user.delete', [email, null, '[redacted]'], null, null],
    ])
    expect(await wholeLog()).not.toMatch(/hidden/)
  })

  it('gives the application the real values', async () => {
    const prisma = audited({ redact: { '*': ['name', 'email'] } })
    const email = unique('real@')
    const user = await prisma.user.create({ data: { email, name: 'real' } })
    expect([user.email, user.name]).toEqual([email, 'real'])
    const [raw] = await prisma.$queryRaw<
      { name: string }[]
    >`UPDATE users SET name = 'raw' WHERE email = ${email} RETURNING name`
    expect(raw).toEqual({ name: 'raw' })
  })

  it("'*' means the field of any model, and only that field", async () => {
    const prisma = audited({ redact: { '*': ['name'] } })
    const entries = await db.changesOf(async () => {
      await prisma.tag.create({ data: { name: unique('hidden') } })
      await prisma.category.create({ data: { name: 'hidden' } })
      await prisma.status.create({ data: { code: unique('shown') } })
    })
    expect(entries.map(({ details }) => details.after.name ?? details.after.code)).toEqual([
      '[redacted]',
      '[redacted]',
      expect.stringContaining('shown'),
    ])
  })

  it('works on every type of column', async () => {
    const fields = [
      'boolean',
      'smallint',
      'bigint',
      'double',
      'decimal',
      'text',
      'uuid',
      'inet',
      'level',
      'timestamptz',
      'date',
      'jsonb',
      'bytes',
      'integers',
      'texts',
      'jsons',
      'blobs',
    ] as const
    const prisma = audited({ redact: { Everything: [...fields] } })
    const [entry] = await db.changesOf(() =>
      prisma.everything.create({
        data: {
          boolean: true,
          smallint: 1,
          bigint: 2n,
          double: 1.5,
          decimal: '1.10',
          text: 'hidden',
          uuid: crypto.randomUUID(),
          inet: '10.0.0.1',
          level: 'HIGH',
          timestamptz: new Date(),
          date: new Date(),
          jsonb: { hidden: true },
          bytes: Buffer.from('hidden'),
          integers: [1],
          texts: ['hidden'],
          jsons: [{ hidden: true }],
          blobs: [Buffer.from('hidden')],
        },
      }),
    )
    expect(fields.map((field) => entry?.details.after[field])).toEqual(fields.map(() => '[redacted]'))
    expect(entry?.details.after.numeric).toBeNull()
  })

  it('makes a redacted key read [redacted] in resource_id too', async () => {
    const prisma = audited({ redact: { Country: ['code'], Translation: ['key'] } })
    const key = unique('hidden key')
    const entries = await db.changesOf(async () => {
      await prisma.country.create({ data: { code: 'ZZ', name: 'z' } })
      await prisma.country.update({ where: { code: 'ZZ' }, data: { code: 'ZY' } })
      await prisma.country.delete({ where: { code: 'ZY' } })
      await prisma.translation.create({ data: { key, language: 'en', text: key.toUpperCase() } })
    })
    expect(entries.map((entry) => entry.resource_id)).toEqual([
      '[redacted]',
      '[redacted]',
      '[redacted]',
      '["[redacted]","en"]',
    ])
    expect(entries[1]?.details.changed).toEqual(['code'])
    expect(await wholeLog()).not.toContain(key)
  })

  it('makes a redacted key read [redacted] in the entries of links, on both sides', async () => {
    const { post, tag } = await createPost(plain)
    const prisma = audited({ redact: { Post: ['id'], Comment: ['postId'] } })
    const entries = await db.changesOf(async () => {
      await prisma.post.update({ where: { id: post.id }, data: { tags: { disconnect: { id: tag.id } } } })
      await prisma.post.update({ where: { id: post.id }, data: { tags: { connect: { id: tag.id } } } })
      await prisma.post.delete({ where: { id: post.id } })
    })
    expect(
      entries.map(({ action, resource_id, details }) => [action, resource_id, details.target ?? null]),
    ).toEqual([
      ['post.disconnect', '[redacted]', { type: 'tag', id: String(tag.id) }],
      ['tag.disconnect', String(tag.id), { type: 'post', id: '[redacted]' }],
      ['post.connect', '[redacted]', { type: 'tag', id: String(tag.id) }],
      ['tag.connect', String(tag.id), { type: 'post', id: '[redacted]' }],
      ['post.delete', '[redacted]', null],
      ['comment.delete', expect.any(String), null],
      ['post.disconnect', '[redacted]', { type: 'tag', id: String(tag.id) }],
      ['tag.disconnect', String(tag.id), { type: 'post', id: '[redacted]' }],
    ])
    expect(await wholeLog()).not.toContain(post.id)
  })

  it('holds for rows that referential actions reach', async () => {
    const { user, post, comment } = await createPost(plain)
    const prisma = audited({ redact: { Post: ['title', 'authorId'], Comment: ['text'] } })
    await plain.comment.update({
      where: { id: comment.id },
      data: { text: 'hidden comment', userId: user.id },
    })
    await plain.post.update({ where: { id: post.id }, data: { title: 'hidden title' } })
    const entries = await db.changesOf(() => prisma.user.delete({ where: { id: user.id } }))
    const update = entries.find((entry) => entry.action === 'post.update')
    expect(update?.details).toEqual({
      operation: 'delete',
      cause: 'user.delete',
      before: { id: post.id, title: '[redacted]', views: 0, authorId: '[redacted]', reviewerId: null },
      after: { id: post.id, title: '[redacted]', views: 0, authorId: null, reviewerId: null },
      changed: ['authorId'],
    })
    const deletion = entries.find((entry) => entry.action === 'comment.delete')
    expect(deletion?.details.before).toEqual({
      id: comment.id,
      text: '[redacted]',
      postId: post.id,
      userId: user.id,
    })
    expect(await wholeLog()).not.toMatch(/hidden (title|comment)/)
  })

  it('holds for raw SQL, upserts and bulk writes', async () => {
    const prisma = audited({ redact: { Tag: ['name'] } })
    const name = unique('hidden')
    await db.changesOf(async () => {
      await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${`${name} raw`})`
      await prisma.$executeRawUnsafe(`UPDATE "Tag" SET name = '${name} literal' WHERE name = '${name} raw'`)
      await prisma.tag.createMany({ data: [{ name: `${name} many` }] })
      await prisma.tag.upsert({
        where: { name: `${name} many` },
        create: { name },
        update: { name: `${name} upserted` },
      })
      await prisma.tag.updateManyAndReturn({
        where: { name: { startsWith: name } },
        data: { name: `${name} bulk` },
        limit: 1,
      })
      await prisma.$queryRaw`DELETE FROM "Tag" WHERE name LIKE ${`${name}%`} RETURNING name`
    })
    expect(await wholeLog()).not.toContain(name)
  })

  it('holds where an update changes nothing else, with the snapshot changed', async () => {
    const prisma = audited({ redact: { Tag: ['name'] }, snapshot: 'changed' })
    const { id } = await plain.tag.create({ data: { name: unique('hidden') } })
    const [entry] = await db.changesOf(() =>
      prisma.tag.update({ where: { id }, data: { name: unique('hidden') } }),
    )
    expect(entry?.details).toEqual({
      operation: 'update',
      before: { name: '[redacted]' },
      after: { name: '[redacted]' },
      changed: ['name'],
    })
  })

  it('writes no entry when a redacted field is set to the value that it has', async () => {
    const prisma = audited({ redact: { Tag: ['name'] } })
    const { id, name } = await plain.tag.create({ data: { name: unique('same') } })
    expect(await db.changesOf(() => prisma.tag.update({ where: { id }, data: { name } }))).toEqual([])
  })

  it('leaves nothing of a value in the text of a statement that cannot be captured', async () => {
    const prisma = audited({ redact: { User: ['name'] } })
    await db.sql(`
      CREATE PROCEDURE take(value text) LANGUAGE sql AS 'INSERT INTO "Reading" VALUES (value, 1)';
      CREATE TABLE deposit (value text, number numeric)`)
    const secret = 'hunter2'
    const statements = [
      `WITH done AS (UPDATE users SET name = '${secret}' RETURNING 1) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES (E'\\x41${secret}', 4711.25)) SELECT '${secret}' /* ${secret} */ -- ${secret}`,
      `WITH done AS (INSERT INTO deposit VALUES ($$${secret}$$, -4711.25)) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES ($tag$${secret}$tag$)) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES ($t1$it's ${secret}$t1$)) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES (U&'${secret}')) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES (N'${secret}')) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES ('${secret}'\n'${secret}')) SELECT 1`,
      `WITH done AS (INSERT INTO deposit VALUES ('it''s ${secret}')) SELECT 1`,
      `DO $$ BEGIN UPDATE users SET name = '${secret}'; END $$`,
      `CALL take('${secret}')`,
      `CREATE TABLE made_with_default (value text DEFAULT '${secret}')`,
      `COMMENT ON TABLE deposit IS '${secret}'`,
      `CREATE FUNCTION gives_text() RETURNS text LANGUAGE sql AS $body$ SELECT '${secret}' $body$`,
    ]
    const entries = await db.changesOf(async () => {
      for (const statement of statements) await prisma.$executeRawUnsafe(statement)
    })
    expect(entries.map((entry) => entry.action)).toEqual(statements.map(() => 'raw.execute'))
    expect(await wholeLog()).not.toMatch(/hunter2|4711\.25/)
  })

  it('leaves nothing of a value in the text of a statement that nobody can read', async () => {
    const prisma = audited({})
    const since = await db.lastSeq()
    for (const statement of [
      `UPDATE users SET name = 'hunter2`,
      `UPDTE users SET name = 'hunter2'`,
      `UPDATE users SET name = $$hunter2`,
      `/* hunter2`,
      `UPDATE users SET name = hunter2'`,
    ]) {
      await expect(prisma.$executeRawUnsafe(statement)).rejects.toMatchObject({ code: 'P2010' })
    }
    const message = (text: string) => `P2010: Raw query failed. Code: \`42601\`. Message: \`${text}\``
    expect((await db.entries(since)).map(({ action, outcome, reason }) => [action, outcome, reason])).toEqual(
      [
        'unterminated quoted string at or near "[redacted]"',
        'syntax error at or near "UPDTE"', // the word itself is no value
        'unterminated dollar-quoted string at or near "[redacted]"',
        'unterminated /* comment at or near "[redacted]"',
        'unterminated quoted string at or near "[redacted]"',
      ].map((text) => ['raw.execute', 'failure', message(text)]),
    )
  })
})

describe('redactSecrets', () => {
  const secretNames = [
    ...['password', 'passwd', 'password_hash', 'hashedPassword', 'PASSPHRASE', 'secret', 'client_secret'],
    ...['private_key', 'privateKey', 'apiKey', 'API_KEY', 'token', 'access_token', 'refreshToken', 'otp'],
  ]
  const ordinary = [
    'token_count',
    'password_policy',
    'secretary',
    'pinned',
    'api_key_id',
    'tokens',
    'passwords',
  ]

  it('is on by default, for exact names whatever their case and underscores', async () => {
    const columns = [...secretNames, ...ordinary]
    await db.sql(
      `CREATE TABLE vault (${columns.map((name) => `"${name}" text DEFAULT 'hunter2'`).join(', ')})`,
    )
    const prisma = audited({})
    const [entry] = await db.changesOf(() => prisma.$executeRaw`INSERT INTO vault DEFAULT VALUES`)
    expect(entry?.details.after).toEqual({
      ...Object.fromEntries(secretNames.map((name) => [name, '[redacted]'])),
      ...Object.fromEntries(ordinary.map((name) => [name, 'hunter2'])),
    })
    await db.sql('DROP TABLE vault')
  })

  it('means field names of the model: passwordHash of User', async () => {
    const prisma = audited({})
    const email = unique('secret@')
    const entries = await db.changesOf(async () => {
      await prisma.user.create({ data: { email, passwordHash: 'first hash' } })
      await prisma.user.update({ where: { email }, data: { passwordHash: 'second hash' } })
      await prisma.user.update({ where: { email }, data: { passwordHash: null } })
    })
    expect(
      entries.map(({ details }) => [
        details.before?.passwordHash ?? null,
        details.after.passwordHash,
        details.changed?.includes('passwordHash') ?? null,
      ]),
    ).toEqual([
      [null, '[redacted]', null],
      ['[redacted]', '[redacted]', true],
      ['[redacted]', null, true],
    ])
    expect(await wholeLog()).not.toMatch(/(first|second) hash/)
  })

  it('false turns it off, and redact still works', async () => {
    const prisma = audited({ redactSecrets: false, redact: { User: ['name'] } })
    const [entry] = await db.changesOf(() =>
      prisma.user.create({ data: { email: unique('open@'), name: 'n', passwordHash: 'open hash' } }),
    )
    expect([entry?.details.after.passwordHash, entry?.details.after.name]).toEqual([
      'open hash',
      '[redacted]',
    ])
  })
})
