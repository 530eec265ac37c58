import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase, type Database, type Entry } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { textOfAllTables } from './texts.ts'

const db = await createDatabase()
const plain = createClient(db.url)
const prisma = withAudit(createClient(db.url))
const ada = {
  actor: { id: 'ada', type: 'user', email: 'ada@example.com' },
  ip: '192.0.2.7',
  userAgent: 'Adas browser',
  reason: 'Ada asked for it',
  metadata: { ticket: 'Ada 17' },
} as const
const clerk = { actor: { id: 'clerk', type: 'user' }, requestId: 'r1' } as const
const erased = '[erased]'

async function entriesOf(ids: readonly string[]): Promise<Entry[]> {
  const rows = await db.sql<Entry & Record<string, unknown>>(
    'SELECT * FROM audit_logs WHERE id = ANY ($1) ORDER BY seq',
    [ids],
  )
  return rows
}

/** The hash of an entry's canonical form, by the document of the formats. */
async function hashOf({ sql }: Database, id: string): Promise<string> {
  const [row] = await sql<{ form: (string | null)[] }>(
    `SELECT ARRAY[id::text, to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action, actor_id, actor_type,
      actor_email, resource_type, resource_id, outcome, reason, details::text, request_id, abbrev(ip), user_agent, organization_id,
      seq::text, transaction_id::text] AS form FROM audit_logs WHERE id = $1`,
    [id],
  )
  return createHash('sha256').update(JSON.stringify(row?.form)).digest('hex')
}

describe('erasing the entries of a record', () => {
  it('leaves what was done, by whom and when, and no value', async () => {
    const written = await db.entriesOf(() =>
      withAuditContext(ada, async () => {
        const user = await prisma.user.create({
          data: { email: 'ada@example.com', name: 'Ada', passwordHash: 'x' },
        })
        await prisma.user.update({ where: { id: user.id }, data: { name: 'Countess', loginCount: 7 } })
        await prisma.user.delete({ where: { id: user.id } })
      }),
    )
    const id = Number(written[0]?.resource_id)
    const result = await withAuditContext(clerk, () =>
      prisma.$audit.erase({ model: 'User', id }, { reason: 'request 2026-17' }),
    )
    expect(result).toEqual({ erased: 3, entryIds: [expect.any(String)] })
    const [telling] = await entriesOf(result.entryIds)
    const after = await entriesOf(written.map((entry) => entry.id))
    const marker = { entry: telling?.id, nonce: expect.stringMatching(/^[0-9a-f]{32}$/) }
    const row = (entry: Entry | undefined, side: 'before' | 'after') =>
      Object.fromEntries(
        Object.entries(entry?.details[side]).map(([field, value]) => [
          field,
          field === 'id' || value === null ? value : erased,
        ]),
      )
    expect(after).toEqual(
      written.map((entry) => ({
        ...entry,
        ...{ actor_email: erased, reason: erased, ip: null, user_agent: erased },
        details: {
          ...(entry.details.before ? { before: row(entry, 'before') } : {}),
          ...(entry.details.after ? { after: row(entry, 'after') } : {}),
          ...(entry.details.changed ? { changed: entry.details.changed } : {}),
          ...{ operation: entry.details.operation, metadata: erased, erasure: marker },
        },
      })),
    )
    expect(after[0]?.details.after).toMatchObject({ id, email: erased, managerId: null })
    expect(telling).toMatchObject({
      ...{ action: 'auditLog.erase', actor_id: 'clerk', actor_type: 'user', request_id: 'r1' },
      ...{ resource_type: 'auditLog', resource_id: null, outcome: 'success', reason: 'request 2026-17' },
    })
    expect(telling?.details).toEqual({
      subject: { resource: 'user', id: String(id) },
      count: 3,
      source: expect.objectContaining({ role: 'postgres' }),
      erased: Object.fromEntries(
        await Promise.all(written.map(async (entry) => [entry.id, await hashOf(db, entry.id)])),
      ),
    })
    expect(await textOfAllTables(db)).not.toMatch(/countess|ada@example|192\.0\.2\.7|adas browser|ada 17/i)
  })

  it('again finds nothing more, and writes nothing', async () => {
    const { id } = await prisma.tag.create({ data: { name: 'Ada' } })
    const subject = { model: 'Tag', id } as const
    expect((await prisma.$audit.erase(subject, { reason: 'x' })).erased).toBe(1)
    expect(await db.entriesOf(() => prisma.$audit.erase(subject, { reason: 'x' }))).toEqual([])
    expect(await prisma.$audit.erase(subject, { reason: 'x' })).toEqual({ erased: 0, entryIds: [] })
  })

  it('erases only the fields that are named, and further ones later', async () => {
    const { id: userId } = await plain.user.create({ data: { email: 'e@x.org', name: 'Eve' } })
    const entry = await db.changeOf(() =>
      withAuditContext(ada, () =>
        prisma.user.update({ where: { id: userId }, data: { name: 'Eva', email: 'f@x.org' } }),
      ),
    )
    const subject = { model: 'User', id: userId } as const
    await prisma.$audit.erase(subject, { reason: 'x', fields: ['email', 'ip'] })
    const [first] = await entriesOf([entry.id])
    expect(first).toMatchObject({ actor_email: 'ada@example.com', reason: ada.reason, ip: null })
    expect(first?.details).toMatchObject({
      before: { email: erased, name: 'Eve', loginCount: 0 },
      after: { email: erased, name: 'Eva' },
      metadata: { ticket: 'Ada 17' },
    })
    const [later] = (
      await prisma.$audit.erase(subject, { reason: 'x', fields: ['resource.id', 'actor.id', 'metadata'] })
    ).entryIds
    const [second] = await entriesOf([entry.id])
    expect(second).toMatchObject({ actor_id: erased, resource_id: erased, actor_email: 'ada@example.com' })
    expect(second?.details).toMatchObject({
      before: { id: erased, name: 'Eve' },
      metadata: erased,
      erasure: { entry: later },
    })
    const [told] = await entriesOf([later ?? ''])
    expect(told?.details).toMatchObject({
      subject: { resource: 'user', id: erased },
      fields: ['resource.id', 'actor.id', 'metadata'],
      erased: { [entry.id]: await hashOf(db, entry.id) },
    })
  })
})

describe('erasing other entries', () => {
  it('takes what one actor did: events, reads and failures, too', async () => {
    const audited = withAudit(createClient(db.url), { reads: ['Tag'] })
    const bob = { ...ada, actor: { id: 'bob', type: 'user', email: 'bob@example.com' } } as const
    const { id } = await plain.tag.create({ data: { name: 'secret tag' } })
    const written = await db.entriesOf(() =>
      withAuditContext(bob, async () => {
        await audited.$audit.record({
          action: 'letter.send',
          details: { to: 'eve', copies: 2, cause: 'love' },
        })
        await audited.tag.findMany({ where: { name: 'secret tag' } })
        await audited.user.create({ data: { id: 'no' as never, email: 'x' } }).catch(() => {})
        await audited.tag.update({ where: { id: -1 }, data: { name: 'x' } }).catch(() => {})
        await audited.$audit.flush()
      }),
    )
    const { erased: count } = await prisma.$audit.erase({ actor: 'bob' }, { reason: 'x' })
    expect(count).toBe(written.length)
    const after = await entriesOf(written.map((entry) => entry.id))
    expect(after.map(({ actor_id, actor_email, reason }) => [actor_id, actor_email, reason])).toEqual(
      written.map(() => ['bob', erased, erased]),
    )
    const ofAction = (action: string) => after.find((entry) => entry.action === action)?.details
    expect(ofAction('letter.send')).toEqual({
      ...{ to: erased, copies: erased, cause: erased, metadata: erased, erasure: expect.anything() },
    })
    expect(ofAction('tag.read')).toMatchObject({
      ...{ ids: [String(id)], count: 1, filter: erased, operation: 'findMany' },
    })
    expect(ofAction('tag.update')).toMatchObject({ operation: 'update', metadata: erased })
  })

  it('takes entries by their ids, keeps both ends of a link, and erases a target where it is named', async () => {
    const post = await prisma.post.create({ data: { title: 't' } })
    const links = await db.changesOf(() =>
      prisma.post.update({ where: { id: post.id }, data: { tags: { create: { name: 'n' } } } }),
    )
    const ids = links.filter(({ action }) => action === 'post.connect').map((entry) => entry.id)
    await prisma.$audit.erase(ids, { reason: 'x' })
    const [link] = await entriesOf(ids)
    expect(link?.details).toMatchObject({ relation: 'tags', target: { type: 'tag', id: expect.any(String) } })
    const { entryIds } = await prisma.$audit.erase(ids, { reason: 'x', fields: ['target.id'] })
    expect((await entriesOf(ids))[0]?.details.target).toEqual({ type: 'tag', id: erased })
    expect((await entriesOf(entryIds))[0]?.details).not.toHaveProperty('subject')
  })

  it.each([
    ['"Adas secret"', { value: erased }, { value: 'Adas secret' }],
    ['["Adas secret", {"erasure": {}}]', { value: erased }, { value: ['Adas secret', { erasure: {} }] }],
    ['7', { value: erased }, { value: 7 }],
    ['null', { value: null }, { value: null }],
  ])('takes details %s, which only SQL writes', async (details, byDefault, byName) => {
    const ids = await Promise.all(
      [0, 1].map(async () => {
        const [row] = await db.sql<{ id: string }>(
          `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
           VALUES (gen_random_uuid(), 'x.y', 'x', 'user', 'x', $1) RETURNING id`,
          [details],
        )
        return row?.id ?? ''
      }),
    )
    await prisma.$audit.erase([ids[0] ?? ''], { reason: 'x' })
    await prisma.$audit.erase([ids[1] ?? ''], { reason: 'x', fields: ['actor.id'] })
    const after = new Map((await entriesOf(ids)).map((entry) => [entry.id, entry.details]))
    const erasure = { entry: expect.any(String), nonce: expect.any(String) }
    expect(ids.map((id) => after.get(id))).toEqual([byDefault, byName].map((left) => ({ ...left, erasure })))
  })

  it('tells of many in several entries, each with a thousand', async () => {
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason)
      SELECT gen_random_uuid(), 'x.y', 'many', 'user', 'x', 'because ' || n FROM generate_series(1, 2500) AS n`)
    const { erased: count, entryIds } = await prisma.$audit.erase({ actor: 'many' }, { reason: 'x' })
    expect(count).toBe(2500)
    const telling = await entriesOf(entryIds)
    expect(
      telling.map(({ details }) => [details.part, details.count, Object.keys(details.erased).length]),
    ).toEqual([1000, 1000, 500].map((size, index) => [{ number: index + 1, of: 3 }, 2500, size]))
  })

  it('leaves entries about the log itself as they are', async () => {
    const [about] = await db.sql<{ id: string }>(
      `SELECT id FROM audit_logs WHERE action = 'auditLog.erase' LIMIT 1`,
    )
    expect((await prisma.$audit.erase([about?.id ?? ''], { reason: 'x' })).erased).toBe(0)
  })

  it('commits or rolls back with the transaction that it runs in', async () => {
    const { id } = await prisma.tag.create({ data: { name: 'kept' } })
    const work = prisma.$transaction(async (tx) => {
      await tx.$audit.erase({ model: 'Tag', id }, { reason: 'x' })
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    const { entries } = await prisma.$audit.history('Tag', id)
    expect(entries[0]?.after).toEqual({ id, name: 'kept' })
  })
})

describe('what reads the log', () => {
  it('gives erased values as such, and undoes no change that lacks them', async () => {
    const user = await prisma.user.create({ data: { email: 'g@x.org', name: 'Grace' } })
    const { id: entryId } = await db.changeOf(() =>
      prisma.user.update({ where: { id: user.id }, data: { name: 'Hopper', level: 'HIGH' } }),
    )
    await prisma.$audit.erase({ model: 'User', id: user.id }, { reason: 'x' })
    const state = await prisma.$audit.stateAt('User', user.id, new Date())
    expect(state).toMatchObject({
      id: user.id,
      name: erased,
      level: erased,
      createdAt: erased,
      managerId: null,
    })
    const error = await refusal(() => prisma.$audit.revert(entryId, { force: true }))
    expect([error.code, error.message]).toEqual([
      'AUDIT_REVERT_REFUSED',
      `The entry ${entryId} (user.update) can't be undone: values of it were erased from the log, for good. Nothing was written.`,
    ])
  })
})

describe('an erasure is refused', () => {
  it.each([
    ['no subject', undefined, { reason: 'x' }],
    ['a subject of two kinds', { actor: 'a', model: 'User', id: 1 }, { reason: 'x' }],
    ['no ids', [], { reason: 'x' }],
    ['what is no id', ['1'], { reason: 'x' }],
    ['an unknown model', { model: 'Nothing', id: 1 }, { reason: 'x' }],
    ['no reason', { actor: 'a' }, { reason: ' ' }],
    ['no fields', { actor: 'a' }, { reason: 'x', fields: [] }],
  ])('for %s', async (_, subject, options) => {
    const error = await refusal(() => prisma.$audit.erase(subject as never, options))
    expect(error.code).toBe('AUDIT_INVALID_FILTER')
  })

  it('without the actor that an option asks for', async () => {
    const strict = withAudit(createClient(db.url), { requireActor: true })
    const error = await refusal(() => strict.$audit.erase({ actor: 'a' }, { reason: 'x' }))
    expect(error.code).toBe('AUDIT_ACTOR_REQUIRED')
  })
})
