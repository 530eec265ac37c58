import { describe, expect, it } from 'vitest'
import { type AuditEntry, describeEntry, diffLines, withAudit } from '../../src/index.ts'
import { toEntry } from '../../src/log/entry.ts'
import { createClient, createDatabase } from '../support/database.ts'

function entry(details: Record<string, unknown> | null, more: Record<string, unknown> = {}): AuditEntry {
  return toEntry({
    ...{ id: '01a20c1d-7167-7650-9c9e-e7c23e5ccf68', timestamp: new Date('2026-11-24T09:12:34.567Z') },
    ...{ action: 'order.update', actor_id: 'ada', actor_type: 'user', actor_email: null },
    ...{
      resource_type: 'order',
      resource_id: '42',
      outcome: 'success',
      reason: null,
      details,
      request_id: null,
    },
    ...{ ip: null, user_agent: null, organization_id: null, seq: 1n, transaction_id: 1n },
    ...more,
  })
}

const updated = (before: Record<string, unknown>, after: Record<string, unknown>, changed: string[]) =>
  diffLines(entry({ before, after, changed }))

describe('diffLines', () => {
  it('says of an update what each changed field was and became', () => {
    expect(
      updated(
        {
          id: 42,
          status: 'DRAFT',
          total: '9.90',
          paid: false,
          note: null,
          tags: ['a'],
          address: { city: 'Paris' },
        },
        {
          id: 42,
          status: 'PAID',
          total: '10.00',
          paid: true,
          note: 'x',
          tags: [],
          address: { city: 'Rome', zip: '1' },
        },
        ['status', 'total', 'paid', 'note', 'tags', 'address'],
      ),
    ).toEqual([
      'status: "DRAFT" → "PAID"',
      'total: "9.90" → "10.00"',
      'paid: false → true',
      'note: null → "x"',
      'tags: ["a"] → []',
      'address: {"city":"Paris"} → {"city":"Rome","zip":"1"}',
    ])
  })

  it('leaves out a time of the last change where something else changed', () => {
    const [then, now] = ['2026-11-23T09:12:34.567Z', '2026-11-24T09:12:34.567Z']
    for (const name of ['updatedAt', 'updated_at', 'UpdatedOn', 'lastModified']) {
      const [before, after] = [
        { status: 'DRAFT', [name]: then },
        { status: 'PAID', [name]: now },
      ]
      const change = entry({ before, after, changed: ['status', name] })
      expect(diffLines(change)).toEqual(['status: "DRAFT" → "PAID"'])
      // the entry itself keeps it
      expect(change.changes.map(({ field }) => field)).toEqual(['status', name])
      expect(updated({ [name]: then }, { [name]: now }, [name])).toEqual([`${name}: "${then}" → "${now}"`])
    }
    expect(diffLines(entry({ after: { id: 42, updatedAt: now } }))).toEqual([
      '+ id: 42',
      `+ updatedAt: "${now}"`,
    ])
    const others = ['paidAt', 'updatedBy', 'lastLoginAt']
    expect(
      updated(
        Object.fromEntries(others.map((name) => [name, then])),
        Object.fromEntries(others.map((name) => [name, now])),
        [...others, 'updatedAt'],
      ),
    ).toHaveLength(others.length)
  })

  it('lists the fields of a created and of a deleted record that have a value', () => {
    const record = { id: 42, status: 'DRAFT', note: null, items: 0 }
    expect(diffLines(entry({ after: record }))).toEqual(['+ id: 42', '+ status: "DRAFT"', '+ items: 0'])
    expect(diffLines(entry({ before: record }))).toEqual(['− id: 42', '− status: "DRAFT"', '− items: 0'])
  })

  it('shows redacted values as such', () => {
    const redacted = '[redacted]'
    expect(
      updated({ password: redacted, pin: null }, { password: redacted, pin: redacted }, ['password', 'pin']),
    ).toEqual(['password: [redacted] → [redacted]', 'pin: null → [redacted]'])
    expect(diffLines(entry({ after: { password: redacted } }))).toEqual(['+ password: [redacted]'])
  })

  it('cuts long values between characters', () => {
    const [line = ''] = updated({ text: 'a'.repeat(500) }, { text: '🙂'.repeat(500) }, ['text'])
    expect(line).toBe(`text: "${'a'.repeat(78)}… → "${'🙂'.repeat(78)}…`)
  })

  it('keeps a line a line: what would break or forge one is escaped', () => {
    const evil = 'a\n+ b\u001b[31m\u202e\u2028'
    expect(updated({ [evil]: evil }, { [evil]: 'b' }, [evil])).toEqual([
      'a\\u000a+ b\\u001b[31m\\u202e\\u2028: "a\\n+ b\\u001b[31m\\u202e\\u2028" → "b"',
    ])
  })

  it('tells of links, events and failures', () => {
    const link = { relation: 'tags', target: { type: 'tag', id: '7' } }
    expect(diffLines(entry(link, { action: 'post.connect' }))).toEqual(['+ tags: tag 7'])
    expect(diffLines(entry(link, { action: 'post.disconnect' }))).toEqual(['− tags: tag 7'])
    expect(diffLines(entry({ format: 'csv', rows: 12 }, { action: 'report.export' }))).toEqual([
      'format: "csv"',
      'rows: 12',
    ])
    const failed = { action: 'user.login', outcome: 'failure', reason: 'wrong password' }
    expect(diffLines(entry(null, failed))).toEqual(['failed: wrong password'])
    expect(diffLines(entry({ attempt: 3 }, failed))).toEqual(['failed: wrong password', 'attempt: 3'])
    expect(diffLines(entry(null, { action: 'user.login' }))).toEqual([])
  })

  it('reads an event with before and after like a change', () => {
    const event = entry({ before: { a: 1, b: { c: 1 }, d: 1 }, after: { a: 2, b: { c: 1 }, e: 1 } })
    expect(event.changes).toEqual([
      { field: 'a', from: 1, to: 2 },
      { field: 'd', from: 1, to: null },
      { field: 'e', from: null, to: 1 },
    ])
    expect(diffLines(event)).toEqual(['a: 1 → 2', 'd: 1 → null', 'e: null → 1'])
  })

  it('takes whatever an event has in its details', () => {
    for (const details of [
      { before: 'x', after: [1], changed: 'status' },
      { changed: [7, 'a'], before: null },
      { relation: 7, target: null },
    ]) {
      expect(diffLines(entry(details, { action: 'post.connect' }))).toEqual(expect.any(Array))
    }
    expect(entry({ before: 'x', after: [1] })).toMatchObject({ before: null, after: null, changes: [] })
  })
})

describe('describeEntry', () => {
  it('is who did what when', () => {
    expect(describeEntry(entry(null))).toBe('2026-11-24 09:12 UTC · ada · order.update · 42')
    expect(describeEntry(entry(null, { actor_email: 'ada@example.com' }))).toBe(
      '2026-11-24 09:12 UTC · ada@example.com · order.update · 42',
    )
    expect(describeEntry(entry(null, { resource_id: null }))).toBe(
      '2026-11-24 09:12 UTC · ada · order.update',
    )
    expect(
      describeEntry(entry(null, { action: 'user.login', resource_type: 'session', outcome: 'failure' })),
    ).toBe('2026-11-24 09:12 UTC · ada · user.login · session 42 · failed')
    expect(describeEntry(entry(null, { actor_id: 'a\nb' }))).toBe(
      '2026-11-24 09:12 UTC · a\\u000ab · order.update · 42',
    )
  })

  it('says of a change past the audited client with what and as which role it was made', () => {
    const source = { role: 'reporting', application: 'psql', address: '10.0.0.7' }
    const psql = { actor_id: 'postgres:reporting', actor_type: 'system' }
    expect(describeEntry(entry({ source }, psql))).toBe(
      '2026-11-24 09:12 UTC · postgres:reporting · order.update · 42 · by psql as reporting',
    )
    expect(describeEntry(entry({ source: { ...source, application: null } }))).toBe(
      '2026-11-24 09:12 UTC · ada · order.update · 42 · as reporting',
    )
  })
})

describe('entries of an audited client', () => {
  it('read well', async () => {
    const db = await createDatabase()
    const prisma = withAudit(createClient(db.url), { actor: { id: 'ada', type: 'user' } })
    const { id } = await prisma.tag.create({ data: { name: 'red' } })
    await prisma.tag.update({ where: { id }, data: { name: 'blue' } })
    const { id: postId } = await prisma.post.create({ data: { title: 'x' } })
    await prisma.tag.update({ where: { id }, data: { posts: { connect: { id: postId } } } })
    await prisma.tag.delete({ where: { id } })
    const { entries } = await prisma.$audit.history('Tag', id)
    expect(entries.map((one) => [one.action, ...diffLines(one)])).toEqual([
      ['tag.disconnect', `− posts: post ${postId}`],
      ['tag.delete', `− id: ${id}`, '− name: "blue"'],
      ['tag.connect', `+ posts: post ${postId}`],
      ['tag.update', 'name: "red" → "blue"'],
      ['tag.create', `+ id: ${id}`, '+ name: "red"'],
    ])
  })
})
