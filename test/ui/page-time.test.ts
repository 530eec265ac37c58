import { describe, expect, it } from 'vitest'
import { detail, hasBrowser, inBrowser, query, rows } from './browser.ts'

describe.skipIf(!hasBrowser)('the times of the page', () => {
  const { open } = inBrowser([
    { at: '2026-03-01T23:30:00.123456Z' },
    { at: '2026-02-28T10:00:00Z', action: 'order.create' },
  ])
  const inBerlin = { timezoneId: 'Europe/Berlin' }

  it('say in which time zone they are', async () => {
    const page = await open('', inBerlin)
    await expect.poll(() => page.getByRole('button', { name: 'Time zone' }).innerText()).toMatch(/UTC\+[12]$/)
    await expect
      .poll(() => page.getByRole('button', { name: 'Time zone' }).getAttribute('title'))
      .toMatch(/^Times are in UTC\+[12] · Europe\/Berlin\. Switch to UTC/)
    await expect.poll(() => rows(page).first().locator('time').innerText()).toBe('00:30:00')
    await expect
      .poll(() => rows(page).first().locator('.cell-time').getAttribute('title'))
      .toBe('2026-03-02 00:30:00.123456 UTC+1 · Europe/Berlin (2026-03-01T23:30:00.123456Z)')
    await rows(page).first().click()
    await expect
      .poll(() => detail(page).locator('.detail-when').innerText())
      .toContain('2026-03-02 00:30:00.123456 UTC+1 · Europe/Berlin')
  })

  it('change to UTC and back at a click, and stay so', async () => {
    const page = await open('', inBerlin)
    await page.getByRole('button', { name: 'Time zone' }).click()
    const time = () => rows(page).first().locator('time').innerText()
    await expect.poll(time).toBe('23:30:00')
    await expect.poll(() => page.locator('.day').first().innerText()).toMatch(/Sunday, March 1, 2026$/)
    await expect.poll(() => page.getByRole('button', { name: 'Time zone' }).innerText()).toMatch(/UTC$/)
    await page.reload()
    await expect.poll(time).toBe('23:30:00')
    await page.keyboard.press('u')
    await expect.poll(time).toBe('00:30:00')
    await expect.poll(() => page.locator('.day').first().innerText()).toMatch(/Monday, March 2, 2026$/)
  })

  it('are chosen on the clock that is shown', async () => {
    const page = await open('?from=2026-03-01T23:00:00.000Z', inBerlin)
    const from = page.getByLabel('From', { exact: true })
    await expect.poll(() => from.inputValue()).toBe('2026-03-02T00:00')
    await page.getByRole('button', { name: 'Time zone' }).click()
    await expect.poll(() => from.inputValue()).toBe('2026-03-01T23:00')
    await from.fill('2026-03-01T22:00')
    await expect.poll(() => query(page)).toEqual({ from: '2026-03-01T22:00:00.000Z' })
  })

  it('and everything else are in English, whatever the language of the browser', async () => {
    const page = await open('', { ...inBerlin, locale: 'de-DE' })
    await expect.poll(() => page.locator('.day').first().innerText()).toMatch(/Monday, March 2, 2026$/)
    await page.locator('.bars[role="img"]').waitFor()
    const label = await page.locator('.bars').getAttribute('aria-label')
    expect(label).toMatch(/the most from (Feb 28|Mar \d), 2026, \d\d:\d\d on$/)
  })
})
