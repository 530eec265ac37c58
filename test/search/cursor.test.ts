import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuditError, withAudit } from '../../src/index.ts'
import { decodeCursor, encodeCursor, timestampText } from '../../src/search/cursor.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'

const db = await createDatabase()
const { $audit: audit } = withAudit(createClient(db.url))
await insertEntries(
  db,
  Array.from({ length: 9 }, (_, n) => ({
    resource_id: String(n),
    action: n % 2 ? 'order.read' : 'order.update',
  })),
)

const place = fc.record({
  microseconds: fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_000_000n),
  seq: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
})

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(AuditError)
    return (error as AuditError).code
  }
}

describe('a cursor', () => {
  it('keeps a position exactly', () => {
    fc.assert(
      fc.property(place, fc.string(), (position, question) => {
        const cursor = encodeCursor(position, question)
        expect(cursor).toMatch(/^[\w-]+$/)
        expect(decodeCursor(cursor, question)).toEqual(position)
      }),
    )
  })

  it('keeps all six digits of a second for PostgreSQL, before 1970 too', async () => {
    const texts = [
      '0001-01-01T00:00:00.000001Z',
      '1969-12-31T23:59:59.999999Z',
      '1970-01-01T00:00:00.000000Z',
    ]
    for (const text of [...texts, '2026-11-24T09:12:00.123456Z', '9999-12-31T23:59:59.000000Z']) {
      const [row] = await db.sql<{ microseconds: string }>(
        'SELECT (extract(epoch FROM $1::timestamptz) * 1000000)::int8 AS microseconds',
        [text],
      )
      expect(timestampText({ microseconds: BigInt(row?.microseconds ?? 0), seq: 0n })).toBe(text)
    }
  })

  it('is refused with any character changed, added or taken away', () => {
    const position = { microseconds: 1_700_000_000_000_001n, seq: 42n }
    const cursor = encodeCursor(position, 'question')
    const tampered = fc.oneof(
      fc
        .tuple(fc.nat(cursor.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, character]) => cursor.slice(0, at) + character + cursor.slice(at + 1)),
      fc
        .tuple(fc.nat(cursor.length), fc.string())
        .map(([at, text]) => cursor.slice(0, at) + text + cursor.slice(at)),
      fc.nat(cursor.length - 1).map((length) => cursor.slice(0, length)),
    )
    fc.assert(
      fc.property(tampered, (text) => {
        fc.pre(text !== cursor)
        expect(() => decodeCursor(text, 'question')).toThrow(
          expect.objectContaining({ code: 'AUDIT_INVALID_CURSOR' }) as Error,
        )
      }),
      { numRuns: 1_000 },
    )
  })

  it('is refused when it was made by hand for a place that cannot be', () => {
    for (const position of [
      { microseconds: 2n ** 63n - 1n, seq: 1n },
      { microseconds: -(2n ** 62n), seq: 1n },
      { microseconds: 0n, seq: 2n ** 63n },
    ]) {
      const forged = encodeCursor(position, 'question')
      expect(() => decodeCursor(forged, 'question')).toThrow(/The cursor was changed/)
    }
  })

  it('belongs to its helper and filter, whatever the page size', async () => {
    const filter = { action: ['order.update', 'order.read'], from: new Date('2020-01-01') }
    const { nextCursor } = await audit.search(filter, { limit: 2 })
    const cursor = nextCursor ?? ''
    const same = { from: '2020-01-01T00:00:00.000Z', action: ['order.read', 'order.update', 'order.read'] }
    const asked = {
      again: () => audit.search(filter, { limit: 2, cursor }),
      'with another limit': () => audit.search(filter, { limit: 7, cursor }),
      'with the same filter, written differently': () => audit.search(same, { cursor }),
      'with more': () => audit.search({ ...filter, actor: 'ada' }, { cursor }),
      'with less': () => audit.search({ action: filter.action }, { cursor }),
      'with another value': () => audit.search({ ...filter, from: '2020-01-02' }, { cursor }),
      'of another helper': () => audit.activity('ada', { cursor }),
    }
    const answers = await Promise.all(
      Object.entries(asked).map(async ([how, ask]) => [how, await codeOf(ask)]),
    )
    expect(answers).toEqual([
      ['again', 'accepted'],
      ['with another limit', 'accepted'],
      ['with the same filter, written differently', 'accepted'],
      ['with more', 'AUDIT_INVALID_CURSOR'],
      ['with less', 'AUDIT_INVALID_CURSOR'],
      ['with another value', 'AUDIT_INVALID_CURSOR'],
      ['of another helper', 'AUDIT_INVALID_CURSOR'],
    ])
    const byActor = await audit.search({ actor: 'ada' }, { limit: 2 })
    expect(await codeOf(() => audit.activity('ada', { cursor: byActor.nextCursor ?? '' }))).toBe(
      'AUDIT_INVALID_CURSOR',
    )
  })

  it.each(['', ' ', 'null', 'undefined', '1.2.3.4', "' OR 1=1", 'a'.repeat(100_000), '\0', '🙂'])(
    'is refused when it is none: %#',
    async (cursor) => {
      expect(await codeOf(() => audit.search({}, { cursor }))).toBe('AUDIT_INVALID_CURSOR')
    },
  )
})
