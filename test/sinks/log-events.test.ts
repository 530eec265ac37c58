import { describe, expect, it } from 'vitest'
import type { ExactRow } from '../../src/index.ts'
import { lineRow } from '../../src/log/ndjson.ts'
import { callLimits, callsOf, type LogEvent, logEventOf } from '../../src/sinks/log-events.ts'

const row = (columns: Partial<ExactRow> = {}): ExactRow => ({
  ...{ id: '01890000-0000-7000-8000-000000000001', timestamp: '2026-01-02T03:04:05.123456Z', action: 'a.b' },
  ...{ actor_id: 'ada', actor_type: 'user', actor_email: null, resource_type: 'a', resource_id: null },
  ...{ outcome: 'success', reason: null, details: null, request_id: null, ip: null, user_agent: null },
  ...{ organization_id: null, seq: '1', transaction_id: '700' },
  ...columns,
})
const event = (timestamp: number, message = 'x'): LogEvent => ({ timestamp, message })
const sizeOf = (call: readonly LogEvent[]) =>
  call.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0)

describe('a call', () => {
  it('has 10,000 events at most', () => {
    const calls = callsOf(Array.from({ length: 20_001 }, () => event(0)))
    expect(calls.map((call) => call.length)).toEqual([10_000, 10_000, 1])
  })

  it('has 1,048,576 bytes at most, of UTF-8 and 26 an event', () => {
    const message = 'ä'.repeat(5_000)
    const calls = callsOf(Array.from({ length: 300 }, () => event(0, message)))
    expect(calls.flat()).toHaveLength(300)
    expect(calls.map(sizeOf).every((size) => size <= 1_048_576)).toBe(true)
    expect(calls[0]).toHaveLength(Math.floor(1_048_576 / 10_026))
  })

  it('spans less than a day, in the order of time', () => {
    const hour = 3_600_000
    const calls = callsOf([event(25 * hour), event(0), event(23 * hour), event(24 * hour)])
    expect(calls.map((call) => call.map(({ timestamp }) => timestamp / hour))).toEqual([
      [0, 23],
      [24, 25],
    ])
  })
})

describe('an event', () => {
  it('is the whole entry', () => {
    const whole = row({ details: '{"n": 1.10}' })
    const { timestamp, message } = logEventOf(whole)
    expect(timestamp).toBe(Date.parse('2026-01-02T03:04:05.123Z'))
    expect(lineRow(message)).toEqual(whole)
  })

  it.each<[string, Partial<ExactRow>, Partial<ExactRow>]>([
    ['without details', {}, {}],
    [
      'and without other long texts',
      { reason: 'x'.repeat(1_048_576), user_agent: 'x'.repeat(1_048_576) },
      { reason: null, user_agent: null },
    ],
  ])('that would be too large is sent %s', (_, columns, sent) => {
    const large = row({ details: JSON.stringify({ text: 'x'.repeat(1_048_576) }), ...columns })
    const found = logEventOf(large)
    expect(sizeOf([found])).toBeLessThanOrEqual(callLimits.bytes)
    expect(lineRow(found.message)).toEqual({ ...large, details: '{"cut":1048587}', ...sent })
  })
})
