import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { detail, hasBrowser, inBrowser, query, rows, verbs } from './browser.ts'
import { insertSamples, type Sample } from './entries.ts'

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

describe.skipIf(!hasBrowser)('new entries', { timeout: 60_000 }, () => {
  const test = inBrowser(
    Array.from({ length: 60 }, (_, index) => ({ at: ago(3600 + index), action: 'order.update' })),
  )
  const { open } = test
  const add = (...samples: Sample[]) => insertSamples(test.database, samples)
  const announced = (page: Page) => page.getByRole('button', { name: /new entr/ })
  const patience = { timeout: 15_000 }

  it('are announced, and shown on click, without moving what one reads or closing the entry', async () => {
    const page = await open(`?entry=${test.ids[30]}`)
    await detail(page).getByRole('heading').first().waitFor()
    await page.evaluate('scrollTo(0, 900)')
    const place = () => rows(page).nth(30).boundingBox()
    const before = await place()
    await add({ at: ago(1), action: 'order.create' }, { at: ago(2), action: 'order.delete' })
    await expect.poll(() => announced(page).innerText()).toBe('2 new entries')
    expect(await place()).toEqual(before)
    expect(await page.evaluate('scrollY')).toBe(900)
    expect((await verbs(page))[0]).toBe('update')

    await announced(page).click()
    await expect.poll(async () => (await verbs(page)).slice(0, 3)).toEqual(['create', 'delete', 'update'])
    await expect.poll(() => announced(page).count()).toBe(0)
    expect(query(page)).toEqual({ entry: test.ids[30] })
    await expect.poll(() => detail(page).innerText()).toContain(test.ids[30])
  })

  it('of a transaction that took long are announced too, and come to their place', async () => {
    const page = await open('?resource=invoice')
    await add({ at: ago(1), action: 'invoice.create' })
    await expect.poll(() => announced(page).innerText()).toBe('1 new entry')
    await announced(page).click()
    await expect.poll(() => verbs(page)).toEqual(['create'])
    await add({ at: ago(20), action: 'invoice.update' })
    await expect.poll(() => announced(page).innerText()).toBe('1 new entry')
    await announced(page).click()
    await expect.poll(() => verbs(page)).toEqual(['create', 'update'])
  })

  it('that do not meet the filter are none', async () => {
    const page = await open('?resource=order&action=order.update')
    await add({ at: ago(1), action: 'order.create' })
    await page.waitForResponse(/api\/entries.*limit=200/, patience)
    expect(await announced(page).count()).toBe(0)
  })

  it('more than one look finds begin the list anew', async () => {
    const page = await open('?resource=meter')
    await add(...Array.from({ length: 210 }, () => ({ at: ago(1), action: 'meter.create' })))
    await expect.poll(() => announced(page).innerText()).toBe('200+ new entries')
    await announced(page).click()
    await expect.poll(() => rows(page).count()).toBe(50)
  })

  it('are said not to be looked for while the server is away', async () => {
    const page = await open('', {}, { failing: true })
    await page.route('**/api/entries?*', (route) => route.abort())
    await page
      .getByText('New entries are not looked for: The server of this page does not answer.')
      .waitFor(patience)
    await page.unroute('**/api/entries?*')
    await expect.poll(() => page.getByText('New entries are not looked for').count()).toBe(0)
  })
})
