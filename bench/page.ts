// How long the page of a large log takes to be there, in a browser: npm run bench:page [entries]
import { setTimeout } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../scripts/chromium.ts'
import { fillLog } from '../scripts/fill-log.ts'
import { startWebPage } from '../src/cli/ui.ts'
import { startDatabase } from './database.ts'
import { currentLoad } from './machine.ts'
import { median } from './measure.ts'

const [entries, rounds] = [Number(process.argv[2] ?? 1_000_000), 9]

/** Each with a browser's empty cache. The first view is what a visitor waits for; the others are deep links. */
const views: Record<string, string> = {
  'first view': '',
  'one record': '?view=record&resource=order&id=42',
  'one actor': '?actor=ada',
  'one action': '?action=order.update',
  'a pattern of actions': '?action=*.login',
  'failed logins, the last hour': '?view=logins&last=1h',
  'failures only': '?outcome=failure',
}

/** Notes in the page itself when its rows are painted and answer to the reader, and when the chart is drawn. */
const watch = `
  window.seen = {}
  const note = (name) => requestAnimationFrame(() => setTimeout(() => { seen[name] = performance.now() }))
  const observer = new MutationObserver(() => {
    if (!seen.rows && document.querySelector('.row, .moment')) note('rows')
    if (!seen.chart && document.querySelector('.u-over')) note('chart')
  })
  observer.observe(document, { childList: true, subtree: true })`

const database = await startDatabase()
const browser = await launchChromium()
try {
  await fillLog(database.pool, entries)
  const server = await startWebPage(database.url, { port: '0' })
  console.log(
    `${entries.toLocaleString('en')} entries, load ${currentLoad().toFixed(1)}; median of ${rounds}, ms`,
  )
  for (const [name, query] of Object.entries(views)) {
    const times: { rows: number; chart: number }[] = []
    for (let round = -1; round < rounds; round++) {
      const time = await visit(browser, `${server.url}${query}`)
      if (round >= 0) times.push(time)
    }
    const [rows, chart] = [times.map((time) => time.rows), times.map((time) => time.chart)].map(median)
    console.log(
      `${name.padEnd(30)} rows ${rows?.toFixed(0).padStart(5)}   chart ${(chart ? chart.toFixed(0) : '-').padStart(5)}`,
    )
  }
  await server.close()
} finally {
  await browser.close()
  await database.stop()
}

/** Milliseconds since the browser began to open the address. */
async function visit(browser: Browser, address: string): Promise<{ rows: number; chart: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.addInitScript(watch)
  await page.goto(address)
  const needed = address.includes('view=record') ? ['rows'] : ['rows', 'chart']
  let seen: { rows?: number; chart?: number } = {}
  while (!needed.every((part) => part in seen)) {
    await setTimeout(50)
    seen = await page.evaluate('seen')
  }
  await context.close()
  return { rows: Number.NaN, chart: Number.NaN, ...seen }
}
