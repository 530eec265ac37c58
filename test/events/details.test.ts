import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { Prisma } from '../generated/client/client.ts'
import { createClient } from '../support/database.ts'
import { createEvents } from './events.ts'

const { db, prisma, refusal } = await createEvents()

describe('details', () => {
  it('hold values as the entries of data changes do', async () => {
    class Money {
      constructor(readonly cents: bigint) {}
      toJSON() {
        return { cents: this.cents }
      }
    }
    class Point {
      x = 1
      get y() {
        return 2
      }
    }
    const details = {
      nothing: null,
      absent: undefined,
      text: 'naïve 🙂',
      numbers: [0, -0, 1.5, 1e21, 5e-324, 1.7976931348623157e308],
      notFinite: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      big: 9007199254740993n,
      decimals: [
        new Prisma.Decimal('1e30'),
        new Prisma.Decimal('-0.00000000000000000001'),
        new Prisma.Decimal('1.10'),
      ],
      otherDecimal: { s: 1, e: 0, d: [1], toFixed: () => '1.25', toJSON: () => '1.25e0' },
      date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
      buffer: Buffer.from('hello'),
      bytes: new Uint8Array([255, 254]).subarray(1),
      arrayBuffer: new Uint8Array([1]).buffer,
      floats: new Float32Array([0.5]),
      map: new Map<unknown, unknown>([
        ['a', 1n],
        [2, new Map()],
      ]),
      set: new Set(['x', 1n]),
      holes: [undefined, 1],
      money: new Money(5n),
      point: new Point(),
      boxed: [Object(1n), new String('s'), new Number(1), new Boolean(false)],
      error: new RangeError('too far'),
      url: new URL('https://example.com/a'),
      ['__proto__']: 'own',
    }
    const entry = await prisma.$audit.record({ action: 'a.b', details })
    const expected = {
      nothing: null,
      text: 'naïve 🙂',
      numbers: [0, 0, 1.5, 1e21, 5e-324, 1.7976931348623157e308],
      notFinite: ['NaN', 'Infinity', '-Infinity'],
      big: '9007199254740993',
      decimals: [`1${'0'.repeat(30)}`, '-0.00000000000000000001', '1.1'],
      otherDecimal: '1.25',
      date: '2026-01-02T03:04:05.006Z',
      buffer: 'aGVsbG8=',
      bytes: '/g==',
      arrayBuffer: 'AQ==',
      floats: [0.5],
      map: { a: '1', 2: {} },
      set: ['x', '1'],
      holes: [null, 1],
      money: { cents: '5' },
      point: { x: 1 },
      boxed: ['1', 's', 1, false],
      error: { name: 'RangeError', message: 'too far' },
      url: 'https://example.com/a',
      ['__proto__']: 'own',
    }
    expect(isDeepStrictEqual(entry.details, expected)).toBe(true)
    expect(entry.details).toEqual(expected)
  })

  const cyclic: Record<string, unknown> = { name: 'a' }
  cyclic.list = [{ back: cyclic }]
  const deep = Array.from({ length: 101 }).reduce<object>((inner) => ({ a: inner }), {})

  it.each<[string, Record<string, unknown>]>([
    ['details.list.0.back refers back to an object that contains it', cyclic],
    ["details.a.call is a function, which JSON can't hold", { a: { call: () => 1 } }],
    ["details.a.0 is a symbol, which JSON can't hold", { a: [Symbol('x')] }],
    ['details.when is an invalid Date', { when: new Date(Number.NaN) }],
    ['details.text holds a NUL character or a lone surrogate', { text: 'a\0b' }],
    ['details.text holds a NUL character or a lone surrogate', { text: '\udc00' }],
    ['has a NUL character or a lone surrogate in its name', { 'a\0': 1 }],
    ["details.wait is a Promise, which JSON can't hold", { wait: Promise.resolve(1) }],
    ["details.pattern is a RegExp, which JSON can't hold", { pattern: /x/ }],
    ['details.map is a Map with a key that is a object', { map: new Map([[{}, 1]]) }],
    [
      'details.map is a Map with two keys that are the same in JSON',
      {
        map: new Map<unknown, number>([
          [1, 1],
          ['1', 2],
        ]),
      },
    ],
    ['has more than 100 levels', { deep }],
    [
      "details.bad can't be read",
      {
        get bad() {
          throw new TypeError('no')
        },
      },
    ],
    ['details is not an object in JSON', { toJSON: () => 'text' }],
  ])('are refused with the path: %s', async (message, details) => {
    const error = await refusal(() => prisma.$audit.record({ action: 'a.b', details }))
    expect(error.code).toBe('AUDIT_INVALID_EVENT')
    expect(error.message).toContain(message)
  })

  it('may hold one object at several places, and be large', async () => {
    const shared = { a: 1 }
    const details = { one: shared, two: shared, text: 'x'.repeat(5_000_000) }
    const entry = await prisma.$audit.record({ action: 'a.b', details })
    expect(entry.details).toEqual(details)
  })

  it('hide what the options redact', async () => {
    const client = withAudit(createClient(db.url), { redact: { User: ['name'], '*': ['text'] } })
    const details = {
      name: 'Ada',
      text: 'secret by option',
      api_key: 'secret by name',
      password: null,
      token: () => 'not even looked at',
      before: { name: 'Eda', note: 1, passwordHash: 'h1' },
      after: { name: 'Ada', note: 2, passwordHash: 'h2' },
      team: { name: 'visible: another record', text: 'x', members: [{ pin: 1234 }] },
      map: new Map([['otp', '123']]),
    }
    const ofUser = await client.$audit.record({ action: 'User.merge', details, metadata: { token: 't' } })
    expect(ofUser.details).toEqual({
      name: '[redacted]',
      text: '[redacted]',
      api_key: '[redacted]',
      password: null,
      token: '[redacted]',
      before: { name: '[redacted]', note: 1, passwordHash: '[redacted]' },
      after: { name: '[redacted]', note: 2, passwordHash: '[redacted]' },
      team: { name: 'visible: another record', text: '[redacted]', members: [{ pin: '[redacted]' }] },
      map: { otp: '[redacted]' },
      metadata: { token: '[redacted]' },
    })
    const ofTeam = await client.$audit.record({ action: 'team.merge', details: { name: 'Ada', text: 'x' } })
    expect(ofTeam.details).toEqual({ name: 'Ada', text: '[redacted]' })
    const open = withAudit(createClient(db.url), { redactSecrets: false })
    expect((await open.$audit.record({ action: 'a.b', details: { pin: 1 } })).details).toEqual({ pin: 1 })
  })
})
