// Takes the pictures of the page for the documents: npm run docs:images
import { join } from 'node:path'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import { startWebPage, type WebPageServer } from '../src/cli/ui.ts'
import { launchChromium } from './chromium.ts'
import { startEmbedded } from './postgres.ts'
import { applyMigrations } from './schema-engine.ts'
import { fillShopLog, shopEnd } from './shop-log.ts'

const desktop = { width: 1360, height: 800 }
const phone = { width: 390, height: 720 }

/** What is in each picture. `open` is the place in the list of an entry to click. */
const pictures = [
  { name: 'timeline', query: '', viewport: desktop, theme: 'light', open: 5 },
  { name: 'record', query: '?view=record&resource=order&id=18837', viewport: desktop, theme: 'dark' },
  { name: 'logins', query: '?view=logins&last=30d', viewport: desktop, theme: 'light' },
  { name: 'phone', query: '?actor=jonas', viewport: phone, theme: 'light' },
] as const

const database = await startEmbedded('18')
const browser = await launchChromium()
try {
  await applyMigrations(database.url, join(import.meta.dirname, '..', 'prisma', 'migrations'))
  const pool = new pg.Pool({ connectionString: database.url })
  await pool.query('CREATE DATABASE shop TEMPLATE postgres')
  await pool.end()
  const url = database.url.replace(/postgres$/, 'shop')
  const shop = new pg.Pool({ connectionString: url })
  await fillShopLog(shop, 20_000)
  await shop.end()
  const page = await startWebPage(url, { port: '0' })
  for (const picture of pictures) await take(browser, page, picture)
  await page.close()
} finally {
  await browser.close()
  await database.stop()
}

async function take(
  browser: Browser,
  server: WebPageServer,
  picture: (typeof pictures)[number],
): Promise<void> {
  const { name, query, viewport, theme: colorScheme } = picture
  const page = await browser.newPage({ viewport, colorScheme, locale: 'en-US', timezoneId: 'UTC' })
  await page.clock.setFixedTime(shopEnd)
  await page.goto(`${server.url}${query}`)
  await page.locator('.row, .moment').first().waitFor()
  if ('open' in picture) {
    await page.locator('.row').nth(picture.open).click()
    await page.mouse.move(0, 0)
    await page.locator('.detail .diff').waitFor()
  }
  await page.locator('[aria-busy="true"]').waitFor({ state: 'detached' })
  await page.evaluate('document.fonts.ready')
  await page.screenshot({ path: `docs/images/page-${name}.png`, animations: 'disabled' })
  await page.close()
}
