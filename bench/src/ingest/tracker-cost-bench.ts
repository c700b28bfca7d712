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
/** clicks and events at the pace of a person: the next one happens only when the trackers have sent the last one */
const ALONE = 20
const SENT_TIMEOUT_MS = 20_000
/** longer than Hopper waits before it sends a batch */
const QUIET_MS = 1_200
const SAMPLE_US = 100
/** A sample that comes later than this means that other processes had the processor, not that the page was busy. */
const SAMPLE_US_MAX = 1_000
const LONG_TASK_MS = 50
const BAR = 1
const GOAL = 0.5

const trackers = ['hopper', 'plausible'] as const
type Tracker = (typeof trackers)[number]
/** What is measured in each phase, and how often it happens there. */
const phases = {
  load: ['load, until both have sent', 1],
  pointer: ['move of the pointer', SWEEPS * MOVES_PER_SWEEP],
  scroll: ['scroll', REPEATS],
  click: ['click, both record it', ALONE],
  clicks: ['click, 20 in a row', REPEATS],
  event: ['event of the page', ALONE],
  events: ['event, 20 in a row', REPEATS],
  unrecorded: ['click, only Hopper records', REPEATS],
  navigation: ['navigation', REPEATS],
} as const
type Phase = keyof typeof phases
/** Phases in which one tracker does what the other one does not, so that a ratio would compare nothing. */
const incomparable: ReadonlySet<Phase> = new Set(['pointer', 'scroll', 'unrecorded'])

/** Globals of the page that the bench uses. */
interface Recorder {
  /** whether the page records clicks by Plausible's tracker */
  recordsClicks: boolean
  /** records an event by both trackers */
  order(n: number): void
}

/** Main-thread time of each tracker in one phase, and its longest stretch without a pause, ms. */
type Cost = Record<Tracker, { ms: number; longestMs: number }>

/** Paths to which the trackers post. */
const endpoints: Record<Tracker, string> = { hopper: 'POST /v1/events', plausible: 'POST /api/event' }

const scripts: Record<Tracker, string> = {
  hopper: fileURLToPath(new URL('../../../tracker/dist/hopper.js', import.meta.url)),
  plausible: fileURLToPath(import.meta.resolve('@plausible-analytics/tracker')),
}

/**
 * Prints what the tracker costs a page of 10,000 nodes while the pointer moves over 20 interesting elements, as a ratio
 * to Plausible's tracker on the same page. An event is compared with an event: Plausible records no click by itself, so
 * the page records each one by its documented `track(name, { props })`. Finding out what was clicked is the page's own
 * time there, and the tracker's time here. What only Hopper records has a line without a verdict.
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
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP *.localhost 127.0.0.1'],
  })
  try {
    const orders: Record<Phase, Cost>[][] = [[], []]
    let shift = 0
    for (let round = -1; round < ROUNDS; round++) {
      // the first script has costs that both share, such as opening the storage; the second wraps functions that the
      // first has wrapped
      for (const [order, costs] of orders.entries()) {
        const bench = new PageBench(browser, `${urlOf(site)}/${order === 0 ? 'first' : 'second'}`, requests)
        const measured = await bench.measure()
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
  for (const [phase, [what, times]] of Object.entries(phases) as [Phase, (typeof phases)[Phase]][]) {
    const [ours, theirs] = trackers.map((name) => {
      const medians = orders.map((rounds) => median(rounds.map((costs) => costs[phase][name].ms)))
      return medians.reduce((sum, ms) => sum + ms / medians.length, 0)
    })
    whole.hopper += ours!
    whole.plausible += theirs!
    printTimes(what, (ours! / times) * 1_000, (theirs! / times) * 1_000, !incomparable.has(phase))
  }
  printTimes('all of this', whole.hopper * 1_000, whole.plausible * 1_000, true)
  const all = orders.flat().flatMap((costs) => Object.values(costs))
  const longest = Math.max(...all.map(({ hopper }) => hopper.longestMs))
  const preflights = requests.filter((request) => request.startsWith('OPTIONS')).length
  const posts = requests.filter((request) => request === endpoints.hopper).length
  console.log(
    `  tracker-cost: longest stretch of Hopper's ${longest.toFixed(1)} ms (a long task has ${LONG_TASK_MS}), ` +
      `layout shift ${shift}, preflights ${preflights}, posts ${posts}; ` +
      (longest < LONG_TASK_MS && shift === 0 && preflights === 0 && posts > 0 ? 'reached' : 'NOT REACHED'),
  )
}

function printTimes(what: string, oursUs: number, theirsUs: number, isComparable: boolean): void {
  const ratio = oursUs / theirsUs
  const verdict = ratio <= GOAL ? 'goal reached' : ratio <= BAR ? 'bar reached' : 'NOT REACHED'
  console.log(
    `  tracker-cost: ${what.padEnd(27)} Hopper ${oursUs.toFixed(0)} us, Plausible ${theirsUs.toFixed(0)} us, ` +
      (isComparable ? `ratio ${ratio.toFixed(2)} (bar ${BAR}, goal ${GOAL}) ${verdict}` : 'which records none'),
  )
}

/** Measures each phase on one page that has both trackers. */
class PageBench {
  readonly #browser: Browser
  readonly #url: string
  /** requests of all pages that have arrived */
  readonly #requests: readonly string[]

  constructor(browser: Browser, url: string, requests: readonly string[]) {
    this.#browser = browser
    this.#url = url
    this.#requests = requests
  }

  async measure(): Promise<{ costs: Record<Phase, Cost>; shift: number }> {
    const context = await this.#browser.newContext({ viewport: { width: 1_000, height: 800 } })
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Profiler.enable')
    await session.send('Profiler.setSamplingInterval', { interval: SAMPLE_US })
    const measured = (action: () => Promise<void>): Promise<Cost> => profiled(session, action)
    const load = await measured(() =>
      this.#sent(['hopper', 'plausible'], async () => void (await page.goto(this.#url))),
    )
    const pointer = await measured(async () => {
      for (let sweep = 0; sweep < SWEEPS; sweep++)
        await page.mouse.move(sweep % 2 === 0 ? 950 : 50, 50 + sweep * 60, { steps: MOVES_PER_SWEEP })
    })
    const scroll = await measured(async () => {
      for (let i = 0; i < REPEATS; i++) await page.mouse.wheel(0, 100)
    })
    await page.evaluate(() => window.scrollTo(0, 0))
    // the hovers of the sweeps are sent in a request of their own
    await page.waitForTimeout(QUIET_MS)
    const click = (at: number): Promise<void> => page.mouse.click(60 + at * 30, 60 + at * 30)
    const record = (at: number): Promise<void> => page.evaluate((n) => (window as never as Recorder).order(n), at)
    const unrecorded = await measured(() => this.#sent(['hopper'], () => repeat(REPEATS, click)))
    await page.evaluate(() => ((window as never as Recorder).recordsClicks = true))
    const clicks = await measured(() => this.#sent(['hopper', 'plausible'], () => repeat(REPEATS, click)))
    const alone = await measured(() => repeat(ALONE, (at) => this.#sent(['hopper', 'plausible'], () => click(at))))
    const events = await measured(() => this.#sent(['hopper', 'plausible'], () => repeat(REPEATS, record)))
    const event = await measured(() => repeat(ALONE, (at) => this.#sent(['hopper', 'plausible'], () => record(at))))
    const navigation = await measured(() =>
      this.#sent(['hopper', 'plausible'], () =>
        repeat(REPEATS, (at) => page.evaluate((n) => history.pushState(null, '', `/page/${n}`), at)),
      ),
    )
    const shift = await layoutShift(page)
    await context.close()
    return {
      costs: { load, pointer, scroll, click: alone, clicks, event, events, unrecorded, navigation },
      shift,
    }
  }

  /** Waits after an action until these trackers have sent its events, so that sending is measured as well. */
  async #sent(names: readonly Tracker[], action: () => Promise<void>): Promise<void> {
    const countOf = (name: Tracker): number => this.#requests.filter((request) => request === endpoints[name]).length
    const before = names.map(countOf)
    await action()
    const end = Date.now() + SENT_TIMEOUT_MS
    while (names.some((name, at) => countOf(name) <= before[at]!)) {
      if (Date.now() > end) throw new Error(`${names.join(' and ')} have not sent anything in ${SENT_TIMEOUT_MS} ms.`)
      await new Promise((done) => setTimeout(done, 20))
    }
    // the answer, and what is still waiting
    await new Promise((done) => setTimeout(done, QUIET_MS))
  }
}

async function repeat(times: number, action: (at: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < times; at++) await action(at)
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
    // functions of the page count for the page, also those that a tracker has wrapped
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
    const ms = Math.min(profile.timeDeltas![index + 1] ?? 0, SAMPLE_US_MAX) / 1_000
    const by = owner.get(id)
    stretchMs = by === running ? stretchMs + ms : ms
    running = by
    if (!by) return
    cost[by].ms += ms
    cost[by].longestMs = Math.max(cost[by].longestMs, stretchMs)
  })
  return cost
}

/** Returns the layout shift of the page so far. The page itself causes none, so all of it is from the trackers. */
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

/** How a page records an event of its own, by the documentation of each. */
const TRACK_HOPPER = "hopper.track('Order', properties)"
const TRACK_PLAUSIBLE = "track('Order', { props: properties })"

function pageHtml(api: string, isSecond: boolean): string {
  const rows = Array.from({ length: NODES / 10 }, (_, row) => {
    const cells = Array.from({ length: 8 }, (_, cell) => `<i>${row}.${cell}</i>`).join(' ')
    const isElement = row % (NODES / 10 / ELEMENTS / 4) === 0 && row < NODES / 10 / 4
    const inner = isElement ? `<button id="element-${(row * ELEMENTS * 4) / (NODES / 10)}">Buy</button>` : '<b>Text</b>'
    return `<div>${cells} ${inner}</div>`
  })
  // deferred scripts run in the order of the modules, so it is known which tracker is first
  const hopper = `<script defer src="/hopper.js" data-key="hw_bench" data-api="${api}/"></script>`
  const options = {
    domain: 'shop.example',
    endpoint: `${api}/api/event`,
    outboundLinks: true,
  }
  const plausible = `<script type="module">window.__plausible = true
    import { init, track } from '/plausible.js'
    init(${JSON.stringify(options)})
    addEventListener('click', ({ target }) => {
      if (window.recordsClicks) track('Click', { props: { target: target.id || target.localName } })
    })
    window.order = (n) => {
      const properties = { plan: 'pro', quantity: n }
      ${isSecond ? TRACK_PLAUSIBLE : TRACK_HOPPER}
      ${isSecond ? TRACK_HOPPER : TRACK_PLAUSIBLE}
    }</script>`
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

/** Returns an address that is secure, as a shop's is, and that neither tracker takes for a machine of a developer. */
function urlOf(server: Server): string {
  return `http://shop.localhost:${(server.address() as AddressInfo).port}`
}
