import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { chromiumPath, launchChromium, noChromium } from '../../scripts/chromium.ts'
import { startWebPage, type WebPageServer } from '../../src/cli/ui.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { insertSamples, type Sample } from './entries.ts'

export const hasBrowser = chromiumPath !== undefined
if (!hasBrowser) console.warn(`The page is not tested in a browser. ${noChromium}`)

/** The text of a script that looks for what keeps people from using a page. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The page of a log with the entries of a test, in a browser. There is nothing of it before the tests run. */
export interface BrowserTest {
  readonly browser: Browser
  readonly server: WebPageServer
  readonly database: Database
  /** Of the entries, in the order given. */
  readonly ids: readonly string[]
  /**
   * Opens an address; at the end asserts that nothing went wrong and that no request left the machine.
   *
   * @param failing whether requests are meant to fail, which browsers note in their console
   */
  open(path?: string, options?: BrowserContextOptions, how?: { failing?: boolean }): Promise<Page>
}

/** Starts all of it before the tests of a block, and stops it after them. */
export function inBrowser(samples: readonly Sample[]): BrowserTest {
  let started: Pick<BrowserTest, 'browser' | 'server' | 'database' | 'ids'>
  beforeAll(async () => {
    const database = await createDatabase()
    const ids = await insertSamples(database, samples)
    const server = await startWebPage(database.url, { port: '0' })
    started = { database, ids, server, browser: await launchChromium() }
  })
  afterAll(async () => {
    await started?.browser.close()
    await started?.server.close()
  })
  return {
    get browser() {
      return started.browser
    },
    get server() {
      return started.server
    },
    get database() {
      return started.database
    },
    get ids() {
      return started.ids
    },
    async open(path = '', options = {}, { failing = false } = {}) {
      const { browser, server } = started
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
      const page = await context.newPage()
      const wrong: string[] = []
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== new URL(server.url).origin) wrong.push(request.url())
      })
      page.on('dialog', (dialog) => {
        wrong.push(`dialog: ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('pageerror', (error) => wrong.push(String(error)))
      page.on('console', (message) => !failing && message.type() === 'error' && wrong.push(message.text()))
      onTestFinished(async () => {
        await context.close()
        expect(wrong).toEqual([])
      })
      await page.goto(`${server.url}${path}`)
      await page.locator('.row, .moment, .state').first().waitFor()
      return page
    },
  }
}

export const rows = (page: Page) => page.locator('.row')
export const verbs = (page: Page) => page.locator('.row .verb').allTextContents()
export const query = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams)
export const detail = (page: Page) => page.locator('.detail')

/** What keeps people from using the page, as axe sees it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}
