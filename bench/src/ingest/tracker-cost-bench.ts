import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { trackedConfig } from '@hopper/contracts'
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'
import { median } from '../harness/paired.ts'

/** rounds of each order of the two scripts */
const ROUNDS = 3
const NODES = 10_000
const ELEMENTS = 20
const SWEEPS = 10
const MOVES_PER_SWEEP = 60
const REPEATS = 20
const SAMPLE_US = 100
const LONG_TASK_MS = 50
const BAR = 1
const GOAL = 0.5

const trackers = ['hopper', 'plausible'] as const
type Tracker = (typeof trackers)[number]
const phases = { load: 1, pointer: SWEEPS * MOVES_PER_SWEEP, scroll: REPEATS, click: REPEATS, navigation: REPEATS }
type Phase = keyof typeof phases

/** Main-thread time of each tracker in one phase, and its longest stretch without a pause, ms. */
type Cost = Record<Tracker, { ms: number; longestMs: number }>

const scripts: Record<Tracker, string> = {
  hopper: fileURLToPath(new URL('../../../tracker/dist/hopper.js', import.meta.url)),
  plausible: fileURLToPath(import.meta.resolve('@plausible-analytics/tracker')),
}

/**
 * Prints what the tracker costs a page of 10,000 nodes while the pointer moves over 20 interesting elements, as a ratio
 * to Plausible's tracker on the same page. Plausible has no hovers, so it does nothing while the pointer moves.
 */
export async function trackerCostBench(): Promise<void> {
  const requests: string[] = []
  const api = await listen((path, method) => {
    requests.push(`${method} ${path}`)
    return path === '/v1/config' ? { type: 'application/json', body: configuration() } : undefined
  })
  const site = await listen((path) => {
    const tracker = trackers.find((name) => path === `/${name}.js`)
    if (tracker) return { type: 'text/javascript', body: readFileSync(scripts[tracker], 'utf8') }
    return { type: 'text/html', body: pageHtml(urlOf(api), path === '/second') }
  })
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    const orders: Record<Phase, Cost>[][] = [[], []]
    let shift = 0
    for (let round = -1; round < ROUNDS; round++) {
      // the first script pays for what both need, such as opening the storage; the second wraps what the first has made
      for (const [order, costs] of orders.entries()) {
        const measured = await measureRound(browser, `${urlOf(site)}/${order === 0 ? 'first' : 'second'}`)
        shift += measured.shift
        if (round >= 0) costs.push(measured.costs)
      }
    }
    report(orders, shift, requests)
  } finally {
    await browser.close()
    for (const server of [api, site]) server.closeAllConnections()
    api.close()
    site.close()
  }
}

function report(orders: readonly Record<Phase, Cost>[][], shift: number, requests: readonly string[]): void {
  const whole = { hopper: 0, plausible: 0 }
  for (const [phase, times] of Object.entries(phases) as [Phase, number][]) {
    const [ours, theirs] = trackers.map((name) => {
      const medians = orders.map((rounds) => median(rounds.map((costs) => costs[phase][name].ms)))
      return medians.reduce((sum, ms) => sum + ms / medians.length, 0)
    })
    whole.hopper += ours!
    whole.plausible += theirs!
    printRatio(times === 1 ? phase : `${phase}, each of ${times}`, (ours! / times) * 1_000, (theirs! / times) * 1_000)
  }
  printRatio('all of this', whole.hopper * 1_000, whole.plausible * 1_000)
  const all = orders.flat().flatMap((costs) => Object.values(costs))
  const longest = Math.max(...all.map(({ hopper }) => hopper.longestMs))
  const preflights = requests.filter((request) => request.startsWith('OPTIONS')).length
  const posts = requests.filter((request) => request.startsWith('POST /v1/events')).length
  console.log(
    `  tracker-cost: longest stretch of Hopper's ${longest.toFixed(1)} ms (a long task has ${LONG_TASK_MS}), ` +
      `layout shift ${shift}, preflights ${preflights}, posts ${posts}; ` +
      (longest < LONG_TASK_MS && shift === 0 && preflights === 0 && posts > 0 ? 'reached' : 'NOT REACHED'),
  )
}

function printRatio(what: string, oursUs: number, theirsUs: number): void {
  const ratio = oursUs / theirsUs
  const verdict = ratio <= GOAL ? 'goal reached' : ratio <= BAR ? 'bar reached' : 'NOT REACHED'
  console.log(
    `  tracker-cost: ${what.padEnd(24)} Hopper ${oursUs.toFixed(0)} us, Plausible ${theirsUs.toFixed(0)} us, ` +
      (theirsUs > 0 ? `ratio ${ratio.toFixed(2)} (bar ${BAR}, goal ${GOAL}) ${verdict}` : 'which does nothing then'),
  )
}

async function measureRound(browser: Browser, url: string): Promise<{ costs: Record<Phase, Cost>; shift: number }> {
  const context = await browser.newContext({ viewport: { width: 1_000, height: 800 } })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  const costs = {
    load: await profiled(session, async () => {
      await page.goto(url)
      await page.waitForFunction(() => 'hopper' in window && 'plausible' in window)
      await page.waitForLoadState('networkidle')
    }),
    pointer: await profiled(session, async () => {
      for (let sweep = 0; sweep < SWEEPS; sweep++)
        await page.mouse.move(sweep % 2 === 0 ? 950 : 50, 50 + sweep * 60, { steps: MOVES_PER_SWEEP })
    }),
    scroll: await profiled(session, async () => {
      for (let i = 0; i < REPEATS; i++) await page.mouse.wheel(0, 100)
    }),
    click: await profiled(session, async () => {
      await page.evaluate(() => window.scrollTo(0, 0))
      for (let i = 0; i < REPEATS; i++) await page.mouse.click(60 + i * 30, 60 + i * 30)
    }),
    navigation: await profiled(session, async () => {
      for (let i = 0; i < REPEATS; i++) await page.evaluate((n) => history.pushState(null, '', `/page/${n}`), i)
    }),
  }
  const shift = await layoutShift(page)
  await context.close()
  return { costs, shift }
}

/** Samples the main thread during an action, and sums what each tracker's script took, with all that it calls. */
async function profiled(session: CDPSession, action: () => Promise<void>): Promise<Cost> {
  await session.send('Profiler.start')
  await action()
  const { profile } = await session.send('Profiler.stop')
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const owner = new Map<number, Tracker | undefined>()
  const own = (id: number, inherited: Tracker | undefined): void => {
    const { callFrame, children } = nodes.get(id)!
    const tracker = trackers.find((name) => callFrame.url.endsWith(`/${name}.js`))
    // what trackers wrap, and the page's functions, are the page's
    const isPages = callFrame.url !== '' || callFrame.functionName === 'pushState'
    const by = tracker ?? (isPages ? undefined : inherited)
    owner.set(id, by)
    for (const child of children ?? []) own(child, by)
  }
  own(profile.nodes[0]!.id, undefined)
  const cost: Cost = { hopper: { ms: 0, longestMs: 0 }, plausible: { ms: 0, longestMs: 0 } }
  let running: Tracker | undefined
  let stretchMs = 0
  profile.samples!.forEach((id, index) => {
    // a sample counts until the next one
    const ms = (profile.timeDeltas![index + 1] ?? 0) / 1_000
    const by = owner.get(id)
    stretchMs = by === running ? stretchMs + ms : ms
    running = by
    if (!by) return
    cost[by].ms += ms
    cost[by].longestMs = Math.max(cost[by].longestMs, stretchMs)
  })
  return cost
}

/** Returns the layout shift of the page so far, without that of its own loading: it has none. */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((done) => {
        let sum = 0
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value
        })
        observer.observe({ type: 'layout-shift', buffered: true })
        // buffered entries arrive before the next frame but one
        requestAnimationFrame(() => requestAnimationFrame(() => done(sum)))
      }),
  )
}

function configuration(): string {
  const elements = Array.from({ length: ELEMENTS }, (_, index) => ({ xpath: `//*[@id='element-${index}']` }))
  return JSON.stringify(trackedConfig({ keep_parameters: [], hash_routing: false }, [], elements))
}

function pageHtml(api: string, isSecond: boolean): string {
  const rows = Array.from({ length: NODES / 10 }, (_, row) => {
    const cells = Array.from({ length: 8 }, (_, cell) => `<i>${row}.${cell}</i>`).join(' ')
    const isElement = row % (NODES / 10 / ELEMENTS / 4) === 0 && row < NODES / 10 / 4
    const inner = isElement ? `<button id="element-${(row * ELEMENTS * 4) / (NODES / 10)}">Buy</button>` : '<b>Text</b>'
    return `<div>${cells} ${inner}</div>`
  })
  const hopper = `<script type="module" src="/hopper.js" data-key="hw_bench" data-api="${api}/"></script>`
  const options = {
    domain: 'shop.example',
    endpoint: `${api}/api/event`,
    captureOnLocalhost: true,
    outboundLinks: true,
  }
  const plausible = `<script type="module">window.__plausible = true
    import { init } from '/plausible.js'; init(${JSON.stringify(options)})</script>`
  const tags = isSecond ? plausible + hopper : hopper + plausible
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>${rows.join('\n')}${tags}`
}

async function listen(
  answer: (path: string, method: string) => { type: string; body: string } | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    const found = answer(new URL(request.url!, 'http://site').pathname, request.method!)
    request.resume().on('end', () => {
      response.writeHead(found ? 200 : 202, {
        'content-type': found?.type ?? 'application/json',
        'access-control-allow-origin': '*',
        'access-control-allow-headers': '*',
      })
      response.end(found?.body ?? '{}')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
