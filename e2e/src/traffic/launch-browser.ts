import { chromium, type Browser } from 'playwright-core'
import { agents } from './random-traffic.ts'

/** Flags of a Chromium that says it is a visitor's. */
export const browserArgs: readonly string[] = [
  // Set for the whole browser: Playwright's own setting misses requests that outlive a page, such as a beacon. Those
  // would then come from a headless browser, which counts as a bot.
  `--user-agent=${agents[0]!.userAgent}`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts a Chromium that says it is a visitor's; `args` are further flags of its command line. */
export function launchBrowser(...args: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: [...browserArgs, ...args] })
}
