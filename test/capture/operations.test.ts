import { beforeEach, describe, expect, it } from 'vitest'
import { brief, briefSorted, createAudited } from './audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { db, prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

const at = new Date('2026-01-02T03:04:05.006Z')
const user = (id: number, more = {}) => ({ id, email: `u${id}@x.org`, createdAt: at, updatedAt: at, ...more })

describe('create', () => {
  it('records the whole row under the field names of the schema, whatever was given', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({ data: { email: 'ada@x.org', level: 'HIGH', createdAt: at, updatedAt: at } }),
    )
    expect(entries).toEqual([
      {
        action: 'user.create',
        id: '1',
        operation: 'create',
        after: {
          id: 1,
          email: 'ada@x.org',
          name: null,
          level: 'high level', // the label stored in the database
          passwordHash: null,
          loginCount: 0,
          createdAt: '2026-01-02T03:04:05.006Z',
          updatedAt: '2026-01-02T03:04:05.006Z',
          managerId: null,
        },
      },
    ])
  })

  it('records what select and omit hide from the caller', async () => {
    const entries = await recordedBy(async () => {
      await prisma.tag.create({ data: { name: 'a' }, select: { id: true } })
      await prisma.tag.create({ data: { name: 'b' }, omit: { name: true } })
    })
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'create', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'create', after: { id: 2, name: 'b' } },
    ])
  })

  it('records a row of defaults only', async () => {
    const entries = await recordedBy(() => prisma.stamped.create({ data: {} }))
    expect(entries).toEqual([
      {
        action: 'stamped.create',
        id: '1',
        operation: 'create',
        after: { id: 1, counter: 0, stampedAt: null },
      },
    ])
  })

  it('records nothing when the insert fails', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() => prisma.tag.create({ data: { name: 'a' } }).catch(() => {}))
    expect(brief(entries).filter((line) => line.startsWith('tag.create 2'))).toEqual([])
  })
})

describe('createMany', () => {
  it('records each row with the id that the database gave it', async () => {
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }),
    )
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'createMany', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'createMany', after: { id: 2, name: 'b' } },
      { action: 'tag.create', id: '3', operation: 'createMany', after: { id: 3, name: 'c' } },
    ])
  })

  it('does not record the duplicates that it skips', async () => {
    await prisma.tag.create({ data: { name: 'b' } })
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }], skipDuplicates: true }),
    )
    expect(entries.map(({ action, after }) => [action, after.name])).toEqual([
      ['tag.create', 'a'],
      ['tag.create', 'c'],
    ])
  })

  it('records rows that leave different columns to their defaults', async () => {
    const entries = await recordedBy(() =>
      prisma.translation.createMany({
        data: [
          { key: 'a', language: 'de', text: 'A' },
          { key: 'a', language: 'en', text: 'A', revision: 7 },
        ],
      }),
    )
    expect(entries.map(({ id, after }) => [id, after.revision])).toEqual([
      ['["a","de"]', 1],
      ['["a","en"]', 7],
    ])
  })

  it('records nothing for an empty list', async () => {
    expect(await recordedBy(() => prisma.tag.createMany({ data: [] }))).toEqual([])
  })

  it('records nothing when one of the rows fails', async () => {
    await prisma.tag.create({ data: { name: 'b' } })
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }] }).catch(() => {}),
    )
    expect(brief(entries).filter((line) => /^tag\.create \d/.test(line))).toEqual([])
  })
})

describe('createManyAndReturn', () => {
  it('records each row, and gives them back as always', async () => {
    const entries = await recordedBy(async () => {
      const tags = await prisma.tag.createManyAndReturn({
        data: [{ name: 'a' }, { name: 'b' }],
        select: { name: true },
      })
      expect(tags).toEqual([{ name: 'a' }, { name: 'b' }])
    })
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'createManyAndReturn', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'createManyAndReturn', after: { id: 2, name: 'b' } },
    ])
  })
})

describe('update', () => {
  it('records the row before and after, and which fields changed', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss', population: 8_000_000n } })
    const entries = await recordedBy(() =>
      prisma.country.update({ where: { code: 'CH' }, data: { name: 'Switzerland', population: 8_000_000n } }),
    )
    expect(entries).toEqual([
      {
        action: 'country.update',
        id: 'CH',
        operation: 'update',
        before: { code: 'CH', name: 'Swiss', population: '8000000' },
        after: { code: 'CH', name: 'Switzerland', population: '8000000' },
        changed: ['name'],
      },
    ])
  })

  it('names changed fields as the schema does, not the table', async () => {
    await prisma.user.create({ data: user(1, { passwordHash: 'old' }) })
    const [entry] = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { loginCount: 3, passwordHash: 'new', updatedAt: at } }),
    )
    expect(entry?.changed).toEqual(['passwordHash', 'loginCount'])
    expect([entry?.before.passwordHash, entry?.after.passwordHash]).toEqual(['[redacted]', '[redacted]'])
  })

  it('writes no entry when nothing changes', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss' } })
    await prisma.user.create({ data: user(1) })
    expect(
      await recordedBy(async () => {
        await prisma.country.update({ where: { code: 'CH' }, data: { name: 'Swiss' } })
        await prisma.country.update({ where: { code: 'CH' }, data: {} })
        await prisma.country.updateMany({ data: { population: { increment: 0n } } })
        await prisma.user.update({ where: { id: 1 }, data: { email: 'u1@x.org', updatedAt: at } })
      }),
    ).toEqual([])
  })

  it('writes no entry when no row is found', async () => {
    expect(
      await recordedBy(() =>
        prisma.country.update({ where: { code: 'XX' }, data: { name: 'x' } }).catch(() => {}),
      ),
    ).toEqual([])
  })

  it('records a change from and to null', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(async () => {
      await prisma.user.update({ where: { id: 1 }, data: { name: 'Ada', updatedAt: at } })
      await prisma.user.update({ where: { id: 1 }, data: { name: null, updatedAt: at } })
    })
    expect(entries.map(({ before, after, changed }) => [before.name, after.name, changed])).toEqual([
      [null, 'Ada', ['name']],
      ['Ada', null, ['name']],
    ])
  })

  it('records an enum by its labels in the database', async () => {
    await prisma.user.create({ data: user(1) })
    const [entry] = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { level: 'HIGH', updatedAt: at } }),
    )
    expect([entry?.before.level, entry?.after.level]).toEqual(['low', 'high level'])
  })

  it('finds the row by any unique key and further conditions', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { email: 'u1@x.org', loginCount: { lt: 1 }, posts: { none: {} } },
        data: { loginCount: 1, updatedAt: at },
      }),
    )
    expect(brief(entries)).toEqual(['user.update 1 [loginCount]'])
  })

  it('records what a BEFORE UPDATE trigger made of the row', async () => {
    await prisma.stamped.create({ data: {} })
    const [entry] = await recordedBy(() => prisma.stamped.update({ where: { id: 1 }, data: { counter: 1 } }))
    expect(entry).toMatchObject({
      action: 'stamped.update',
      before: { counter: 0, stampedAt: null },
      after: { counter: 1, stampedAt: expect.stringMatching(/^20.+Z$/) },
      changed: ['counter', 'stampedAt'],
    })
  })
})

describe('atomic number operations', () => {
  it('records the numbers before and after', async () => {
    await prisma.everything.create({
      data: { id: 1n, integer: 10, bigint: 9_007_199_254_740_993n, decimal: '1.10', double: 3 },
    })
    const entries = await recordedBy(async () => {
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { increment: 5 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { decrement: 6 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { multiply: 4 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { divide: 8 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { set: 0 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { bigint: { increment: 1n } } })
      await prisma.everything.update({ where: { id: 1n }, data: { decimal: { multiply: '1.10' } } })
      await prisma.everything.update({ where: { id: 1n }, data: { double: { divide: 2 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integers: { push: [1, 2] } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integers: { push: 3 } } })
    })
    expect(
      entries.map(({ before, after, changed: [field] }) => [field, before[field], after[field]]),
    ).toEqual([
      ['integer', 10, 15],
      ['integer', 15, 9],
      ['integer', 9, 36],
      ['integer', 36, 4],
      ['integer', 4, 0],
      ['bigint', '9007199254740993', '9007199254740994'],
      ['decimal', '1.100000000000000000000000000000', expect.stringMatching(/^1\.210*$/)],
      ['double', 3, 1.5],
      ['integers', null, [1, 2]],
      ['integers', [1, 2], [1, 2, 3]],
    ])
  })
})

describe('updateMany', () => {
  it('records the rows that changed, and only those', async () => {
    await prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
    await prisma.post.createMany({
      data: ['p1', 'p2', 'p3'].map((id, views) => ({ id, title: id, views })),
    })
    const entries = await recordedBy(async () => {
      expect(await prisma.post.updateMany({ data: { views: 1 } })).toEqual({ count: 3 })
    })
    expect(briefSorted(entries)).toEqual(['post.update p1 [views]', 'post.update p3 [views]'])
    expect(entries[0]?.operation).toBe('updateMany')
  })

  it('records no more rows than the limit lets through', async () => {
    await prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
    const entries = await recordedBy(async () => {
      const changed = await prisma.post.createMany({
        data: ['p1', 'p2', 'p3'].map((id) => ({ id, title: id })),
      })
      expect(changed).toEqual({ count: 3 })
      expect(await prisma.post.updateMany({ data: { views: 5 }, limit: 2 })).toEqual({ count: 2 })
    })
    expect(brief(entries).filter((line) => line.includes('update'))).toHaveLength(2)
  })

  it('follows conditions on other tables', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    await prisma.post.create({ data: { id: 'p2', title: 'two' } })
    const entries = await recordedBy(() =>
      prisma.post.updateMany({ where: { author: { email: { contains: 'u1' } } }, data: { title: 'x' } }),
    )
    expect(brief(entries)).toEqual(['post.update p1 [title]'])
  })
})

describe('updateManyAndReturn', () => {
  it('records the rows that changed, and gives all that matched', async () => {
    await prisma.post.createMany({ data: ['p1', 'p2'].map((id, views) => ({ id, title: id, views })) })
    const entries = await recordedBy(async () => {
      const posts = await prisma.post.updateManyAndReturn({ data: { views: 1 }, select: { id: true } })
      expect(posts.map(({ id }) => id).sort()).toEqual(['p1', 'p2'])
    })
    expect(brief(entries)).toEqual(['post.update p1 [views]'])
    expect(entries[0]?.operation).toBe('updateManyAndReturn')
  })
})

describe('upsert', () => {
  it('is recorded as the create or the update that happened, in one statement', async () => {
    const upsert = (name: string) =>
      prisma.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name }, update: { name } })
    expect(await recordedBy(() => upsert('Swiss'))).toEqual([
      {
        action: 'country.create',
        id: 'CH',
        operation: 'upsert',
        after: { code: 'CH', name: 'Swiss', population: '0' },
      },
    ])
    expect(await recordedBy(() => upsert('Switzerland'))).toEqual([
      {
        action: 'country.update',
        id: 'CH',
        operation: 'upsert',
        before: { code: 'CH', name: 'Swiss', population: '0' },
        after: { code: 'CH', name: 'Switzerland', population: '0' },
        changed: ['name'],
      },
    ])
    expect(await recordedBy(() => upsert('Switzerland'))).toEqual([])
  })

  it('is recorded the same when Prisma reads first and then writes', async () => {
    const upsert = (id: number) =>
      prisma.tag.upsert({
        where: { id },
        create: { name: 'a' },
        update: { name: 'b' },
        include: { posts: true },
      })
    expect(await recordedBy(() => upsert(0))).toEqual([
      { action: 'tag.create', id: '1', operation: 'upsert', after: { id: 1, name: 'a' } },
    ])
    expect(await recordedBy(() => upsert(1))).toEqual([
      {
        action: 'tag.update',
        id: '1',
        operation: 'upsert',
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'b' },
        changed: ['name'],
      },
    ])
    expect(await recordedBy(() => upsert(1))).toEqual([])
  })

  it('works by a composite key, and by another unique key', async () => {
    const byId = (text: string) =>
      prisma.translation.upsert({
        where: { key_language: { key: 'k', language: 'en' } },
        create: { key: 'k', language: 'en', text },
        update: { text, revision: { increment: 1 } },
      })
    const byText = () =>
      prisma.translation.upsert({
        where: { language_text: { language: 'en', text: 'two' } },
        create: { key: 'other', language: 'en', text: 'two' },
        update: { revision: { increment: 10 } },
      })
    expect(brief(await recordedBy(() => byId('one')))).toEqual(['translation.create ["k","en"]'])
    expect(brief(await recordedBy(() => byId('two')))).toEqual([
      'translation.update ["k","en"] [text, revision]',
    ])
    expect(brief(await recordedBy(() => byText()))).toEqual(['translation.update ["k","en"] [revision]'])
  })

  it('that changes the key is recorded under the old key', async () => {
    await prisma.country.create({ data: { code: 'XX', name: 'Old' } })
    const entries = await recordedBy(() =>
      prisma.country.upsert({
        where: { code: 'XX' },
        create: { code: 'XX', name: 'New' },
        update: { code: 'YY' },
      }),
    )
    expect(brief(entries)).toEqual(['country.update XX [code]'])
    expect(entries[0]).toMatchObject({ before: { code: 'XX' }, after: { code: 'YY' } })
  })

  it('on a table with a BEFORE UPDATE trigger records what the trigger made', async () => {
    const upsert = (counter: number) =>
      prisma.stamped.upsert({ where: { id: 1 }, create: { id: 1, counter }, update: { counter } })
    expect(brief(await recordedBy(() => upsert(1)))).toEqual(['stamped.create 1'])
    expect(brief(await recordedBy(() => upsert(2)))).toEqual(['stamped.update 1 [counter, stampedAt]'])
  })

  it('of an unchanged row writes no entry, and an empty update none either', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss' } })
    expect(
      await recordedBy(() =>
        prisma.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name: 'x' }, update: {} }),
      ),
    ).toEqual([])
  })
})

describe('delete', () => {
  it('records the row that is gone', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss', population: 1n } })
    expect(await recordedBy(() => prisma.country.delete({ where: { code: 'CH' } }))).toEqual([
      {
        action: 'country.delete',
        id: 'CH',
        operation: 'delete',
        before: { code: 'CH', name: 'Swiss', population: '1' },
      },
    ])
  })

  it('of a row that is not there records nothing', async () => {
    expect(await recordedBy(() => prisma.country.delete({ where: { code: 'XX' } }).catch(() => {}))).toEqual(
      [],
    )
  })
})

describe('deleteMany', () => {
  it('records each row that is gone', async () => {
    await prisma.tag.createMany({ data: ['a', 'b', 'c'].map((name) => ({ name })) })
    const entries = await recordedBy(() => prisma.tag.deleteMany({ where: { name: { in: ['a', 'c'] } } }))
    expect(entries.sort((one, other) => Number(one.id) - Number(other.id))).toEqual([
      { action: 'tag.delete', id: '1', operation: 'deleteMany', before: { id: 1, name: 'a' } },
      { action: 'tag.delete', id: '3', operation: 'deleteMany', before: { id: 3, name: 'c' } },
    ])
  })

  it('records no more rows than the limit lets through', async () => {
    await prisma.country.createMany({ data: ['AA', 'BB', 'CC'].map((code) => ({ code, name: code })) })
    const entries = await recordedBy(() => prisma.country.deleteMany({ limit: 2 }))
    expect(entries).toHaveLength(2)
  })
})

describe('keys', () => {
  it('composite ones are a JSON array of texts', async () => {
    const entries = await recordedBy(async () => {
      await prisma.translation.create({ data: { key: '42', language: 'en', text: 't' } })
      await prisma.translation.update({
        where: { key_language: { key: '42', language: 'en' } },
        data: { text: 'u' },
      })
      await prisma.translation.delete({ where: { key_language: { key: '42', language: 'en' } } })
    })
    expect(brief(entries)).toEqual([
      'translation.create ["42","en"]',
      'translation.update ["42","en"] [text]',
      'translation.delete ["42","en"]',
    ])
  })

  it('numbers in composite keys are texts too, and the order is the key’s', async () => {
    const entries = await recordedBy(() =>
      prisma.warehouse.create({ data: { code: 'ZH', city: 'Zürich', shelves: { create: { number: 7 } } } }),
    )
    expect(brief(entries)).toEqual(['warehouse.create ZH', 'shelf.create ["ZH","7"]'])
  })

  it('with quotes, commas and line breaks are still one JSON array', async () => {
    const key = 'a","b\\\n\té\u0001🙂'
    const [entry] = await recordedBy(() =>
      prisma.translation.create({ data: { key, language: '', text: 't' } }),
    )
    expect(JSON.parse(entry?.id ?? '')).toEqual([key, ''])
  })

  it('an update that changes the key is recorded under the old key', async () => {
    await prisma.translation.create({ data: { key: 'k', language: 'en', text: 't' } })
    const entries = await recordedBy(() =>
      prisma.translation.update({
        where: { key_language: { key: 'k', language: 'en' } },
        data: { language: 'de' },
      }),
    )
    expect(entries).toEqual([
      {
        action: 'translation.update',
        id: '["k","en"]',
        operation: 'update',
        before: { key: 'k', language: 'en', text: 't', revision: 1 },
        after: { key: 'k', language: 'de', text: 't', revision: 1 },
        changed: ['language'],
      },
    ])
  })

  it('bigint ones keep every digit', async () => {
    const [entry] = await recordedBy(() => prisma.everything.create({ data: { id: 9_007_199_254_740_993n } }))
    expect(entry?.id).toBe('9007199254740993')
  })

  it('a table without a primary key has entries without an id', async () => {
    const entries = await recordedBy(async () => {
      await prisma.reading.create({ data: { sensor: 's1', value: 1 } })
      await prisma.reading.createMany({ data: [{ sensor: 's2', value: 2 }] })
      await prisma.reading.update({ where: { sensor: 's1' }, data: { value: 1.5 } })
      await prisma.reading.updateMany({ where: { value: { gt: 1 } }, data: { value: { increment: 1 } } })
      await prisma.reading.upsert({
        where: { sensor: 's2' },
        create: { sensor: 's2', value: 0 },
        update: { value: 0 },
      })
      await prisma.reading.delete({ where: { sensor: 's1' } })
    })
    const lines = entries.map(({ id, action, before, after }) => [id, action, before?.value, after?.value])
    const [many, others] = [lines.slice(3, 5), [...lines.slice(0, 3), ...lines.slice(5)]]
    expect(others).toEqual([
      [null, 'reading.create', undefined, 1],
      [null, 'reading.create', undefined, 2],
      [null, 'reading.update', 1, 1.5],
      [null, 'reading.update', 3, 0],
      [null, 'reading.delete', 2.5, undefined],
    ])
    expect(many.sort()).toEqual([
      [null, 'reading.update', 1.5, 2.5],
      [null, 'reading.update', 2, 3],
    ])
  })
})

describe('nested writes', () => {
  it('create, two and three levels deep', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({
        data: {
          ...user(1),
          profile: { create: { id: 'f1', bio: 'b' } },
          posts: {
            create: [
              { id: 'p1', title: 'one', comments: { create: [{ text: 'c1', userId: 1 }, { text: 'c2' }] } },
              { id: 'p2', title: 'two', tags: { create: { name: 't' } } },
            ],
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.create 1',
      'comment.create 2',
      'post.connect p2 tags → tag 1',
      'post.create p1',
      'post.create p2',
      'profile.create f1',
      'tag.connect 1 posts → post p2',
      'tag.create 1',
      'user.create 1',
    ])
    expect(new Set(entries.map(({ operation }) => operation))).toEqual(new Set(['create']))
  })

  it('create of the parent from the child', async () => {
    const entries = await recordedBy(() =>
      prisma.comment.create({
        data: { text: 'c', post: { create: { id: 'p1', title: 'one', author: { create: user(1) } } } },
      }),
    )
    expect(brief(entries)).toEqual(['user.create 1', 'post.create p1', 'comment.create 1'])
  })

  it('createMany, two levels deep and three', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({
        data: {
          ...user(1),
          posts: {
            create: {
              id: 'p1',
              title: 'one',
              comments: { createMany: { data: [{ text: 'c1' }, { text: 'c2' }] } },
            },
          },
          comments: { createMany: { data: [{ text: 'c3', postId: 'p1' }], skipDuplicates: true } },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.create 1',
      'comment.create 2',
      'comment.create 3',
      'post.create p1',
      'user.create 1',
    ])
  })

  it('connect moves the foreign key: an update of the child', async () => {
    await prisma.user.createMany({ data: [user(1), user(2)] })
    await prisma.post.create({ data: { id: 'p1', title: 'one', authorId: 1 } })
    const fromParent = await recordedBy(() =>
      prisma.user.update({ where: { id: 2 }, data: { updatedAt: at, posts: { connect: { id: 'p1' } } } }),
    )
    expect(fromParent).toEqual([
      {
        action: 'post.update',
        id: 'p1',
        operation: 'update',
        before: { id: 'p1', title: 'one', views: 0, authorId: 1, reviewerId: null },
        after: { id: 'p1', title: 'one', views: 0, authorId: 2, reviewerId: null },
        changed: ['authorId'],
      },
    ])
    const fromChild = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: { author: { connect: { email: 'u1@x.org' } }, reviewer: { connect: { id: 2 } } },
      }),
    )
    expect(brief(fromChild)).toEqual(['post.update p1 [authorId, reviewerId]'])
  })

  it('connect of what is connected already writes no entry', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    expect(
      await recordedBy(() =>
        prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, posts: { connect: { id: 'p1' } } } }),
      ),
    ).toEqual([])
  })

  it('connectOrCreate, on both branches', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() =>
      prisma.post.create({
        data: {
          id: 'p1',
          title: 'one',
          author: { connectOrCreate: { where: { email: 'u1@x.org' }, create: user(1) } },
          tags: {
            connectOrCreate: [
              { where: { name: 'a' }, create: { name: 'a' } },
              { where: { name: 'b' }, create: { name: 'b' } },
            ],
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'post.connect p1 tags → tag 1',
      'post.connect p1 tags → tag 2',
      'post.create p1',
      'tag.connect 1 posts → post p1',
      'tag.connect 2 posts → post p1',
      'tag.create 2',
      'user.create 1',
    ])
  })

  it('disconnect clears the foreign key: an update of the child', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        posts: {
          create: [
            { id: 'p1', title: 'one' },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(async () => {
      await prisma.user.update({
        where: { id: 1 },
        data: { updatedAt: at, posts: { disconnect: { id: 'p1' } } },
      })
      await prisma.post.update({ where: { id: 'p2' }, data: { author: { disconnect: true } } })
    })
    expect(brief(entries)).toEqual(['post.update p1 [authorId]', 'post.update p2 [authorId]'])
    expect(entries.map(({ after }) => after.authorId)).toEqual([null, null])
  })

  it('set drops the old children and takes the new ones', async () => {
    await prisma.post.createMany({ data: ['p1', 'p2', 'p3'].map((id) => ({ id, title: id })) })
    await prisma.user.create({ data: { ...user(1), posts: { connect: [{ id: 'p1' }, { id: 'p2' }] } } })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: { updatedAt: at, posts: { set: [{ id: 'p2' }, { id: 'p3' }] } },
      }),
    )
    expect(briefSorted(entries)).toEqual(['post.update p1 [authorId]', 'post.update p3 [authorId]'])
  })

  it('update and updateMany, two and three levels deep', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        profile: { create: { id: 'f1', bio: 'b' } },
        posts: {
          create: [
            { id: 'p1', title: 'one', comments: { create: [{ text: 'c1' }, { text: 'c2' }] } },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          name: 'Ada',
          updatedAt: at,
          profile: { update: { bio: 'B' } },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                title: 'ONE',
                comments: {
                  update: { where: { id: 1 }, data: { text: 'C1' } },
                  updateMany: { where: { text: 'c2' }, data: { text: 'C2' } },
                },
              },
            },
            updateMany: { where: {}, data: { views: 9 } },
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.update 1 [text]',
      'comment.update 2 [text]',
      'post.update p1 [title]',
      'post.update p1 [views]',
      'post.update p2 [views]',
      'profile.update f1 [bio]',
      'user.update 1 [name]',
    ])
  })

  it('upsert, on both branches', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    const upsert = () =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          updatedAt: at,
          profile: { upsert: { create: { id: 'f1', bio: 'new' }, update: { bio: 'changed' } } },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                comments: {
                  upsert: { where: { id: 1 }, create: { text: 'new' }, update: { text: 'changed' } },
                },
              },
            },
          },
        },
      })
    expect(briefSorted(await recordedBy(upsert))).toEqual(['comment.create 1', 'profile.create f1'])
    expect(briefSorted(await recordedBy(upsert))).toEqual([
      'comment.update 1 [text]',
      'profile.update f1 [bio]',
    ])
    expect(await recordedBy(upsert)).toEqual([])
  })

  it('delete and deleteMany, two and three levels deep', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        profile: { create: { id: 'f1', bio: 'b' } },
        posts: {
          create: [
            {
              id: 'p1',
              title: 'one',
              comments: { create: [{ text: 'c1' }, { text: 'c2' }, { text: 'c3' }] },
            },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          updatedAt: at,
          profile: { delete: true },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                comments: { delete: { id: 1 }, deleteMany: { text: 'c2' } },
              },
            },
            delete: { id: 'p2' },
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.delete 1',
      'comment.delete 2',
      'post.delete p2',
      'profile.delete f1',
    ])
    const rest = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, posts: { deleteMany: {} } } }),
    )
    expect(briefSorted(rest)).toEqual(['comment.delete 3 because post.delete', 'post.delete p1'])
  })

  it('leave nothing behind when one of their statements fails', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() =>
      prisma.user
        .create({
          data: {
            ...user(1),
            posts: { create: { id: 'p1', title: 'x', tags: { create: { name: 'a' } } } },
          },
        })
        .catch(() => {}),
    )
    expect(brief(entries).filter((line) => !line.includes('(no id)'))).toEqual([])
    expect(await db.sql('SELECT id FROM users')).toEqual([])
  })
})

describe('implicit many-to-many', () => {
  it('connect is recorded on both sides, each with its own relation', async () => {
    await prisma.tag.create({ data: { name: 't' } })
    await prisma.post.create({ data: { id: 'p1', title: 'one' } })
    const expected = [
      {
        action: 'post.connect',
        id: 'p1',
        operation: 'update',
        relation: 'tags',
        target: { type: 'tag', id: '1' },
      },
      {
        action: 'tag.connect',
        id: '1',
        operation: 'update',
        relation: 'posts',
        target: { type: 'post', id: 'p1' },
      },
    ]
    const fromPost = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } }),
    )
    expect(fromPost).toEqual(expected)
    await prisma.post.update({ where: { id: 'p1' }, data: { tags: { set: [] } } })
    const fromTag = await recordedBy(() =>
      prisma.tag.update({ where: { id: 1 }, data: { posts: { connect: { id: 'p1' } } } }),
    )
    expect(fromTag).toEqual(expected)
  })

  it('connect of what is connected already writes no entry', async () => {
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { create: { name: 't' } } } })
    expect(
      await recordedBy(() =>
        prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } }),
      ),
    ).toEqual([])
  })

  it('disconnect, set, and the deletion of one side are recorded on both sides', async () => {
    await prisma.tag.createMany({ data: ['a', 'b', 'c'].map((name) => ({ name })) })
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { connect: [{ id: 1 }, { id: 2 }] } } })
    const disconnected = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { disconnect: { id: 1 } } } }),
    )
    expect(briefSorted(disconnected)).toEqual([
      'post.disconnect p1 tags → tag 1',
      'tag.disconnect 1 posts → post p1',
    ])
    const set = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { set: [{ id: 3 }] } } }),
    )
    expect(briefSorted(set)).toEqual([
      'post.connect p1 tags → tag 3',
      'post.disconnect p1 tags → tag 2',
      'tag.connect 3 posts → post p1',
      'tag.disconnect 2 posts → post p1',
    ])
    const removed = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { delete: { id: 3 } } } }),
    )
    expect(briefSorted(removed)).toEqual([
      'post.disconnect p1 tags → tag 3 because tag.delete',
      'tag.delete 3',
      'tag.disconnect 3 posts → post p1 because tag.delete',
    ])
  })

  it('create, update, upsert and deleteMany through the relation', async () => {
    const created = await recordedBy(() =>
      prisma.post.create({
        data: { id: 'p1', title: 'one', tags: { create: [{ name: 'a' }, { name: 'b' }] } },
      }),
    )
    expect(briefSorted(created)).toEqual([
      'post.connect p1 tags → tag 1',
      'post.connect p1 tags → tag 2',
      'post.create p1',
      'tag.connect 1 posts → post p1',
      'tag.connect 2 posts → post p1',
      'tag.create 1',
      'tag.create 2',
    ])
    const changed = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: {
          tags: {
            update: { where: { id: 1 }, data: { name: 'A' } },
            updateMany: { where: { name: 'b' }, data: { name: 'B' } },
            upsert: { where: { name: 'c' }, create: { name: 'c' }, update: { name: 'C' } },
          },
        },
      }),
    )
    expect(briefSorted(changed)).toEqual([
      'post.connect p1 tags → tag 3',
      'tag.connect 3 posts → post p1',
      'tag.create 3',
      'tag.update 1 [name]',
      'tag.update 2 [name]',
    ])
    const removed = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: { tags: { deleteMany: { name: { in: ['A', 'B'] } } } },
      }),
    )
    expect(briefSorted(removed)).toEqual([
      'post.disconnect p1 tags → tag 1 because tag.delete',
      'post.disconnect p1 tags → tag 2 because tag.delete',
      'tag.delete 1',
      'tag.delete 2',
      'tag.disconnect 1 posts → post p1 because tag.delete',
      'tag.disconnect 2 posts → post p1 because tag.delete',
    ])
  })

  it('between records of one model: who is whose friend', async () => {
    await prisma.user.createMany({ data: [user(1), user(2), user(3)] })
    const friends = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friends: { connect: { id: 2 } } } }),
    )
    expect(briefSorted(friends)).toEqual([
      'user.connect 1 friends → user 2',
      'user.connect 2 friendOf → user 1',
    ])
    const friendOf = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friendOf: { connect: { id: 3 } } } }),
    )
    expect(briefSorted(friendOf)).toEqual([
      'user.connect 1 friendOf → user 3',
      'user.connect 3 friends → user 1',
    ])
    // the log agrees with what Prisma itself reads
    expect(
      await prisma.user.findUnique({
        where: { id: 1 },
        select: { friends: { select: { id: true } }, friendOf: { select: { id: true } } },
      }),
    ).toEqual({ friends: [{ id: 2 }], friendOf: [{ id: 3 }] })
    const disconnected = await recordedBy(() =>
      prisma.user.update({ where: { id: 2 }, data: { updatedAt: at, friendOf: { disconnect: { id: 1 } } } }),
    )
    expect(briefSorted(disconnected)).toEqual([
      'user.disconnect 1 friends → user 2',
      'user.disconnect 2 friendOf → user 1',
    ])
  })

  it('of a record with itself is recorded once for each side', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friends: { connect: { id: 1 } } } }),
    )
    expect(briefSorted(entries)).toEqual([
      'user.connect 1 friendOf → user 1',
      'user.connect 1 friends → user 1',
    ])
    const gone = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(briefSorted(gone)).toEqual([
      'user.delete 1',
      'user.disconnect 1 friendOf → user 1 because user.delete',
      'user.disconnect 1 friends → user 1 because user.delete',
    ])
  })
})

describe('transactions', () => {
  it('all entries of a nested write share its transaction', async () => {
    const since = await db.lastSeq()
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    const transactions = (await db.entries(since)).map(({ transaction_id }) => transaction_id)
    expect(transactions).toHaveLength(2)
    expect(new Set(transactions).size).toBe(1)
  })

  it('create and update of the same row in one batch are two entries in order', async () => {
    const entries = await recordedBy(() =>
      prisma.$transaction([
        prisma.country.create({ data: { code: 'CH', name: 'a' } }),
        prisma.country.update({ where: { code: 'CH' }, data: { name: 'b' } }),
        prisma.country.delete({ where: { code: 'CH' } }),
      ]),
    )
    expect(brief(entries)).toEqual(['country.create CH', 'country.update CH [name]', 'country.delete CH'])
  })

  it('several changes of a row in an interactive transaction are entries of their own', async () => {
    const entries = await recordedBy(() =>
      prisma.$transaction(async (tx) => {
        await tx.country.create({ data: { code: 'CH', name: 'a' } })
        await tx.country.update({ where: { code: 'CH' }, data: { name: 'b' } })
        await tx.country.update({ where: { code: 'CH' }, data: { name: 'a' } })
      }),
    )
    expect(brief(entries)).toEqual([
      'country.create CH',
      'country.update CH [name]',
      'country.update CH [name]',
    ])
  })

  it('what is rolled back leaves no entry', async () => {
    const entries = await recordedBy(() =>
      prisma
        .$transaction(async (tx) => {
          await tx.country.create({ data: { code: 'CH', name: 'a' } })
          throw new Error('no')
        })
        .catch(() => {}),
    )
    expect(entries).toEqual([])
  })
})
