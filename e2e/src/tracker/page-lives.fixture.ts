import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { until } from '../installations/until.ts'
import { KillableBrowser } from './killable-browser.fixture.ts'
import { faults, UnreliableIngest, type PostedEvent } from './unreliable-ingest.fixture.ts'

const LIVES_PER_BROWSER = 12
const TABS = 2
const ACTIONS_MAX = 6
const PAUSE_MS_MAX = 700
/** a page that was loaded while offline never gets the tracker, and some cannot be closed as a person does */
const LIFE_TIMEOUT_MS = 8_000
const LIFE_MS_MAX = 30_000
const BROWSER_TIMEOUT_MS = 300_000
/** the events of each earlier page are a request of their own, and there is a second between two of them */
const SENT_TIMEOUT_MS = 240_000

/** Ways in which a page ends: also during an action, and before the tracker has loaded. */
const endings = ['close', 'closeAsPerson', 'leave', 'next', 'crash'] as const

/** Actions of pages, as the driver and the pages recorded them; neither knows of the tracker's queue. */
export interface Actions {
  /** requested of a page that may have ended before it did them */
  readonly asked: Set<string>
  /** done, and the tracker had returned to the page before the page said so */
  readonly done: Set<string>
  /**
   * clicks that a page has seen, by action: a click that reaches a busy page late hits the button of the next action
   */
  readonly clicks: Map<string, number>
  /** done shortly before the browser was killed: neither acknowledged nor in its files */
  readonly unwritten: Set<string>
  /** not acknowledged when the browser was killed, but in its files */
  readonly written: Set<string>
  readonly ended: Map<string, number>
}

/** Returns the name that pages give the action of an event; undefined for events of another kind. */
export function actionOf({ type, to, target, data }: PostedEvent): string | undefined {
  if (type === 2) return to ? `view ${new URL(to).pathname}` : undefined
  if (type === 1) return `click ${target}`
  if (type === 0) return `track ${data?.n}`
  return undefined
}

/** Faults that the pages of a control inject into the tracker's queue. */
export type Sabotage = 'none' | 'empties the queue' | 'gives events other ids'
const sabotages: Record<Sabotage, string> = {
  none: '',
  'empties the queue': `addEventListener('pagehide', () => {
    for (const json of Object.keys(localStorage)) if (json[0] === '{') delete localStorage[json]
  })`,
  'gives events other ids': `for (const json of Object.keys(localStorage))
    if (json[0] === '{') {
      const copy = json.replace(/"event_id":"[^"]+"/, () => '"event_id":"' + Math.random() + '"')
      localStorage[copy] = localStorage[json]
    }`,
}

const html = (key: string, api: string, sabotage: Sabotage): string => `<!doctype html><meta charset="utf-8">
<link rel="icon" href="data:,">
<script>
  const did = (action) => window.hopper && window.reportAction(action)
  const track = (n) => { hopper.track('action', { n }); did('track ' + n) }
  const move = (path) => { history.pushState(null, '', path); did('view ' + path) }
  const actionOf = ({ target }) => "click //*[@id='" + target.id + "']"
  // reached before the tracker, and after it, whose listeners capture
  addEventListener('click', (event) => window.reportClick(actionOf(event)), true)
  addEventListener('click', (event) => did(actionOf(event)))
  ${sabotages[sabotage]}
</script>
<script async src="/hopper.js" data-key="${key}" data-api="${api}" onload="did('view ' + location.pathname)"></script>
<button>Do</button>`

/** A site of another origin than ingest, and one visitor with up to two tabs on it. */
export class PageLives implements AsyncDisposable {
  readonly actions: Actions = {
    asked: new Set(),
    done: new Set(),
    clicks: new Map(),
    unwritten: new Set(),
    written: new Set(),
    ended: new Map(),
  }
  readonly errors: string[] = []
  readonly ingest: UnreliableIngest
  readonly #browser = new KillableBrowser()
  readonly #random: () => number
  readonly #site: ReturnType<typeof createServer>
  #disconnected: Promise<never> | undefined
  /** actions of earlier browsers, which are on disk or were judged at the kill */
  #doneBefore = new Set<string>()
  #count = 0

  static async open(
    ingestUrl: string,
    key: string,
    random: () => number,
    sabotage: Sabotage = 'none',
  ): Promise<PageLives> {
    const script = await (await fetch(`${ingestUrl}/hopper.js`)).text()
    const lives: PageLives = new PageLives(await new UnreliableIngest(ingestUrl, random).open(), random, (path) =>
      path === '/hopper.js' ? script : html(key, lives.ingest.url, sabotage),
    )
    await once(lives.#site.listen(0, '127.0.0.1'), 'listening')
    return lives
  }

  private constructor(ingest: UnreliableIngest, random: () => number, answer: (path: string) => string) {
    this.ingest = ingest
    this.#random = random
    this.#site = createServer(({ url }, response) => {
      const type = url === '/hopper.js' ? 'text/javascript' : 'text/html'
      response.writeHead(200, { 'content-type': type }).end(answer(url!))
    })
  }

  /** Lets a visitor live this many pages in browsers that are quit or killed, and then one until all is sent. */
  async live(count: number, killedShare: number): Promise<void> {
    for (const end = this.#count + count; this.#count < end;) {
      const context = await this.#open()
      const isKilled = this.#random() < killedShare
      const last = Math.min(end, this.#count + LIVES_PER_BROWSER)
      const whole = Promise.all(Array.from({ length: TABS }, () => this.#tab(context, last)))
      // a kill comes while pages are open
      if (isKilled) await Promise.race([whole, until(() => this.#count >= last - TABS, BROWSER_TIMEOUT_MS)])
      else await whole
      await this.#pause()
      await (isKilled ? this.#kill() : this.#browser.quit())
      this.#ended(isKilled ? 'killed' : 'quit')
      await whole
    }
    await this.#sendTheRest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.dispose()
    this.#site.closeAllConnections()
    await once(this.#site.close(), 'close')
    await this.ingest.close()
  }

  async #open(): Promise<BrowserContext> {
    const context = await this.#browser.start()
    this.#doneBefore = new Set(this.actions.done)
    context.on('weberror', (error) => this.errors.push(String(error.error())))
    this.#disconnected = new Promise((_, reject) =>
      context.browser()!.once('disconnected', () => reject(new Error('disconnected'))),
    )
    this.#disconnected.catch(() => undefined)
    await context.exposeBinding('reportAction', (_, action: string) => void this.actions.done.add(action))
    const { clicks } = this.actions
    const addClick = (action: string): unknown => clicks.set(action, (clicks.get(action) ?? 0) + 1)
    await context.exposeBinding('reportClick', (_, action: string) => void addClick(action))
    return context
  }

  async #kill(): Promise<void> {
    await this.#browser.kill()
    // Waits until Playwright has passed on everything that pages had reported.
    await this.#disconnected!.catch(() => undefined)
    const written = this.#browser.storedText()
    const acknowledged = new Set([...this.ingest.acknowledged.values()].map(actionOf))
    for (const action of this.actions.done)
      if (!this.#doneBefore.has(action) && !acknowledged.has(action))
        (written.includes(inFile(action)) ? this.actions.written : this.actions.unwritten).add(action)
  }

  async #tab(context: BrowserContext, last: number): Promise<void> {
    let page: Page | undefined
    while (this.#count < last) {
      const life = ++this.#count
      // some calls to a page outlast it, or its browser
      const ends = [this.#life(context, life, page), this.#disconnected!, rejectAfter(LIFE_MS_MAX)]
      page = await Promise.race(ends).catch((error: unknown) => {
        const text = String(error)
        if (/Timeout|ERR_INTERNET_DISCONNECTED/.test(text)) this.#ended('stuck')
        else if (!/closed|crash|disconnected|ERR_ABORTED|interrupted/i.test(text)) this.errors.push(text)
        return undefined
      })
    }
  }

  /** Returns the page when its tab continues. */
  async #life(context: BrowserContext, life: number, tab: Page | undefined): Promise<Page | undefined> {
    this.ingest.fault = this.#oneOf(faults)
    const page = tab ?? (await context.newPage())
    page.setDefaultTimeout(LIFE_TIMEOUT_MS)
    await context.setOffline(false)
    const crashed = Promise.withResolvers<never>()
    crashed.promise.catch(() => undefined)
    page.on('crash', () => crashed.reject(new Error('crash')))
    const lived = this.#live(page, life)
    lived.catch(() => undefined)
    // most lives end after their actions, some in the middle
    const isWhole = this.#random() < 0.7
    await Promise.race([lived, crashed.promise, ...(isWhole ? [] : [this.#pause()])])
    const ending = this.#oneOf(endings)
    this.#ended(ending)
    if (ending === 'close') await page.close()
    if (ending === 'closeAsPerson') {
      const closed = page.waitForEvent('close')
      closed.catch(() => undefined)
      await page.close({ runBeforeUnload: true })
      await closed
    }
    if (ending === 'leave') await page.goto('about:blank')
    if (ending === 'crash') {
      // the answer never comes
      page.goto('chrome://crash').catch(() => undefined)
      await crashed.promise.catch(() => undefined)
      // so may this one
      page.close().catch(() => undefined)
    }
    return ending === 'next' || ending === 'leave' ? page : undefined
  }

  async #live(page: Page, life: number): Promise<void> {
    this.actions.asked.add(`view /lives/${life}`)
    await page.goto(`http://127.0.0.1:${(this.#site.address() as AddressInfo).port}/lives/${life}`)
    await page.waitForFunction(() => 'hopper' in window)
    for (let action = life * 100, end = action + this.#random() * ACTIONS_MAX; action < end; action++) {
      await this.#do(page, action)
      if (this.#random() < 0.15) await page.context().setOffline(this.#random() < 0.6)
      if (this.#random() < 0.3) await this.#pause()
    }
  }

  async #do(page: Page, action: number): Promise<void> {
    const kind = this.#oneOf(['track', 'move', 'click'])
    if (kind === 'track') {
      this.actions.asked.add(`track ${action}`)
      await page.evaluate(`track(${action})`)
    } else if (kind === 'move') {
      this.actions.asked.add(`view /moves/${action}`)
      await page.evaluate(`move('/moves/${action}')`)
    } else {
      this.actions.asked.add(`click //*[@id='action-${action}']`)
      await page.evaluate(`document.querySelector('button').id = 'action-${action}'`)
      await page.click(`#action-${action}`)
    }
  }

  async #sendTheRest(): Promise<void> {
    this.ingest.fault = 'none'
    const page = await (await this.#open()).newPage()
    page.setDefaultTimeout(SENT_TIMEOUT_MS)
    await this.#live(page, ++this.#count)
    await page.context().setOffline(false)
    await page.waitForFunction(() => !Object.keys(localStorage).some((json) => json.startsWith('{')), undefined, {
      timeout: SENT_TIMEOUT_MS,
    })
    await this.#browser.quit()
  }

  /** Waits for a random time, as part of the schedule. */
  #pause(): Promise<void> {
    return new Promise((next) => setTimeout(next, this.#random() * PAUSE_MS_MAX))
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)]!
  }

  #ended(how: string): void {
    this.actions.ended.set(how, (this.actions.ended.get(how) ?? 0) + 1)
  }
}

function rejectAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`Timeout of ${ms} ms`)), ms))
}

/** Returns a text that is in the JSON of the action's event, and of no other event. */
function inFile(action: string): string {
  const [kind, argument] = [action.slice(0, action.indexOf(' ')), action.slice(action.indexOf(' ') + 1)]
  if (kind === 'track') return `"data":{"n":${argument}}`
  return kind === 'click' ? `"target":"${argument}"` : `${argument}","elapsed_time"`
}
