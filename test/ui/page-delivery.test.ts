import { describe, expect, it, onTestFinished } from 'vitest'
import { type Sink, startShipping, withAudit } from '../../src/index.ts'
import { auditPage } from '../../src/ui/index.ts'
import type { WireDelivery, WireOverview } from '../../src/ui/wire.ts'
import { until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { hasBrowser, inBrowser, violations } from './browser.ts'
import { minute } from './entries.ts'

const sinkNamed = (name: string): Sink => ({ name, write: async () => {} })

describe('what a page says of the delivery', async () => {
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))
  const ask = async <Answer>(path: string): Promise<Answer> =>
    (await (await auditPage(prisma)(new Request(`http://localhost/api/${path}`))).json()) as Answer

  it('is nothing where there is no sink', async () => {
    expect(await ask<WireOverview>('overview')).toMatchObject({ hasSinks: false })
    expect(await ask('delivery')).toEqual({ sinks: [], heldBack: 0, holder: null })
  })

  it('is how far each sink is, and whose transaction holds them back', async () => {
    await write(database.pool, 'first.entry')
    const shipping = await startShipping(prisma, { sinks: [sinkNamed('archive')], pollInterval: 20 })
    const lag = async () => (await shipping.metrics())[0]?.lag.entries
    await until(async () => (await lag()) === 0, 'all should be stored')
    await prisma.$audit.subscribe('mailer', async () => {}).then(({ stop }) => stop())
    const blocking = await database.pool.connect()
    onTestFinished(async () => {
      await blocking.query('ROLLBACK')
      blocking.release()
    })
    await blocking.query(`BEGIN; SET LOCAL application_name = 'nightly job'; SELECT pg_current_xact_id()`)
    await write(database.pool, 'second.entry')
    const delivery = await ask<WireDelivery>('delivery')
    expect(delivery).toEqual({
      sinks: [
        {
          ...{ name: 'archive', entries: 1, isHeld: true, batches: '1' },
          seconds: expect.any(Number),
          acknowledgedAt: expect.stringMatching(/^20\d\d-.*Z$/),
        },
      ],
      heldBack: 1,
      holder: expect.objectContaining({ kind: 'session', pid: expect.any(Number) }),
    })
    expect(await ask<WireOverview>('overview')).toMatchObject({ hasSinks: true })
    await shipping.stop()
    expect((await ask<WireDelivery>('delivery')).sinks).toMatchObject([{ isHeld: false }])
  })

  it('is nothing without the third migration', async () => {
    const old = await createDatabase()
    await old.sql(`DROP SCHEMA audit_logs_internal CASCADE`)
    const page = auditPage(withAudit(createClient(old.url)))
    const answer = async (path: string) => (await page(new Request(`http://localhost/api/${path}`))).json()
    expect(await answer('overview')).toMatchObject({ hasSinks: false })
    expect(await answer('delivery')).toEqual({ sinks: [], heldBack: 0, holder: null })
  })
})

describe.skipIf(!hasBrowser)('the delivery on the page', () => {
  const test = inBrowser([{ at: minute(0) }, { at: minute(1) }])

  it('is not there where nobody ships', async () => {
    const page = await test.open()
    await page.getByText('entries', { exact: false }).first().waitFor()
    expect(await page.getByRole('link', { name: 'Delivery' }).count()).toBe(0)
    await page.goto(`${test.server.url}?view=delivery`)
    await page.getByText('The log is delivered to no sink.').waitFor()
  })

  it('has a row for each sink, and follows it', { timeout: 60_000 }, async () => {
    const prisma = withAudit(createClient(test.database.url))
    await untilReadable(test.database)
    const shipping = await startShipping(prisma, {
      sinks: [sinkNamed('archive'), { ...sinkNamed('siem'), write: () => Promise.reject(new Error('away')) }],
      ...{ pollInterval: 20, onError: () => {} },
    })
    onTestFinished(() => shipping.stop())
    const page = await test.open()
    await page.getByRole('link', { name: 'Delivery' }).click()
    await expect.poll(() => page.title()).toMatch(/^Delivery · Audit log/)
    const cells = async () => {
      const rows = await page.locator('.delivery tbody tr').all()
      return Promise.all(rows.map((row) => row.locator('th, td').allTextContents()))
    }
    await expect.poll(cells, { timeout: 15_000 }).toEqual([
      ['archive', 'at work', '0', 'up to date', '1', 'just now'],
      ['siem', 'at work', '2', expect.stringMatching(/^[\d,]+ s$/), '1', 'never'],
    ])
    await expect.poll(() => page.locator('nav [aria-current=page]').textContent()).toBe('Delivery')
    expect(await violations(page)).toEqual([])
    await page.setViewportSize({ width: 375, height: 740 })
    expect(await violations(page)).toEqual([])
    const overflow = 'document.documentElement.scrollWidth - innerWidth'
    expect(await page.evaluate<number>(overflow)).toBeLessThanOrEqual(0)
    await shipping.stop()
    await page.getByText('none at work').first().waitFor({ timeout: 15_000 })
  })
})
