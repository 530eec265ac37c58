import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { detail, hasBrowser, inBrowser, rows, verbs } from './browser.ts'
import { minute, type Sample } from './entries.ts'

const settings = { theme: 'dark', limits: { seats: 10, users: 5 } }
const later = { theme: 'dark', limits: { seats: 25, users: 5 }, tags: ['new'] }

/** Three entries of events that the queue wrote together, and an event beside a change. */
const samples: Sample[] = [
  {
    at: minute(9),
    action: 'user.login',
    ip: '203.0.113.9',
    details: { method: 'passkey' },
    transactionId: 70,
  },
  {
    at: minute(8),
    action: 'report.export',
    resource: { id: null },
    details: { format: 'csv', rows: 1200 },
    transactionId: 70,
  },
  {
    ...{ at: minute(7), action: 'patient.read', resource: { type: 'patient', id: null }, transactionId: 70 },
    details: {
      ids: ['1', '2', '3', '4'],
      count: 4,
      fields: ['id', 'name'],
      filter: { ward: '?' },
      operation: 'findMany',
    },
  },
  { at: minute(6), action: 'order.refund', details: { amount: '21.00' }, transactionId: 80 },
  {
    ...{ at: minute(5), action: 'order.update', transactionId: 80 },
    details: { before: { settings }, after: { settings: later }, changed: ['settings'] },
  },
  {
    ...{ at: minute(4), action: 'order.update', transactionId: 90, resource: { id: '9' } },
    details: { before: { n: 1 }, after: { n: 2 }, changed: ['n'], operation: 'logDataChange' },
  },
  {
    at: minute(3),
    action: 'user.login',
    outcome: 'failure',
    reason: 'wrong password',
    ip: '203.0.113.7',
    transactionId: 91,
  },
  {
    at: minute(2),
    action: 'search.run',
    resource: { id: null },
    details: { terms: 'shoes' },
    transactionId: 90,
  },
]

describe.skipIf(!hasBrowser)('the entries of the page', () => {
  const test = inBrowser(samples)
  const { open } = test
  const summary = async (page: Page, index: number) =>
    (await rows(page).nth(index).locator('.cell-summary').innerText()).replace(/\s+/g, ' ')
  const openEntry = async (index: number) => {
    const page = await open(`?entry=${test.ids[index]}`)
    await detail(page).getByRole('heading').first().waitFor()
    await detail(page).locator('.skeleton').waitFor({ state: 'detached' })
    return page
  }
  const sameTransaction = (page: Page) => detail(page).getByRole('link', { name: 'Same transaction' })

  it('say in their row what a read, an event or a login was about', async () => {
    const page = await open()
    await expect.poll(() => summary(page, 0)).toBe('from 203.0.113.9 method passkey')
    await expect.poll(() => summary(page, 1)).toBe('rows 1200 format csv')
    await expect
      .poll(() => summary(page, 2))
      .toBe('4 records 1, 2, 3 and 1 more fields id, name where {"ward":"?"}')
    await expect.poll(() => summary(page, 3)).toBe('amount 21.00')
    await expect.poll(() => summary(page, 6)).toBe('failed from 203.0.113.7 “wrong password”')
    await expect.poll(() => summary(page, 7)).toBe('terms shoes')
  })

  it('show JSON laid out alike on both sides, with the change marked inside the value', async () => {
    const page = await openEntry(4)
    const table = detail(page).locator('table.is-changed')
    const lines = await table.locator('tbody tr').allInnerTexts()
    expect(lines.map((line) => line.replaceAll('\u00a0', ' '))).toEqual([
      'settings\t{\t{',
      '-\t  "tags": ["new"],'.replace('-', ''),
      '  "theme": "dark",\t  "theme": "dark",',
      '  "limits": {\t  "limits": {',
      '    "seats": 10,\t    "seats": 25,',
      '    "users": 5\t    "users": 5',
      '  }\t  }',
      '}\t}',
    ])
    await expect.poll(() => table.locator('mark').allTextContents()).toEqual(['"tags": ["new"],', '10', '25'])
  })

  it('lead to the same transaction from a change, and from an event that was recorded beside one', async () => {
    for (const index of [4, 3]) {
      const page = await openEntry(index)
      await sameTransaction(page).click()
      await expect.poll(() => verbs(page)).toEqual(['refund', 'update'])
    }
  })

  it('of events are of no "same transaction" where they may only have been queued together', async () => {
    for (const index of [0, 1, 2, 5, 6, 7]) {
      const page = await openEntry(index)
      await detail(page).getByText('Entry id').waitFor()
      expect(await sameTransaction(page).count()).toBe(0)
      const facts = await detail(page).locator('.facts').last().innerText()
      expect(facts).toMatch(/Transaction\s+(70|90|91)/)
    }
    const page = await open()
    await expect.poll(() => page.locator('.row.follows .verb').allTextContents()).toEqual(['update'])
  })
})
