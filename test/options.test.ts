import { describe, expect, it } from 'vitest'
import { migrationFor } from '../src/cli/migration.ts'
import { AuditError, type AuditOptions, withAudit } from '../src/index.ts'
import { parseTableName } from '../src/postgres/identifiers.ts'
import type { PrismaClient } from './generated/client/client.ts'
import { createClient, createDatabase, type Entry } from './support/database.ts'

const db = await createDatabase()
const audited = (options: AuditOptions<PrismaClient>) => withAudit(createClient(db.url), options)
const plain = createClient(db.url)

let counter = 0
const unique = (prefix: string) => `${prefix}-${++counter}`

async function entriesOf(work: () => PromiseLike<unknown>): Promise<Entry[]> {
  const since = await db.lastSeq()
  await work()
  return db.changes(since)
}

function steps(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entry.action} ${entry.resource_id}`)
}

/** Every column of the log as one text. */
async function wholeLog(): Promise<string> {
  const rows = await db.sql<{ entry: string }>('SELECT to_jsonb(l)::text AS entry FROM audit_logs l')
  return rows.map((row) => row.entry).join('\n')
}

/** A user with a post, which has a tag and a comment; by the unaudited client. */
function createUser() {
  return plain.user.create({
    data: {
      email: unique('user@'),
      name: 'Ada',
      posts: {
        create: {
          title: 'post',
          comments: { create: { text: 'c' } },
          tags: { create: { name: unique('tag') } },
        },
      },
    },
    include: { posts: { include: { tags: true, comments: true } } },
  })
}

async function createPost() {
  const user = await createUser()
  const [post] = user.posts
  const [tag, comment] = [post?.tags[0], post?.comments[0]]
  if (!post || !tag || !comment) throw new Error('the post is complete')
  return { user, post, tag, comment }
}

describe('models', () => {
  it('are all recorded by default, and the log itself never is', async () => {
    const prisma = audited({})
    const entries = await entriesOf(async () => {
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.auditLog.create({
        data: {
          id: crypto.randomUUID(),
          action: 'own.entry',
          actorId: 'x',
          actorType: 'user',
          resourceType: 'own',
        },
      })
      await prisma.$executeRaw`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
        VALUES (gen_random_uuid(), 'own.raw', 'x', 'user', 'own')`
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create', 'own.entry', 'own.raw'])
  })

  it('records a table that no model knows under its own name, with its column names', async () => {
    await db.sql('CREATE TABLE no_model (id int PRIMARY KEY, some_text text)')
    const prisma = audited({})
    const entries = await entriesOf(() => prisma.$executeRaw`INSERT INTO no_model VALUES (1, 'x')`)
    expect(entries.map(({ action, resource_id, details }) => [action, resource_id, details.after])).toEqual([
      ['no_model.create', '1', { id: 1, some_text: 'x' }],
    ])
  })

  it('include: only these, and no table without a model', async () => {
    await db.sql('CREATE TABLE IF NOT EXISTS neither (id int)')
    const prisma = audited({ models: { include: ['Tag'] } })
    const entries = await entriesOf(async () => {
      await prisma.category.create({ data: { name: 'c' } })
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.$executeRaw`INSERT INTO neither VALUES (1)`
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create'])
  })

  it('include with an empty list records nothing', async () => {
    const prisma = audited({ models: { include: [] } })
    expect(await entriesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))).toEqual([])
  })

  it('exclude: all but these', async () => {
    const prisma = audited({ models: { exclude: ['Tag', 'Country'] } })
    const entries = await entriesOf(async () => {
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.tag.updateMany({ data: { name: 'x' }, where: { id: -1 } })
      await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('tag')})`
      await prisma.category.create({ data: { name: 'c' } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['category.create'])
  })

  it('an excluded side of a link has no entry, and the other side has', async () => {
    const { post, tag } = await createPost()
    const run = (options: AuditOptions<PrismaClient>) =>
      entriesOf(async () => {
        const prisma = audited(options)
        await prisma.post.update({ where: { id: post.id }, data: { tags: { disconnect: { id: tag.id } } } })
        await prisma.post.update({ where: { id: post.id }, data: { tags: { connect: { id: tag.id } } } })
      })
    expect(steps(await run({ models: { exclude: ['Tag'] } }))).toEqual([
      `post.disconnect ${post.id}`,
      `post.connect ${post.id}`,
    ])
    expect(steps(await run({ models: { include: ['Tag'] } }))).toEqual([
      `tag.disconnect ${tag.id}`,
      `tag.connect ${tag.id}`,
    ])
    expect(steps(await run({ models: { exclude: ['Tag', 'Post'] } }))).toEqual([])
  })

  it('an excluded model has no entry when a cascade reaches it', async () => {
    const { post, tag } = await createPost()
    const prisma = audited({ models: { exclude: ['Comment'] } })
    const entries = await entriesOf(() => prisma.post.delete({ where: { id: post.id } }))
    expect(steps(entries)).toEqual([
      `post.delete ${post.id}`,
      `post.disconnect ${post.id}`,
      `tag.disconnect ${tag.id}`,
    ])
  })

  it('a cascade from an excluded model has entries for the models it reaches, with its cause', async () => {
    const { post, tag, comment } = await createPost()
    const prisma = audited({ models: { exclude: ['Post'] } })
    const entries = await entriesOf(() => prisma.post.delete({ where: { id: post.id } }))
    expect(steps(entries).sort()).toEqual([`comment.delete ${comment.id}`, `tag.disconnect ${tag.id}`])
    expect(entries.map((entry) => entry.details.cause)).toEqual(['post.delete', 'post.delete'])
  })

  it('a cascade through an excluded model goes on behind it', async () => {
    await plain.warehouse.create({
      data: {
        code: 'through',
        city: 'Here',
        shelves: { create: { number: 1, boxes: { create: { content: 'books' } } } },
      },
    })
    const prisma = audited({ models: { exclude: ['Shelf'] } })
    const entries = await entriesOf(() =>
      prisma.warehouse.update({ where: { code: 'through' }, data: { code: 'behind' } }),
    )
    expect(entries.map(({ action, details }) => [action, details.changed, details.cause ?? null])).toEqual([
      ['warehouse.update', ['code'], null],
      ['box.update', ['warehouseCode'], 'warehouse.update'],
    ])
  })
})

describe('redact', () => {
  it('shows [redacted] for a value and null for null, and still lists the field as changed', async () => {
    const prisma = audited({ redact: { User: ['name', 'loginCount'] } })
    const email = unique('redact@')
    const entries = await entriesOf(async () => {
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
    const entries = await entriesOf(async () => {
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
    const [entry] = await entriesOf(() =>
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
    const entries = await entriesOf(async () => {
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
    const { post, tag } = await createPost()
    const prisma = audited({ redact: { Post: ['id'], Comment: ['postId'] } })
    const entries = await entriesOf(async () => {
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
    const { user, post, comment } = await createPost()
    const prisma = audited({ redact: { Post: ['title', 'authorId'], Comment: ['text'] } })
    await plain.comment.update({
      where: { id: comment.id },
      data: { text: 'hidden comment', userId: user.id },
    })
    await plain.post.update({ where: { id: post.id }, data: { title: 'hidden title' } })
    const entries = await entriesOf(() => prisma.user.delete({ where: { id: user.id } }))
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
    await entriesOf(async () => {
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
    const [entry] = await entriesOf(() =>
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
    expect(await entriesOf(() => prisma.tag.update({ where: { id }, data: { name } }))).toEqual([])
  })

  it('leaves nothing of a value in the text of a statement that can not be captured', async () => {
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
      `CREATE FUNCTION f_${counter}() RETURNS text LANGUAGE sql AS $body$ SELECT '${secret}' $body$`,
    ]
    const entries = await entriesOf(async () => {
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
    const message = (text: string) =>
      `P2010: Raw query failed. Code: \`42601\`. Message: \`${text} at or near "[redacted]"\``
    expect((await db.entries(since)).map(({ action, outcome, reason }) => [action, outcome, reason])).toEqual(
      [
        'unterminated quoted string',
        'syntax error',
        'unterminated dollar-quoted string',
        'unterminated /* comment',
        'unterminated quoted string',
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
    const [entry] = await entriesOf(() => prisma.$executeRaw`INSERT INTO vault DEFAULT VALUES`)
    expect(entry?.details.after).toEqual({
      ...Object.fromEntries(secretNames.map((name) => [name, '[redacted]'])),
      ...Object.fromEntries(ordinary.map((name) => [name, 'hunter2'])),
    })
    await db.sql('DROP TABLE vault')
  })

  it('means field names of the model: passwordHash of User', async () => {
    const prisma = audited({})
    const email = unique('secret@')
    const entries = await entriesOf(async () => {
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
    const [entry] = await entriesOf(() =>
      prisma.user.create({ data: { email: unique('open@'), name: 'n', passwordHash: 'open hash' } }),
    )
    expect([entry?.details.after.passwordHash, entry?.details.after.name]).toEqual([
      'open hash',
      '[redacted]',
    ])
  })
})

describe('ignore', () => {
  it('writes no entry when only ignored fields changed', async () => {
    const prisma = audited({ ignore: { User: ['loginCount', 'updatedAt'] } })
    const { id } = await createUser()
    const entries = await entriesOf(async () => {
      await prisma.user.update({ where: { id }, data: { loginCount: { increment: 1 } } })
      await prisma.user.updateMany({ where: { id }, data: { loginCount: 9 } })
      await prisma.$executeRaw`UPDATE users SET login_count = 10, updated_at = now() WHERE id = ${id}`
    })
    expect(entries).toEqual([])
    expect((await plain.user.findUniqueOrThrow({ where: { id } })).loginCount).toBe(10)
  })

  it('never lists them in changed, and shows their values where something else changed', async () => {
    const prisma = audited({ ignore: { '*': ['updatedAt'], User: ['loginCount'] } })
    const { id } = await createUser()
    const [entry] = await entriesOf(() =>
      prisma.user.update({ where: { id }, data: { name: 'changed', loginCount: 5 } }),
    )
    expect(entry?.details.changed).toEqual(['name'])
    expect([entry?.details.before.loginCount, entry?.details.after.loginCount]).toEqual([0, 5])
  })

  it('still records creates and deletes of the record', async () => {
    const prisma = audited({ ignore: { Tag: ['name'] } })
    const name = unique('tag')
    const entries = await entriesOf(async () => {
      await prisma.tag.create({ data: { name } })
      await prisma.tag.update({ where: { name }, data: { name: `${name}!` } })
      await prisma.tag.delete({ where: { name: `${name}!` } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create', 'tag.delete'])
  })

  it('holds for upserts, and for tables with a BEFORE UPDATE trigger', async () => {
    const prisma = audited({ ignore: { Translation: ['revision'], Stamped: ['stampedAt'] } })
    const key = unique('ignore')
    const upsert = () =>
      prisma.translation.upsert({
        where: { key_language: { key, language: 'en' } },
        create: { key, language: 'en', text: key },
        update: { revision: { increment: 1 } },
      })
    const { id } = await plain.stamped.create({ data: {} })
    const entries = await entriesOf(async () => {
      await upsert()
      await upsert()
      await prisma.stamped.update({ where: { id }, data: { counter: 0 } })
      await prisma.stamped.update({ where: { id }, data: { counter: 1 } })
    })
    expect(entries.map(({ action, details }) => [action, details.changed ?? null])).toEqual([
      ['translation.create', null],
      ['stamped.update', ['counter']],
    ])
  })

  it('holds for rows that referential actions reach', async () => {
    const { user } = await createPost()
    const prisma = audited({ ignore: { Post: ['authorId'] } })
    const entries = await entriesOf(() => prisma.user.delete({ where: { id: user.id } }))
    expect(entries.map((entry) => entry.action)).toEqual(['user.delete'])
  })
})

describe('snapshot', () => {
  it("'changed' keeps the changed fields of an update, and whole rows of creates and deletes", async () => {
    const prisma = audited({ snapshot: 'changed', ignore: { '*': ['updatedAt'] } })
    const entries = await entriesOf(async () => {
      await prisma.country.create({ data: { code: 'SA', name: 's', population: 1n } })
      await prisma.country.update({ where: { code: 'SA' }, data: { name: 't', population: 1n } })
      await prisma.country.update({ where: { code: 'SA' }, data: { name: 't' } })
      await prisma.country.delete({ where: { code: 'SA' } })
    })
    expect(entries.map((entry) => entry.details)).toEqual([
      { operation: 'create', after: { code: 'SA', name: 's', population: '1' } },
      { operation: 'update', before: { name: 's' }, after: { name: 't' }, changed: ['name'] },
      { operation: 'delete', before: { code: 'SA', name: 't', population: '1' } },
    ])
  })

  it("'changed' holds for rows that referential actions reach", async () => {
    const { user, post } = await createPost()
    const prisma = audited({ snapshot: 'changed' })
    const entries = await entriesOf(() => prisma.user.delete({ where: { id: user.id } }))
    expect(entries.find((entry) => entry.resource_id === post.id)?.details).toEqual({
      operation: 'delete',
      cause: 'user.delete',
      before: { authorId: user.id },
      after: { authorId: null },
      changed: ['authorId'],
    })
  })
})

describe('table', () => {
  it.each([
    ['audit.log', '"audit"."log"'],
    ['"Audit Trail"."The.Log"', '"Audit Trail"."The.Log"'],
    ['"with ""quotes"""', '"with ""quotes"""'],
    [String.raw`"it's a \ log"`, String.raw`"it's a \ log"`],
    ['Trail', '"Trail"'],
  ])('writes to %s', async (table, quoted) => {
    await db.sql(await migrationFor(parseTableName(table)))
    const prisma = audited({ table })
    const name = unique('tag')
    const elsewhere = await entriesOf(async () => {
      await prisma.$audit.verify()
      await prisma.tag.create({ data: { name } })
      await prisma.$executeRaw`TRUNCATE "Reading"`
      await prisma.$executeRawUnsafe(
        `INSERT INTO ${quoted} (id, action, actor_id, actor_type, resource_type) VALUES (gen_random_uuid(), 'own.entry', 'x', 'user', 'own')`,
      )
    })
    expect(elsewhere).toEqual([])
    const entries = await db.sql(
      `SELECT action, details -> 'after' ->> 'name' AS name FROM ${quoted} ORDER BY seq`,
    )
    expect(entries).toEqual([
      { action: 'tag.create', name },
      { action: 'raw.execute', name: null },
      { action: 'own.entry', name: null },
    ])
    await expect(db.sql(`DELETE FROM ${quoted}`)).rejects.toMatchObject({ code: 'ZA001' })
  })

  it('without a schema is the one that the connection finds first', async () => {
    await db.sql('CREATE SCHEMA first')
    await db.sql(await migrationFor({ schema: 'first', name: 'audit_logs' }))
    const url = new URL(db.url)
    url.searchParams.set('options', '-c search_path=first,public')
    const prisma = withAudit(createClient(url.toString()))
    const elsewhere = await entriesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))
    expect(elsewhere).toEqual([])
    expect(await db.sql('SELECT action FROM first.audit_logs')).toEqual([{ action: 'tag.create' }])
  })

  it('that is not there is an error with the fix, and nothing is written', async () => {
    const prisma = audited({ table: 'nowhere.log' })
    const name = unique('tag')
    const error = await prisma.tag.create({ data: { name } }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AuditError)
    expect(error).toMatchObject({ code: 'AUDIT_TABLE_MISSING' })
    expect((error as AuditError).message).toMatch(/"nowhere"\."log".*migrate deploy/)
    expect(await plain.tag.findUnique({ where: { name } })).toBeNull()
  })
})

describe('options that can not be used are refused, with what they may be', () => {
  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { redactt: {} }, /redactt/],
    ['an unknown model in include', { models: { include: ['Usr'] } }, /"Usr".*Its models are .*User/],
    ['a table instead of a model', { models: { exclude: ['users'] } }, /"users"/],
    ["a client's property instead of a model", { models: { exclude: ['user'] } }, /"user"/],
    ['include and exclude at once', { models: { include: [], exclude: [] } }, /models/],
    ['models as a list', { models: ['User'] }, /models/],
    ['an unknown model in redact', { redact: { Usr: ['name'] } }, /redact.*"Usr"/],
    ['an unknown field in redact', { redact: { User: ['nam'] } }, /redact.*"nam" of User/],
    [
      'a column instead of a field in redact',
      { redact: { User: ['password_hash'] } },
      /"password_hash" of User/,
    ],
    ["another model's field in redact", { redact: { User: ['title'] } }, /"title" of User/],
    ['a relation in redact', { redact: { User: ['posts'] } }, /"posts" of User.*scalar/],
    ["an unknown field under '*'", { redact: { '*': ['nam'] } }, /"nam" of any model/],
    ['an unknown field in ignore', { ignore: { User: ['updated'] } }, /ignore.*"updated" of User/],
    ['an unknown model in reads', { reads: ['Nobody'] }, /reads.*"Nobody"/],
    ['an unknown snapshot', { snapshot: 'diff' }, /"full"\|"changed"/],
    ['an unknown uncapturable', { uncapturable: 'ignore' }, /"record"\|"throw"/],
    ['a context that is no function', { context: { actor: {} } }, /context/],
    ['an onError that is no function', { onError: true }, /onError/],
    ['an actor without an id', { actor: { type: 'user' } }, /actor\.id/],
    ['an actor of an unknown type', { actor: { id: 'x', type: 'robot' } }, /"user"\|"system"\|"api_key"/],
    ['a redactSecrets that is no boolean', { redactSecrets: 'no' }, /redactSecrets/],
    ['an empty table', { table: '' }, /table/],
    ['a table of three parts', { table: 'a.b.c' }, /"name" or "schema\.name"/],
    ['a table with a space and no quotes', { table: 'audit log' }, /double quotes/],
    ['a table with an open quote', { table: '"audit' }, /"name" or "schema\.name"/],
    ['a table with SQL in it', { table: 'x"; DROP TABLE users; --' }, /"name" or "schema\.name"/],
    ['a table longer than 63 bytes', { table: 'é'.repeat(32) }, /63 bytes/],
    ['no options object', 'audit_logs', /options/],
  ])('%s', (_, options, message) => {
    const wrap = () => withAudit(createClient(db.url), options as AuditOptions<PrismaClient>)
    expect(wrap).toThrow(AuditError)
    expect(wrap).toThrow(message)
    expect(wrap).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }))
  })

  it('a client whose options were refused can still be wrapped, and is not audited until then', async () => {
    const client = createClient(db.url)
    expect(() => withAudit(client, { table: '' })).toThrow(AuditError)
    const since = await db.lastSeq()
    const prisma = withAudit(client)
    await prisma.tag.create({ data: { name: unique('tag') } })
    expect((await db.entries(since)).map((entry) => entry.action)).toEqual(['tag.create'])
  })
})
