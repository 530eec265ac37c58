import { describe, expect, it } from 'vitest'
import { type AuditError, type AuditOptions, withAudit, withAuditContext } from '../../src/index.ts'
import { Prisma, type PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'
import { refusal } from '../support/errors.ts'

const db = await createDatabase()
const plain = createClient(db.url)
const clientWith = (options: AuditOptions<PrismaClient> = {}) => withAudit(createClient(db.url), options)
const prisma = clientWith()
const { revert } = prisma.$audit

/** The error of a revert, which must have written nothing. */
async function refusedRevert(work: () => Promise<unknown>): Promise<AuditError> {
  const since = await db.lastSeq()
  const error = await refusal(work)
  expect(await db.changes(since)).toEqual([])
  return error
}

describe.each([
  ['whole records', prisma],
  ['only what changed', clientWith({ snapshot: 'changed' })],
])('reverting an update, where entries hold %s', (_, client) => {
  it('puts the changed fields back and leaves the others as they are', async () => {
    const user = await client.user.create({ data: { email: `a${_}`, name: 'old' } })
    const update = () => client.user.update({ where: { id: user.id }, data: { name: 'new', level: 'HIGH' } })
    const { id } = await db.changeOf(update)
    await plain.$executeRaw`UPDATE users SET login_count = 7 WHERE id = ${user.id}`
    const context = { actor: { id: 'ada', type: 'user' }, reason: 'a mistake' } as const
    const [entry, ...others] = await withAuditContext(context, () => client.$audit.revert(id))
    expect(others).toEqual([])
    expect(entry).toMatchObject({
      action: 'user.update',
      actor: { id: 'ada', type: 'user' },
      resource: { type: 'user', id: String(user.id) },
      reason: 'a mistake',
      details: { revertOf: id, operation: 'updateMany' },
    })
    expect(entry?.changes.map(({ field, from, to }) => [field, from, to])).toEqual([
      ['name', 'new', 'old'],
      ['level', 'high level', 'low'],
      ['updatedAt', expect.any(String), user.updatedAt.toISOString()],
    ])
    expect(await plain.user.findUnique({ where: { id: user.id } })).toEqual({ ...user, loginCount: 7 })
  })

  it('puts a key back, and with it what had followed', async () => {
    const [from, to] = [`from ${_}`, `to ${_}`]
    await client.warehouse.create({ data: { code: from, city: 'c', shelves: { create: { number: 1 } } } })
    const [{ id }] = (await db.changesOf(() =>
      client.warehouse.update({ where: { code: from }, data: { code: to, city: 'd' } }),
    )) as [Entry]
    const written = await client.$audit.revert(id)
    expect(
      written.map(({ action, resource, details }) => [
        action,
        resource.id,
        details?.cause,
        details?.revertOf,
      ]),
    ).toEqual([
      ['warehouse.update', to, undefined, id],
      ['shelf.update', `["${to}","1"]`, 'warehouse.update', id],
    ])
    expect(await plain.warehouse.findMany({ where: { code: from }, include: { shelves: true } })).toEqual([
      { code: from, city: 'c', shelves: [{ warehouseCode: from, number: 1, label: null }] },
    ])
    const shelf = { warehouseCode: from, number: 1 }
    const renumber = () =>
      client.shelf.update({ where: { warehouseCode_number: shelf }, data: { number: 9, label: 'x' } })
    await client.$audit.revert((await db.changeOf(renumber)).id)
    expect(await plain.shelf.findMany({ where: { warehouseCode: from } })).toEqual([
      { ...shelf, label: null },
    ])
  })

  it('can be undone itself, and what it undid cannot be undone twice', async () => {
    const { id: tag } = await client.tag.create({ data: { name: `1${_}` } })
    const { id } = await db.changeOf(() => client.tag.update({ where: { id: tag }, data: { name: `2${_}` } }))
    const [first] = await client.$audit.revert(id)
    const error = await refusedRevert(() => client.$audit.revert(id))
    expect(error.code).toBe('AUDIT_REVERT_CONFLICT')
    expect(error.conflicts).toEqual([{ field: 'name', expected: `2${_}`, found: `1${_}` }])
    const [second] = await client.$audit.revert(first?.id ?? '')
    expect(second?.details?.revertOf).toBe(first?.id)
    expect(await plain.tag.findUnique({ where: { id: tag } })).toEqual({ id: tag, name: `2${_}` })
  })

  it('refuses to overwrite a later change, and does so when forced', async () => {
    const { id: tag } = await client.tag.create({ data: { name: `a${_}` } })
    const { id } = await db.changeOf(() => client.tag.update({ where: { id: tag }, data: { name: `b${_}` } }))
    await plain.tag.update({ where: { id: tag }, data: { name: `c${_}` } })
    const error = await refusedRevert(() => client.$audit.revert(id))
    expect(error.code).toBe('AUDIT_REVERT_CONFLICT')
    expect(error.message).toContain(`name: expected "b${_}", found "c${_}"`)
    expect(error.conflicts).toEqual([{ field: 'name', expected: `b${_}`, found: `c${_}` }])
    const [entry] = await client.$audit.revert(id, { force: true })
    expect(entry?.changes).toEqual([{ field: 'name', from: `c${_}`, to: `a${_}` }])
    expect(await client.$audit.revert(id, { force: true })).toEqual([])
    await plain.tag.delete({ where: { id: tag } })
    expect((await refusedRevert(() => client.$audit.revert(id))).code).toBe('AUDIT_REVERT_CONFLICT')
    const gone = await refusedRevert(() => client.$audit.revert(id, { force: true }))
    expect(gone.code).toBe('AUDIT_REVERT_REFUSED')
    expect(gone.message).toContain('no longer there')
  })

  it('creates a deleted record again as it was, each cascaded one by its own entry', async () => {
    const user = await client.user.create({
      data: { email: `d${_}`, updatedAt: new Date('2020-01-01'), createdAt: new Date('2019-01-01') },
    })
    const profile = await client.profile.create({ data: { bio: 'b', userId: user.id } })
    const entries = await db.changesOf(() => client.user.delete({ where: { id: user.id } }))
    for (const { id } of entries) {
      const [entry] = await client.$audit.revert(id)
      expect(entry?.details?.revertOf).toBe(id)
    }
    expect(await plain.user.findUnique({ where: { id: user.id } })).toEqual(user)
    expect(await plain.profile.findUnique({ where: { id: profile.id } })).toEqual(profile)
  })
})

describe('reverting', () => {
  it('is not held up by updatedAt or an ignored field, which change with everything', async () => {
    const client = clientWith({ ignore: { User: ['loginCount'] } })
    const { id: user } = await client.user.create({ data: { email: 'u', name: 'old' } })
    const { id } = await db.changeOf(() => client.user.update({ where: { id: user }, data: { name: 'new' } }))
    await client.user.update({ where: { id: user }, data: { level: 'HIGH', loginCount: 3 } })
    const between = await plain.user.findUniqueOrThrow({ where: { id: user } })
    await client.$audit.revert(id)
    const after = await plain.user.findUniqueOrThrow({ where: { id: user } })
    expect(after).toEqual({ ...between, name: 'old', updatedAt: expect.any(Date) })
    expect(after.updatedAt.getTime()).toBeGreaterThanOrEqual(between.updatedAt.getTime())
  })

  it('a creation deletes the record, unless it has changed', async () => {
    let tag = 0
    const create = async () => {
      tag = (await prisma.tag.create({ data: { name: 'mistake' } })).id
    }
    const [entry] = await revert((await db.changeOf(create)).id)
    expect(entry).toMatchObject({ action: 'tag.delete', before: { id: tag, name: 'mistake' } })
    const { id } = await db.changeOf(create)
    await plain.tag.update({ where: { id: tag }, data: { name: 'used' } })
    const error = await refusedRevert(() => revert(id))
    expect([error.code, error.conflicts]).toEqual([
      'AUDIT_REVERT_CONFLICT',
      [{ field: 'name', expected: 'mistake', found: 'used' }],
    ])
    expect(await revert(id, { force: true })).toHaveLength(1)
    expect(await plain.tag.findUnique({ where: { id: tag } })).toBeNull()
    expect(await refusedRevert(() => revert(id))).toMatchObject({
      code: 'AUDIT_REVERT_CONFLICT',
      conflicts: [{ field: 'id', expected: tag, found: null }],
    })
    expect(await revert(id, { force: true })).toEqual([])
  })

  it('a creation takes what hangs on the record with it, as any deletion does', async () => {
    const [{ id }] = (await db.changesOf(() =>
      prisma.user.create({ data: { email: 'cascade', profile: { create: { id: 'pr', bio: 'b' } } } }),
    )) as [Entry]
    const written = await revert(id)
    expect(written.map(({ action, details }) => [action, details?.cause, details?.revertOf])).toEqual([
      ['user.delete', undefined, id],
      ['profile.delete', 'user.delete', id],
    ])
  })

  it('a deletion finds a record that is there again, and overwrites it when forced', async () => {
    const tag = await prisma.tag.create({ data: { name: 'one' } })
    const { id } = await db.changeOf(() => prisma.tag.delete({ where: { id: tag.id } }))
    await plain.tag.create({ data: { id: tag.id, name: 'two' } })
    expect(await refusedRevert(() => revert(id))).toMatchObject({
      code: 'AUDIT_REVERT_CONFLICT',
      conflicts: [{ field: 'id', expected: null, found: tag.id }],
    })
    const [entry] = await revert(id, { force: true })
    expect(entry?.changes).toEqual([{ field: 'name', from: 'two', to: 'one' }])
  })

  it('puts values of every type back', async () => {
    const values = {
      boolean: true,
      smallint: -3,
      integer: 5,
      bigint: 2n ** 62n,
      real: 1.5,
      double: Number.NaN,
      decimal: new Prisma.Decimal('12345678901234567890.123'),
      numeric: new Prisma.Decimal('2.5'),
      money: new Prisma.Decimal('-1234.50'),
      text: 'é"\\',
      char: 'ab   ',
      uuid: '6f1d3a9e-0000-7000-8000-00000000000a',
      inet: '10.0.0.0/24',
      bit: '101',
      xml: '<a/>',
      level: 'HIGH' as const,
      timestamp: new Date('2026-01-02T03:04:05.678Z'),
      date: new Date('2026-01-02'),
      time: new Date('1970-01-01T01:02:03.004Z'),
      timetz: new Date('1970-01-01T01:02:03.004Z'),
      json: { a: [1, null, { b: 'x' }] },
      jsonb: 'text',
      bytes: new Uint8Array([0, 1, 255]),
      integers: [1, 2],
      bigints: [2n ** 62n],
      decimals: [new Prisma.Decimal('1.5')],
      texts: ['a', ''],
      levels: ['LOW', 'HIGH'] as ('LOW' | 'HIGH')[],
      timestamps: [new Date('2026-01-02T03:04:05.678Z')],
      dates: [new Date('2026-01-02')],
      jsons: [{ a: 1 }, 'x', [null]],
      blobs: [new Uint8Array([7])],
      uuids: ['6f1d3a9e-0000-7000-8000-00000000000a'],
    }
    const row = await prisma.everything.create({ data: values })
    const empty = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        Array.isArray(value) ? [] : name.startsWith('json') ? Prisma.DbNull : null,
      ]),
    )
    const cleared = await db.changeOf(() => prisma.everything.update({ where: { id: row.id }, data: empty }))
    const [back] = await revert(cleared.id)
    expect(await plain.everything.findUnique({ where: { id: row.id } })).toStrictEqual(row)
    await revert(back?.id ?? '')
    await revert((await db.changes()).at(-1)?.id ?? '')
    const removed = await db.changeOf(() => prisma.everything.delete({ where: { id: row.id } }))
    await revert(removed.id)
    expect(await plain.everything.findUnique({ where: { id: row.id } })).toStrictEqual(row)
    const text = `SELECT row_to_json(e)::text AS row FROM "Everything" e WHERE id = $1`
    const [stored] = await db.sql<{ row: string }>(text, [row.id])
    expect(stored?.row).toContain('"jsonb":"text"')
  })

  it('puts null back into Json fields: of the database where it can be, else of JSON', async () => {
    const own = await createDatabase()
    await own.sql('ALTER TABLE "Everything" ALTER COLUMN json SET NOT NULL')
    const client = withAudit(createClient(own.url))
    const required = await client.everything.create({ data: { json: Prisma.JsonNull } })
    await client.everything.update({ where: { id: required.id }, data: { json: { a: 1 } } })
    await client.$audit.revert((await own.changes()).at(-1)?.id ?? '')
    expect(await own.sql('SELECT json::text AS json FROM "Everything"')).toEqual([{ json: 'null' }])
    const { id } = await prisma.everything.create({ data: {} })
    const entry = await db.changeOf(() =>
      prisma.everything.update({ where: { id }, data: { jsonb: { a: 1 } } }),
    )
    await revert(entry.id)
    const isNull = `SELECT jsonb IS NULL AS "isNull" FROM "Everything" WHERE id = $1`
    expect(await db.sql(isNull, [id])).toEqual([{ isNull: true }])
  })

  it('a link unlinks, an unlinking links again, on both sides', async () => {
    await prisma.post.create({
      data: { id: 'linked', title: 't', tags: { create: { id: 77, name: 'link' } } },
    })
    const links = () => db.sql(`SELECT "A", "B" FROM "_PostToTag" WHERE "A" = 'linked'`)
    const [connect] = await db.changesOf(() =>
      prisma.post.update({ where: { id: 'linked' }, data: { tags: { disconnect: { id: 77 } } } }),
    )
    const written = await revert(connect?.id ?? '')
    expect(written.map(({ action, resource, details }) => [action, resource.id, details?.revertOf])).toEqual([
      ['post.connect', 'linked', connect?.id],
      ['tag.connect', '77', connect?.id],
    ])
    expect(await links()).toEqual([{ A: 'linked', B: 77 }])
    const again = await refusedRevert(() => revert(connect?.id ?? ''))
    expect([again.code, again.conflicts]).toEqual([
      'AUDIT_REVERT_CONFLICT',
      [{ field: 'tags', expected: null, found: '77' }],
    ])
    expect(await revert(connect?.id ?? '', { force: true })).toEqual([])
    // from the other side
    const [, tagConnect] = written
    expect(await revert(tagConnect?.id ?? '')).toHaveLength(2)
    expect(await links()).toEqual([])
    expect((await refusedRevert(() => revert(written[0]?.id ?? ''))).message).toContain(
      'no longer linked to tag 77',
    )
  })

  it('a link of a model to itself goes the right way round', async () => {
    for (const id of [501, 502]) await prisma.user.create({ data: { id, email: `f${id}` } })
    const entries = await db.changesOf(() =>
      prisma.user.update({
        where: { id: 501 },
        data: { updatedAt: new Date(0), friends: { connect: { id: 502 } } },
      }),
    )
    const connect = entries.find(
      ({ action, resource_id }) => action === 'user.connect' && resource_id === '501',
    )
    expect(connect?.details.relation).toBe('friends')
    await revert(connect?.id ?? '')
    expect(await db.sql('SELECT * FROM _friendship')).toEqual([])
  })

  it('works in a transaction, and commits or rolls back with it, also with one connection', async () => {
    const single = withAudit(createClient(db.url, { max: 1 }))
    const { id: tag } = await single.tag.create({ data: { name: 'before' } })
    const { id } = await db.changeOf(() => single.tag.update({ where: { id: tag }, data: { name: 'after' } }))
    const rolledBack = single.$transaction(async (tx) => {
      expect(await tx.$audit.revert(id)).toHaveLength(1)
      expect(await tx.tag.findUnique({ where: { id: tag } })).toEqual({ id: tag, name: 'before' })
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    expect(await plain.tag.findUnique({ where: { id: tag } })).toEqual({ id: tag, name: 'after' })
    expect(await single.$audit.revert(id)).toHaveLength(1)
    await plain.tag.delete({ where: { id: tag } })
  })

  it('does not go through extensions that were added after the audit: entries have what they wrote', async () => {
    const shouting = prisma.$extends({
      query: {
        tag: {
          $allOperations: ({ args, query }) => {
            const { data } = args as { data?: { name?: string } }
            if (data?.name) data.name = data.name.toUpperCase()
            return query(args)
          },
          createMany: ({ args, query }) =>
            query({
              ...args,
              data: [args.data].flat().map((one) => ({ ...one, name: one.name.toUpperCase() })),
            }),
        },
      },
    })
    await prisma.tag.create({ data: { id: 880, name: 'quiet' } })
    const { id } = await db.changeOf(() => prisma.tag.delete({ where: { id: 880 } }))
    await shouting.$transaction(async (tx) => (tx as unknown as typeof prisma).$audit.revert(id))
    expect(await plain.tag.findUnique({ where: { id: 880 } })).toEqual({ id: 880, name: 'quiet' })
  })

  it('gives the error of Prisma where the database refuses, and writes nothing', async () => {
    await prisma.post.create({ data: { id: 'fk', title: 't' } })
    const comment = await prisma.comment.create({ data: { text: 'c', postId: 'fk' } })
    const { id } = await db.changeOf(() => prisma.comment.delete({ where: { id: comment.id } }))
    await plain.post.delete({ where: { id: 'fk' } })
    await expect(revert(id)).rejects.toMatchObject({ code: 'P2003' })
    await prisma.tag.create({ data: { id: 990, name: 'taken' } })
    const deletion = await db.changeOf(() => prisma.tag.delete({ where: { id: 990 } }))
    await plain.tag.create({ data: { id: 991, name: 'taken' } })
    await expect(revert(deletion.id)).rejects.toMatchObject({ code: 'P2002' })
  })

  it('by two at once undoes it once', async () => {
    const { id: tag } = await prisma.tag.create({ data: { name: 'race 1' } })
    const { id } = await db.changeOf(() =>
      prisma.tag.update({ where: { id: tag }, data: { name: 'race 2' } }),
    )
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => revert(id)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'AUDIT_REVERT_CONFLICT' })
    }
    const reverts = (await db.changes()).filter(({ details }) => details.revertOf === id)
    expect(reverts).toHaveLength(1)
  })

  it('marks only the entries of the revert', async () => {
    const { id: tag } = await prisma.tag.create({ data: { name: 'm1' } })
    const { id } = await db.changeOf(() => prisma.tag.update({ where: { id: tag }, data: { name: 'm2' } }))
    await prisma.$transaction(async (tx) => {
      await Promise.all([
        tx.$audit.revert(id),
        tx.country.upsert({ where: { code: 'ZZ' }, create: { code: 'ZZ', name: 'z' }, update: {} }),
      ])
      await tx.country.delete({ where: { code: 'ZZ' } })
    })
    const entries = (await db.changes()).slice(-3)
    expect(Object.fromEntries(entries.map(({ action, details }) => [action, details.revertOf]))).toEqual({
      'tag.update': id,
      'country.create': undefined,
      'country.delete': undefined,
    })
  })
})

describe('reverting is refused', () => {
  const insert = async (values: Record<string, unknown>): Promise<string> => {
    const [row] = await db.sql<{ id: string }>(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, outcome, details)
       VALUES (gen_random_uuid(), $1, 'x', 'user', $2, $3, $4, $5) RETURNING id`,
      [values.action, values.type, values.id ?? null, values.outcome ?? 'success', values.details ?? null],
    )
    return row?.id ?? ''
  }
  const reasonOf = async (id: string, client = prisma) => {
    const error = await refusedRevert(() => client.$audit.revert(id, { force: true }))
    expect(error.code).toBe('AUDIT_REVERT_REFUSED')
    return error.message
  }

  it('for what is no change that can be undone', async () => {
    expect(await reasonOf('nonsense')).toContain('a UUID')
    expect(await reasonOf(undefined as unknown as string)).toContain('a UUID')
    expect(await reasonOf('01a20c1d-7167-7650-9c9e-e7c23e5ccf68')).toContain('no such entry')
    expect(await reasonOf(await insert({ action: 'user.login', type: 'user', id: '1' }))).toContain(
      'not a change',
    )
    expect(
      await reasonOf(await insert({ action: 'tag.delete', type: 'tag', id: '1', outcome: 'failure' })),
    ).toContain('failed')
    expect(await reasonOf(await insert({ action: 'thing.delete', type: 'thing', id: '1' }))).toContain(
      'no model for thing',
    )
    expect(await reasonOf(await insert({ action: 'tag.delete', type: 'tag', id: '1' }))).toContain(
      'no state before',
    )
    expect(await reasonOf(await insert({ action: 'tag.delete', type: 'tag' }))).toContain('primary key')
    const reading = await db.changeOf(() => prisma.reading.create({ data: { sensor: 's', value: 1 } }))
    expect(await reasonOf(reading.id)).toContain('primary key')
  })

  it('for redacted values, by the names of their fields', async () => {
    const { id: user } = await prisma.user.create({ data: { email: 'r', passwordHash: 'one' } })
    const update = await db.changeOf(() =>
      prisma.user.update({ where: { id: user }, data: { name: 'n', passwordHash: 'two' } }),
    )
    expect(await reasonOf(update.id)).toContain('passwordHash, because it is redacted')
    const deletion = await db.changeOf(() => prisma.user.delete({ where: { id: user } }))
    expect(await reasonOf(deletion.id)).toContain('passwordHash, because it is redacted')
  })

  it('for fields that are gone, and for a record whose model is not in the log', async () => {
    const { id: tag } = await prisma.tag.create({ data: { name: 'g' } })
    const details = { before: { colour: 'red' }, after: { colour: 'blue' }, changed: ['colour'] }
    expect(
      await reasonOf(await insert({ action: 'tag.update', type: 'tag', id: String(tag), details })),
    ).toContain('no longer has the field colour')
    const before = { id: 99_999, name: 'g9', colour: 'red' }
    expect(
      await reasonOf(await insert({ action: 'tag.delete', type: 'tag', id: '99999', details: { before } })),
    ).toContain('no longer has the field colour')
    const { id } = await db.changeOf(() => prisma.tag.update({ where: { id: tag }, data: { name: 'h' } }))
    expect(await reasonOf(id, clientWith({ models: { exclude: ['Tag'] } }))).toContain(
      'would not be recorded',
    )
  })

  it('for values that Prisma cannot write', async () => {
    const { id } = await prisma.everything.create({ data: {} })
    await prisma.$executeRaw`UPDATE "Everything" SET timestamp = 'infinity' WHERE id = ${id}`
    const infinity = await db.changeOf(() =>
      prisma.everything.update({ where: { id }, data: { timestamp: null } }),
    )
    expect(await reasonOf(infinity.id)).toContain('can\'t write "infinity" into timestamp')
    await prisma.$executeRaw`UPDATE "Everything" SET timetz = '12:00+02' WHERE id = ${id}`
    const offset = await db.changeOf(() =>
      prisma.everything.update({ where: { id }, data: { timetz: null } }),
    )
    expect(await reasonOf(offset.id)).toContain('the offset of "12:00:00+02"')
  })

  it('leaves what the database computes to it, and refuses an id that only the database makes', async () => {
    const own = await createDatabase()
    await own.sql(`
      ALTER TABLE "Tag" ADD COLUMN length int GENERATED ALWAYS AS (char_length(name)) STORED;
      ALTER TABLE "Stamped" ALTER COLUMN id DROP DEFAULT; ALTER TABLE "Stamped" ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY`)
    const client = withAudit(createClient(own.url))
    const last = async () => (await own.changes()).at(-1)?.id ?? ''
    await client.tag.create({ data: { id: 1, name: 'one' } })
    await client.tag.update({ where: { id: 1 }, data: { name: 'three' } })
    const [update] = await client.$audit.revert(await last())
    expect(update?.changes.map(({ field }) => field)).toEqual(['name', 'length'])
    await client.tag.delete({ where: { id: 1 } })
    const [created] = await client.$audit.revert(await last())
    expect(created?.after).toEqual({ id: 1, name: 'one', length: 3 })
    await client.stamped.create({ data: {} })
    await client.stamped.deleteMany()
    await expect(client.$audit.revert(await last())).rejects.toThrow(/always generates id itself/)
  })
})

describe('a redacted field that was empty before', () => {
  it('is emptied again when no later entry says that it changed', async () => {
    const { id: user } = await prisma.user.create({ data: { email: 'e' } })
    const set = () => prisma.user.update({ where: { id: user }, data: { passwordHash: 'one' } })
    const { id } = await db.changeOf(set)
    await prisma.user.update({ where: { id: user }, data: { passwordHash: 'two' } })
    const error = await refusedRevert(() => revert(id))
    expect([error.code, error.conflicts]).toEqual([
      'AUDIT_REVERT_CONFLICT',
      [{ field: 'passwordHash', expected: '[redacted]', found: '[redacted]' }],
    ])
    await revert(id, { force: true })
    expect((await plain.user.findUnique({ where: { id: user } }))?.passwordHash).toBeNull()
    const again = await db.changeOf(set)
    await revert(again.id)
    expect((await plain.user.findUnique({ where: { id: user } }))?.passwordHash).toBeNull()
  })
})

describe('reverting an event that has a record before and after, and does not say what changed', () => {
  it('puts back the fields that its entry shows as changed', async () => {
    const user = await prisma.user.create({ data: { email: 'event@', name: 'new', loginCount: 7 } })
    const event = await prisma.$audit.record({
      action: 'user.update',
      resource: { type: 'user', id: user.id },
      details: {
        before: { id: user.id, name: 'old', level: 'low', loginCount: 3 },
        after: { level: 'low', name: 'new', id: user.id },
      },
    })
    expect(event.changes).toEqual([
      { field: 'name', from: 'old', to: 'new' },
      { field: 'loginCount', from: 3, to: null },
    ])
    const [entry] = await revert(event.id)
    expect(entry?.changes).toEqual([
      { field: 'name', from: 'new', to: 'old' },
      { field: 'loginCount', from: 7, to: 3 },
      { field: 'updatedAt', from: expect.any(String), to: expect.any(String) },
    ])
  })
})
