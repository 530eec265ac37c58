import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The browser of this machine: `CHROMIUM_PATH` (none if it is empty), else where systems put it. */
export const chromiumPath =
  (process.env.CHROMIUM_PATH ?? usualPaths.find((path) => existsSync(path))) || undefined

export const noChromium = 'There is no Chromium. Install one, or set CHROMIUM_PATH.'

/** Starts it without a window and without a word to its maker. */
export function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(noChromium)
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
}
