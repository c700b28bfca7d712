import type { FunnelAnswer, FunnelQuery } from '@hopper/contracts'
import type { Browser, Page } from 'playwright-core'
import { whenCounted, type Installation, type InstallationOptions } from '../installations/installation.ts'
import { hopper } from '../installations/service.ts'
import { standalone } from '../installations/standalone.ts'
import { launchBrowser } from '../traffic/launch-browser.ts'
import { logOwnerIn } from './owner-login.fixture.ts'

const DEFAULT_TIMEOUT_MS = 30_000
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'

/** A Hopper with demo data of a fixed seed, and a browser in which its owner is logged in. */
export interface OpenedDashboard {
  readonly installation: Installation
  readonly page: Page
  readonly browser: Browser
  /** the read key of the demo shop */
  readonly readKey: string
  /** errors of the page and of its console so far */
  readonly complaints: readonly string[]
  /** Opens a page of an app and waits for its heading. */
  open(path: string, app?: string): Promise<void>
  /** Asks the API with the read key of the demo shop: what the dashboard is compared with. */
  ask(body: FunnelQuery): Promise<FunnelAnswer>
  /** Asks for a report of the demo shop, by its path below the app. */
  get<T>(path: string): Promise<T>
  /** Sends a query of the demo shop, by its path below the app. */
  post<T>(path: string, query: object): Promise<T>
  /** Sends events of a device of the demo shop, with more of what a body can say of its sender. */
  send(device: string, events: readonly object[], sender?: object): Promise<void>
  close(): Promise<void>
}

export interface DemoTraffic {
  readonly days: number
  readonly visitors: number
}

/** Starts standalone, loads demo traffic unless there should be none, and logs the owner in. */
export async function openDashboard(
  traffic?: DemoTraffic,
  options: InstallationOptions = {},
): Promise<OpenedDashboard> {
  const installation = await standalone(options)
  const browser = await launchBrowser()
  await installation.start()
  const readKey = /read key of demo-shop\s+(hr_\S+)/.exec(installation.output())![1]!
  const shop = await (await fetch(`${installation.ingestUrl}/demo/shop/`)).text()
  const writeKey = /data-key="(hw_[^"]+)"/.exec(shop)![1]!
  const call = async <T>(path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${readKey}`, 'content-type': 'application/json' }
    const answer = await fetch(`${installation.apiUrl}/api/v1/apps/demo-shop/${path}`, {
      headers,
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
  if (traffic) {
    const { days, visitors } = traffic
    const options = ['--days', String(days), '--visitors', String(visitors), '--seed', 'dashboard']
    await hopper(['load', '--demo', '--url', installation.ingestUrl, '--key', writeKey, ...options])
    await whenCounted(installation, readKey, 120_000)
  }
  const context = await browser.newContext({ viewport: { width: 1_440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(DEFAULT_TIMEOUT_MS)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  await logOwnerIn(page, installation)
  await page.getByRole('heading', { level: 1 }).waitFor()
  return {
    installation,
    page,
    browser,
    readKey,
    complaints,
    async open(path, app = 'demo-shop') {
      await page.goto(`${installation.apiUrl}/a/${app}/${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
    },
    ask: (body) => call<FunnelAnswer>('funnels/query', body),
    get: call,
    post: call,
    async send(device_id, events, sender = {}) {
      const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
        method: 'POST',
        headers: { 'x-api-key': writeKey, 'content-type': 'application/json', 'user-agent': BROWSER },
        body: JSON.stringify({ device_id, events, ...sender }),
      })
      const { rejected } = (await answer.json()) as { rejected: readonly object[] }
      if (rejected.length > 0) throw new Error(`refused: ${JSON.stringify(rejected)}`)
    },
    async close() {
      await browser.close()
      await installation.dispose()
    },
  }
}

/** Returns the number at the beginning of a text: 1,845 people is 1845. */
export function numberOf(text: string | null): number {
  const found = /[\d,]+/.exec(text ?? '')
  if (!found) throw new Error(`no number in ${JSON.stringify(text)}`)
  return Number(found[0].replaceAll(',', ''))
}
