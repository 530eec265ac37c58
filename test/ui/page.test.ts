import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { detail, hasBrowser, inBrowser, query, rows, verbs, violations } from './browser.ts'
import { insertSamples, minute } from './entries.ts'

const attack = `<img src=x onerror="alert(1)"><script>alert(2)</script>`

describe.skipIf(!hasBrowser)('the page in a browser', () => {
  const test = inBrowser(sampleEntries())
  const { open } = test
  const field = (page: Page, name: string) => page.getByRole('combobox', { name, exact: true })

  describe('the timeline', () => {
    it('shows what happened, newest first, under its day', async () => {
      const page = await open()
      await expect.poll(() => page.locator('.day').first().textContent()).toMatch(/March 1, 2026$/)
      expect((await verbs(page)).slice(0, 5)).toEqual(['login', 'delete', 'connect', 'update', 'create'])
      const names = await page.locator('.row .actor-name').allTextContents()
      expect(names.slice(0, 3)).toEqual(['bob', 'bob@example.com', 'ada'])
      const update = rows(page).nth(3)
      await expect
        .poll(() => update.locator('.cell-summary').innerText())
        .toMatch(/^status\s*paid\s*→\s*shipped/)
      await expect
        .poll(() => update.locator('time').getAttribute('datetime'))
        .toBe('2026-03-01T10:02:00.000000Z')
      await expect
        .poll(() => update.locator('.cell-time').getAttribute('title'))
        .toContain('2026-03-01T10:02:00.000000Z')
    })

    it('loads older entries as the reader comes to the end', async () => {
      const page = await open()
      await expect.poll(() => rows(page).count()).toBe(50)
      await rows(page).last().scrollIntoViewIfNeeded()
      await page.getByText(/^The end: 15\d entries$/).waitFor()
      await expect.poll(() => rows(page).count()).toBe(test.ids.length)
    })

    it('filters by each field, and the address says so', async () => {
      const page = await open()
      await field(page, 'Resource').selectOption('user')
      await expect.poll(() => verbs(page)).toEqual(['login'])
      expect(query(page)).toEqual({ resource: 'user' })

      await page.getByRole('link', { name: 'Clear all' }).click()
      await expect.poll(() => rows(page).count()).toBe(50)
      await field(page, 'Action').fill('*.delete')
      await field(page, 'Action').press('Enter')
      await expect.poll(() => verbs(page)).toEqual(['delete'])

      await page.getByRole('link', { name: 'Remove the filter action' }).click()
      await field(page, 'Outcome').selectOption('failure')
      await expect.poll(() => verbs(page)).toEqual(['login'])
      await field(page, 'Outcome').selectOption('')

      await page.getByLabel('Search text').fill('SHIPPED')
      await expect.poll(() => verbs(page)).toEqual(['delete', 'update'])
      expect(query(page)).toEqual({ text: 'SHIPPED' })
    })

    it('filters by actor and time, and a reload keeps the view', async () => {
      const page = await open('', { timezoneId: 'UTC' })
      await field(page, 'Actor').fill('ada')
      await field(page, 'Actor').press('Enter')
      await expect.poll(async () => (await verbs(page)).slice(0, 3)).toEqual(['connect', 'update', 'create'])

      await field(page, 'Time').selectOption('Last hour')
      await page.getByText('No entry matches').waitFor()
      expect(query(page)).toEqual({ actor: 'ada', last: '1h' })

      await field(page, 'Time').selectOption('Between…')
      await page.getByLabel('From', { exact: true }).fill('2026-03-01T10:01')
      await expect.poll(() => verbs(page)).toEqual(['connect', 'update'])
      await page.getByLabel('To', { exact: true }).fill('2026-03-01T10:03')
      await expect.poll(() => verbs(page)).toEqual(['update'])
      const shown = { actor: 'ada', from: minute(1), to: minute(3) }
      expect(query(page)).toEqual(shown)

      await page.reload()
      await expect.poll(() => verbs(page)).toEqual(['update'])
      expect(query(page)).toEqual(shown)
      await expect.poll(() => field(page, 'Actor').inputValue()).toBe('ada')
      await expect.poll(() => page.getByLabel('From', { exact: true }).inputValue()).toBe('2026-03-01T10:01')
    })

    it('says when nothing matches, and the way back', async () => {
      const page = await open('?actor=nobody')
      await page.getByText('No entry matches').waitFor()
      await page.getByRole('link', { name: 'Clear the filters' }).click()
      await expect.poll(() => rows(page).count()).toBe(50)
    })

    it('filters by a click on a bar of the chart', async () => {
      const page = await open('?resource=order')
      const plot = page.locator('.u-over')
      await plot.waitFor()
      const box = await plot.boundingBox()
      await page.mouse.click((box?.x ?? 0) + 3, (box?.y ?? 0) + 20)
      await expect.poll(() => query(page)).toMatchObject({ from: minute(0), resource: 'order' })
      const { from, to } = query(page) as { from: string; to: string }
      expect(Date.parse(to)).toBeGreaterThan(Date.parse(from))
      await expect.poll(() => verbs(page)).toEqual(['create'])
    })

    it('filters by a span dragged over the chart', async () => {
      const page = await open('?resource=order')
      const plot = page.locator('.u-over')
      await plot.waitFor()
      const box = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0 }
      await page.mouse.move(box.x + 1, box.y + 20)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width - 2, box.y + 20, { steps: 4 })
      await page.mouse.up()
      await expect.poll(() => Object.keys(query(page))).toEqual(['resource', 'from', 'to'])
      await expect.poll(() => verbs(page)).toEqual(['delete', 'connect', 'update', 'create'])
    })

    it('says how far it searched when time ran out, and searches further', async () => {
      const page = await open()
      await page.route(/api\/entries\?text=rare/, async (route) => {
        const more = route.request().url().includes('cursor')
        const answer = { entries: [], nextCursor: more ? null : 'next', stoppedAt: more ? null : minute(0) }
        await route.fulfill({ json: answer })
      })
      await page.getByLabel('Search text').fill('rare')
      await page.getByText(/Searched back to .* and\s+stopped there/).waitFor()
      await page.getByRole('button', { name: 'Search further back' }).click()
      await page.getByText('No entry matches').waitFor()
    })
  })

  describe('an entry', () => {
    it('opens at a click with its fields side by side, and closes with the back button', async () => {
      const page = await open()
      await rows(page).nth(3).click()
      await detail(page).getByRole('heading').waitFor()
      expect(query(page)).toEqual({ entry: test.ids[3] })
      const table = detail(page).locator('table.is-changed')
      await expect.poll(() => table.locator('thead').innerText()).toMatch(/Field\s+Before\s+After/)
      await expect
        .poll(() => table.locator('tbody tr').allInnerTexts())
        .toEqual(['status\tpaid\tshipped', 'note\tcall Ada\tcall Eda'])
      await expect.poll(() => table.locator('mark').allTextContents()).toEqual(['A', 'E'])
      const unchanged = detail(page).locator('.unchanged')
      await expect.poll(() => unchanged.locator('summary').textContent()).toBe('2 unchanged fields')
      expect(await unchanged.locator('tbody').isVisible()).toBe(false)
      await unchanged.locator('summary').click()
      await expect.poll(() => unchanged.locator('tbody').innerText()).toMatch(/total\s+10\.50/)
      await page.goBack()
      await expect.poll(() => detail(page).count()).toBe(0)
    })

    it('has an address of its own, also when the list does not show it', async () => {
      const oldest = test.ids.at(-1) as string
      const page = await open(`?resource=order&entry=${oldest}`)
      await detail(page).getByRole('heading').waitFor()
      await expect.poll(() => detail(page).innerText()).toContain(oldest)
    })

    it('shows every digit', async () => {
      const page = await open('?text=123456789012345678901')
      await rows(page).first().click()
      await expect
        .poll(() => detail(page).locator('.fields').innerText())
        .toContain('123456789012345678901.50')
    })

    it('leads to its actor, its transaction and the life of its record', async () => {
      const page = await open(`?entry=${test.ids[3]}`)
      await detail(page).getByRole('link', { name: 'Same transaction' }).click()
      await expect.poll(() => verbs(page)).toEqual(['connect', 'update'])
      await rows(page).first().click()
      await detail(page).getByRole('link', { name: 'ada', exact: true }).click()
      await expect.poll(() => query(page)).toEqual({ actor: 'ada' })
    })

    it('that the log does not have is said to be missing', async () => {
      const page = await open('?entry=01900000-0000-7000-8000-000000000000', {}, { failing: true })
      await detail(page).getByText('The log has no entry with this id.').waitFor()
    })
  })

  it('shows markup in values as text', async () => {
    const page = await open(
      `?action=${encodeURIComponent('order.create')}&actor=${encodeURIComponent(attack)}`,
    )
    await expect.poll(() => rows(page).count()).toBe(1)
    await expect.poll(() => rows(page).locator('.record-id').textContent()).toBe(attack)
    await rows(page).first().click()
    await detail(page).getByRole('heading').waitFor()
    await detail(page).getByText('As stored').click()
    await expect.poll(() => detail(page).locator('blockquote').textContent()).toBe(attack)
    await expect
      .poll(() => detail(page).locator('.fields td').allTextContents())
      .toEqual(['javascript:alert(3)', attack])
    expect(await page.locator('img, main script, iframe, svg svg').count()).toBe(0)
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    await detail(page).getByRole('link', { name: 'Life of this record' }).click()
    await page.locator('.moment').first().waitFor()
    await expect.poll(() => page.locator('h1 .record-id').textContent()).toBe(attack)
    expect(await page.locator('img, main script').count()).toBe(0)
  })

  it('could not load an image from elsewhere, even if markup got in', async () => {
    const context = await test.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(test.server.url)
    const refused = await page.evaluate(`new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective))
      document.body.append(Object.assign(document.createElement('img'), { src: '//attacker.example/leak.png' }))
    })`)
    expect(refused).toBe('img-src')
  })

  describe('the life of a record', () => {
    it('tells it from the newest to the first entry, with the last known state', async () => {
      const page = await open('?view=record&resource=order&id=7')
      await expect
        .poll(() => page.locator('.moment .verb').allTextContents())
        .toEqual(['delete', 'connect', 'update', 'create'])
      await expect.poll(() => page.locator('.figures').innerText()).toMatch(/4 entries\s+2 actors/)
      const state = page.locator('.state-now')
      await expect.poll(() => state.locator('h2').textContent()).toBe('When it was deleted')
      await expect.poll(() => state.innerText()).toMatch(/status\s+shipped/)
      await page.locator('.moment-time').nth(2).click()
      await expect.poll(() => query(page)).toMatchObject({ entry: test.ids[3] })
    })

    it('of a record that the log does not know says so', async () => {
      const page = await open('?view=record&resource=order&id=unknown')
      await page.getByText('Nothing is known about this record').waitFor()
    })
  })

  it('shows who failed to log in, and from where', async () => {
    const page = await open('?view=logins&from=2026-01-01T00:00:00Z')
    await page.locator('.card').first().waitFor()
    await expect.poll(() => page.locator('.card').nth(0).innerText()).toMatch(/bob\s+1\s+1/)
    await expect.poll(() => page.locator('.card').nth(1).innerText()).toMatch(/203\.0\.113\.9\s+1\s+1/)
    await expect.poll(() => verbs(page)).toEqual(['login'])
  })

  describe('the keyboard', () => {
    it('moves through the entries with j and k, opens with Enter, closes with Escape', async () => {
      const page = await open()
      await page.keyboard.press('j')
      await expect.poll(() => query(page)).toEqual({ entry: test.ids[0] })
      await page.keyboard.press('j')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('k')
      await expect.poll(() => query(page)).toEqual({ entry: test.ids[1] })
      await page.keyboard.press('Enter')
      await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe('detail')
      await page.keyboard.press('Escape')
      await expect.poll(() => query(page)).toEqual({})
      await expect.poll(() => page.evaluate('document.activeElement.dataset.entry')).toBe(test.ids[1])
      await page.goBack()
      await page.goBack()
      await expect.poll(() => query(page)).toEqual({})
    })

    it('searches with /, leaves the search with Escape, and does not take letters from it', async () => {
      const page = await open()
      await page.keyboard.press('/')
      await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe('search')
      await page.keyboard.type('jk?')
      await expect.poll(() => page.getByLabel('Search text').inputValue()).toBe('jk?')
      await page.keyboard.press('Escape')
      await expect.poll(() => page.evaluate('document.activeElement?.tagName')).toBe('BODY')
    })

    it('reaches the entries past everything else with Tab and Enter', async () => {
      const page = await open()
      await page.keyboard.press('Tab')
      await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Skip to the entries')
      await page.keyboard.press('Enter')
      await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe('main')
    })

    it('explains itself with ?, and l leads to the life of the record', async () => {
      const page = await open()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keys' }).waitFor()
      await page.keyboard.press('Escape')
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      await detail(page).getByText('Life of this record').waitFor()
      await page.keyboard.press('l')
      await expect.poll(() => query(page)).toEqual({ view: 'record', resource: 'order', id: '7' })
    })
  })

  it('says when its server is gone, and tries again', async () => {
    const page = await open('', {}, { failing: true })
    await page.route('**/api/entries?*', (route) => route.abort())
    await field(page, 'Outcome').selectOption('failure')
    await page.getByRole('alert').getByText('The server of this page does not answer.').waitFor()
    await page.unroute('**/api/entries?*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => verbs(page)).toEqual(['login'])
  })

  it('is light or dark as the system is, until the reader chooses, and remembers that', async () => {
    const page = await open('', { colorScheme: 'dark' })
    const theme = () => page.evaluate('document.documentElement.dataset.theme')
    await expect.poll(() => theme()).toBe('dark')
    await page.getByRole('button', { name: 'Switch to light' }).click()
    await expect.poll(() => theme()).toBe('light')
    await page.reload()
    await rows(page).first().waitFor()
    await expect.poll(() => theme()).toBe('light')
  })

  it('fits a phone', async () => {
    const page = await open('', { viewport: { width: 375, height: 740 } })
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    expect(await overflow()).toBeLessThanOrEqual(0)
    expect(await field(page, 'Actor').isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Filters' }).click()
    await field(page, 'Outcome').selectOption('failure')
    await expect.poll(() => verbs(page)).toEqual(['login'])
    await rows(page).first().click()
    await detail(page).getByRole('heading').waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
    await detail(page).getByRole('link', { name: 'Close the entry' }).click()
    await expect.poll(() => detail(page).count()).toBe(0)
    await page.goto(`${test.server.url}?view=record&resource=order&id=7`)
    await page.locator('.moment').first().waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
  })

  // axe looks at every element, which takes a busy machine long
  describe.each(['light', 'dark'] as const)('in %s, for everyone', { timeout: 90_000 }, (colorScheme) => {
    it.each([
      ['the timeline', ''],
      ['an entry', '?action=order.*&entry=#3'],
      ['nothing', '?actor=nobody'],
      ['the life of a record', '?view=record&resource=order&id=7'],
      ['failed logins', '?view=logins&from=2026-01-01T00:00:00Z'],
    ])('axe finds nothing serious in %s', async (_, path) => {
      for (const width of [1440, 375]) {
        const page = await open(path.replace('#3', test.ids[3] as string), {
          colorScheme,
          viewport: { width, height: 900 },
        })
        await page.locator('[aria-busy="true"]').waitFor({ state: 'detached' })
        expect(await violations(page)).toEqual([])
      }
    })

    it('axe finds nothing serious in the help', async () => {
      const page = await open('', { colorScheme })
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keys' }).waitFor()
      expect(await violations(page)).toEqual([])
    })

    it('axe finds nothing serious in an error', async () => {
      const page = await open('?from=never', { colorScheme }, { failing: true })
      await page.getByRole('alert').first().waitFor()
      expect(await violations(page)).toEqual([])
    })
  })

  it('shows who the database says made a change that is not from the audited client', async () => {
    const source = { role: 'reporting', application: 'psql', address: '10.0.0.7' }
    const status = { before: { status: 'open' }, after: { status: 'paid' }, changed: ['status'] }
    const [id = ''] = await insertSamples(test.database, [
      {
        ...{ at: '2024-01-01T00:00:00Z', action: 'invoice.update', details: { ...status, source } },
        actor: { id: 'postgres:reporting', type: 'system' },
      },
    ])
    const page = await open('?action=invoice.update')
    await expect.poll(() => rows(page).locator('.cell-summary').innerText()).toMatch(/by psql as reporting$/)
    await expect
      .poll(() => rows(page).locator('.source').getAttribute('title'))
      .toBe('Not by the audited client. Role reporting, connected from 10.0.0.7')
    await page.goto(`${test.server.url}?entry=${id}`)
    await expect
      .poll(() => detail(page).locator('.detail-head').innerText())
      .toContain('by psql as reporting')
    const facts = await detail(page).locator('.facts').innerText()
    expect(facts).toMatch(/Role\s+reporting\s+Application\s+psql\s+Connected from\s+10\.0\.0\.7/)
    await page.goto(`${test.server.url}?view=record&resource=invoice&id=1`)
    await expect.poll(() => page.locator('.moment').innerText()).toContain('by psql as reporting')
  })
})

/** Newest first: a login that failed, the life of order 7 backwards, a record of an attacker's, and a long past. */
function sampleEntries(): Parameters<typeof insertSamples>[1] {
  const order = { id: 7, status: 'paid', total: '10.50', note: 'call Ada' }
  const shipped = { ...order, status: 'shipped', note: 'call Eda' }
  const resource = { id: '7' }
  return [
    {
      ...{
        at: minute(5),
        action: 'user.login',
        outcome: 'failure',
        reason: 'wrong password',
        ip: '203.0.113.9',
      },
      ...{ actor: { id: 'bob' }, resource: { id: 'bob' } },
    },
    {
      ...{ at: minute(4), action: 'order.delete', resource, details: { before: shipped } },
      actor: { id: 'bob', email: 'bob@example.com' },
    },
    {
      ...{ at: minute(3), action: 'order.connect', resource, transactionId: 500 },
      details: { relation: 'tags', target: { type: 'tag', id: '3' } },
    },
    {
      ...{ at: minute(2), action: 'order.update', resource, transactionId: 500 },
      details: { before: order, after: shipped, changed: ['status', 'note'] },
    },
    { at: minute(0), action: 'order.create', resource, details: { after: order } },
    {
      ...{
        at: minute(-5000),
        action: 'order.create',
        actor: { id: attack },
        resource: { type: 'attack', id: attack },
      },
      ...{
        reason: attack,
        requestId: attack,
        details: { after: { name: attack, link: 'javascript:alert(3)' } },
      },
    },
    {
      ...{ at: minute(-6000), action: 'meter.create' },
      details: '{"after": {"n": 123456789012345678901.50}}',
    },
    ...Array.from({ length: 148 }, (_, index) => ({ at: minute(-7000 - index), action: 'price.update' })),
  ] as Parameters<typeof insertSamples>[1]
}
