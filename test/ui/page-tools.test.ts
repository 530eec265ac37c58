import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { detail, hasBrowser, inBrowser, query, rows, verbs } from './browser.ts'
import { minute } from './entries.ts'

describe.skipIf(!hasBrowser)('the page', () => {
  const test = inBrowser([
    { at: minute(3), action: 'user.login', outcome: 'failure', reason: 'wrong password' },
    { at: minute(2), organizationId: 'acme', details: { after: { note: 'rare' } } },
    { at: minute(1), action: 'order.create', organizationId: 'acme' },
    { at: minute(0), action: 'order.create', organizationId: 'globex' },
  ])
  const { open } = test

  it('filters by organization', async () => {
    const page = await open()
    await page.getByLabel('Organization').fill('acme')
    await page.getByLabel('Organization').press('Enter')
    await expect.poll(() => verbs(page)).toEqual(['update', 'create'])
    expect(query(page)).toEqual({ organization: 'acme' })
  })

  it('says that the chart and its totals leave the text filter out', async () => {
    const page = await open('?text=rare')
    await expect.poll(() => verbs(page)).toEqual(['update'])
    const note = 'The chart and its totals leave the text filter out: they also count entries without “rare”.'
    await page.getByText(note).waitFor()
    await page.getByRole('link', { name: 'Clear all' }).click()
    await expect.poll(() => rows(page).count()).toBe(4)
    await expect.poll(() => page.getByText(note).count()).toBe(0)
  })

  async function exported(page: Page, format: string): Promise<[name: string, text: string]> {
    await page.locator('summary', { hasText: 'Export' }).click()
    const begun = page.waitForEvent('download')
    await page.getByRole('link', { name: format }).click()
    const download = await begun
    return [download.suggestedFilename(), await readFile(await download.path(), 'utf8')]
  }

  it('exports what is shown as CSV and as NDJSON', async () => {
    const page = await open('?organization=acme')
    const [name, csv] = await exported(page, 'CSV')
    expect(name).toBe('audit-log.csv')
    const lines = csv.trimEnd().split('\r\n')
    expect(lines.map((line) => line.split(',').slice(0, 3).join(','))).toEqual([
      'seq,timestamp,action',
      '2,2026-03-01T10:02:00.000Z,order.update',
      '3,2026-03-01T10:01:00.000Z,order.create',
    ])
    const [, json] = await exported(page, 'NDJSON')
    const ids = json
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id)
    expect(ids).toEqual([test.ids[1], test.ids[2]])
  })

  it('exports the failed logins and the life of a record from their views', async () => {
    const logins = await open('?view=logins&from=2026-01-01T00:00:00Z')
    expect((await exported(logins, 'NDJSON'))[1]).toContain(test.ids[0])
    const life = await open('?view=record&resource=order&id=1')
    expect((await exported(life, 'NDJSON'))[1].trimEnd().split('\n').length).toBe(3)
  })

  it('copies the address of the filter and of the open entry, which shows the same', async () => {
    const granted = { permissions: ['clipboard-read', 'clipboard-write'] }
    const page = await open('?organization=acme', granted)
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()')
    await page.getByRole('button', { name: 'Copy link', exact: true }).click()
    await page.getByText('Copied').waitFor()
    expect(await copied()).toBe(`${test.server.url}?organization=acme`)

    await rows(page).nth(1).click()
    await detail(page).getByRole('button', { name: 'Copy link to this entry' }).click()
    await detail(page).getByText('Copied').waitFor()
    const link = await copied()
    expect(link).toBe(`${test.server.url}?organization=acme&entry=${test.ids[2]}`)
    const other = await open(new URL(link).search)
    await expect.poll(() => verbs(other)).toEqual(['update', 'create'])
    await expect.poll(() => detail(other).innerText()).toContain(test.ids[2])
  })
})
