import { expect } from 'vitest'
import type { RunningExample } from './run-example.ts'

interface Activity {
  readonly bucket: number
  readonly counts: readonly [begin: number, successes: number, failures: number][]
}

/** Asserts that `/` leads to the log, and that an example begins with a few hundred entries over weeks. */
export async function expectHistory(app: RunningExample, headers: Record<string, string>): Promise<void> {
  const home = await fetch(app.url, { headers, redirect: 'manual' })
  expect([home.status, home.headers.get('location')]).toEqual([302, '/audit'])
  const page = await app.request('GET', '/audit', { headers })
  expect([page.status, page.body]).toEqual([200, expect.stringContaining('<title>Audit log</title>')])

  const { body } = await app.request('GET', '/audit/api/activity?buckets=60', { headers })
  const { counts } = body as Activity
  const total = counts.reduce((sum, [, successes, failures]) => sum + successes + failures, 0)
  expect(total).toBeGreaterThan(200)
  expect(total).toBeLessThan(1000)
  const [first = 0, last = 0] = [counts[0]?.[0], counts.at(-1)?.[0]]
  expect((last - first) / 86_400_000).toBeGreaterThan(21)
}

/** What a browser sends after it asked for a name and a password. */
export function basic({ name, password }: RunningExample['account']): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
}
