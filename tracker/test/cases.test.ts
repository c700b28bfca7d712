import { screenClassOf } from '@hopper/contracts'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { close, configured, load, openSiteBeforeEach, stub, views } from './browser.fixture.ts'
import { Site, until, type ArrivedEvent } from './site.fixture.ts'

// Cases that users of such trackers have reported.

let browser: Browser
let context: BrowserContext
let site: Site
let page: Page
openSiteBeforeEach((opened) => ({ browser, context, site, page } = opened))

const left = (path: string): Record<string, unknown> | undefined =>
  site.eventsOfType(2).find(({ from, to }) => from === site.url(path) && to === '')

describe('the click target', () => {
  beforeEach(() => {
    site.body = `
      <main><button id="it's" style="padding:20px">
        <svg width="20" height="20"><path d="M0 0h20v20H0z"/></svg><font>Buy</font>
      </button>
      <section><a href="#x">more <b>here</b></a><i>plain</i></section>
      <label id="l"><input type="checkbox" id="c"> agree</label>
      <button data-hopper="order" id="generated-7"><span>Order</span></button>
      <form id="f" onsubmit="return false">
        <input name="getAttribute"><input name="children"><input name="closest"><button>go</button><p>in form</p>
      </form>
      <svg id="art" width="30" height="30"><circle r="30"/></svg><x-shop></x-shop></main>
      <script>
        customElements.define('x-shop', class extends HTMLElement {
          constructor() {
            super()
            this.attachShadow({ mode: 'open' }).innerHTML =
              '<p><button id="add"><b>Add</b></button><button>other</button></p>'
          }
        })
      </script>`
    site.config.elements = [{ xpath: "//*[@id='add']" }]
    site.config.funnels = [{ id: 'f', stages: [{ id: 1, name: 'add', click: '#add' }] }]
  })

  it('is the nearest element that acts, out of shadow trees, and named so that it is found again', async () => {
    await load('/')
    await configured()
    for (const selector of [
      'svg path',
      'font',
      'section b',
      'section i',
      '[data-hopper] span',
      '#f button',
      '#f p',
      'circle',
    ])
      await page.locator(selector).first().click({ force: true })
    await page.locator('x-shop b').click()
    await page.locator('x-shop button').last().click()
    await site.arrived(1, 10)
    expect(site.eventsOfType(1).map(({ target }) => target)).toEqual([
      `//*[@id="it's"]`,
      `//*[@id="it's"]`,
      '/html[1]/body[1]/main[1]/section[1]/a[1]',
      '/html[1]/body[1]/main[1]/section[1]/i[1]',
      "//*[@data-hopper='order']",
      "//*[@id='f']/button[1]",
      "//*[@id='f']/p[1]",
      '/html[1]/body[1]/main[1]',
      "//*[@id='add']",
      '/html[1]/body[1]/main[1]/x-shop[1]/p[1]/button[2]',
    ])
    expect((await site.arrived(3, 1)).map(({ target, action }) => [target, action])[0]).toEqual([
      "//*[@id='add']",
      'hover-then-clicked',
    ])
    expect((await site.arrived(4, 1)).map(({ entered, action }) => [entered, action])).toEqual([[1, 'onClick']])
  })

  it('of a label is its control, once; the keyboard clicks as well', async () => {
    await load('/')
    await page.locator('#l').click({ position: { x: 40, y: 8 } })
    await page.locator('#c').click()
    await page.locator('#c').press('Space')
    await page.evaluate(() => window.hopper!('end'))
    await site.arrived(0, 1)
    expect(site.eventsOfType(1).map(({ target }) => target)).toEqual(["//*[@id='c']", "//*[@id='c']", "//*[@id='c']"])
  })
})

describe('a hover', () => {
  beforeEach(() => {
    site.config.elements = [{ xpath: "//*[@id='buy']" }, { xpath: "//button[text()='Late']" }]
    site.body = '<p id="away">away</p><div id="box"><button id="buy" style="padding:20px">Buy</button></div>'
  })

  it('continues when a re-render replaces the element under the pointer', async () => {
    await load('/')
    await configured()
    await page.hover('#buy')
    await page.evaluate(() => {
      const box = document.querySelector('#box')!
      box.innerHTML = String(box.innerHTML)
    })
    await page.mouse.move(30, 60)
    await page.click('#buy')
    await page.hover('#away')
    await page.evaluate(() => window.hopper!('end'))
    await site.arrived(0, 1)
    expect(site.eventsOfType(3).map(({ action }) => action)).toEqual(['hover-then-clicked'])
    expect(site.eventsOfType(1)).toHaveLength(1)
  })

  it('is measured on an element that appears later, and that only an XPath describes', async () => {
    await load('/')
    await configured()
    await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<button><b>x</b></button>'))
    await page.evaluate(() => (document.querySelector('body > button')!.textContent = 'Late'))
    await page.hover('body > button')
    await page.hover('#away')
    expect((await site.arrived(3, 1))[0]).toMatchObject({
      target: "//button[text()='Late']",
      action: 'hover-then-leave',
    })
  })

  it('of a finger is a press, and none without a click', async () => {
    const touching = await browser.newContext({ hasTouch: true })
    try {
      const tab = await touching.newPage()
      await load('/', tab)
      await tab.waitForLoadState('networkidle')
      await tab.tap('#buy')
      await tab.tap('#away')
      await tab.evaluate(() => window.hopper!('end'))
      await site.arrived(0, 1)
      expect(site.eventsOfType(3).map(({ action, pointer }) => [action, pointer])).toEqual([
        ['hover-then-clicked', 'touch'],
      ])
    } finally {
      await touching.close()
    }
  })
})

describe('time', () => {
  it('on a page that is closed is sent, and counts only while the page is there', async () => {
    await load('/a')
    await page.waitForTimeout(300)
    await page.goto('about:blank')
    await page.waitForTimeout(700)
    await load('/b')
    await close()
    await site.arrived(2, 4)
    expect(left('/a')!['elapsed_time']).toBeGreaterThan(250)
    expect(left('/a')!['elapsed_time']).toBeLessThan(
      (left('/a')!['timestamp'] as number) - site.eventsOfType(2)[0]!.timestamp + 50,
    )
    expect(left('/b')).toBeDefined()
  })

  it('pauses while the page is hidden', async () => {
    await page.addInitScript(() => {
      let hidden = false
      Object.defineProperty(document, 'hidden', { get: () => hidden })
      Object.assign(window, {
        hide: (is: boolean) => {
          hidden = is
          document.dispatchEvent(new Event('visibilitychange'))
        },
      })
    })
    await page.clock.install()
    await load('/a')
    await page.clock.fastForward(2_000)
    await page.evaluate(() => (window as unknown as { hide(is: boolean): void }).hide(true))
    await page.clock.fastForward(60_000)
    await page.evaluate(() => (window as unknown as { hide(is: boolean): void }).hide(false))
    await page.clock.fastForward(1_000)
    await close()
    await site.arrived(2, 2)
    expect(left('/a')!['elapsed_time']).toBeGreaterThanOrEqual(3_000)
    expect(left('/a')!['elapsed_time']).toBeLessThan(30_000)
  })

  it('ends with a sleep of the laptop; then another session begins, with its page and stage', async () => {
    site.config.funnels = [
      {
        id: 'f',
        stages: [
          { id: 1, name: 'home', url: '/' },
          { id: 2, name: 'buy', click: '#buy' },
        ],
      },
    ]
    await page.clock.install()
    await load('/')
    await configured()
    await page.clock.runFor(2_000)
    await site.arrived(4, 1)
    await page.clock.fastForward('20:00:00')
    await page.click('#buy')
    await page.clock.runFor(3_000)
    await site.arrived(1, 1)
    await site.arrived(4, 3)
    const [first, gone, second] = site.eventsOfType(2)
    expect([first!.to, gone!.to, second!.to]).toEqual([site.url('/'), '', site.url('/')])
    expect(gone!['elapsed_time']).toBeLessThan(60_000)
    expect(gone!.session_id).toBe(first!.session_id)
    expect(second!.session_id).not.toBe(first!.session_id)
    expect(site.eventsOfType(1)[0]!.session_id).toBe(second!.session_id)
    expect(site.eventsOfType(4).map(({ entered, from }) => [entered, from])).toEqual([
      [1, undefined],
      [1, undefined],
      [2, 1],
    ])
    for (const { elapsed_time } of site.eventsOfType(4)) expect(elapsed_time).toBeLessThan(60_000)
  })
})

describe('a tab', () => {
  it('has no storage opened in a session without stages', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'sessionStorage', {
        get: () => {
          document.documentElement.dataset['opened'] = 'yes'
          throw new Error('opened')
        },
      })
    })
    await load('/a')
    await load('/b')
    await page.click('#buy')
    await site.arrived(1, 1)
    expect(await page.evaluate(() => document.documentElement.dataset['opened'])).toBe(undefined)
  })

  it('that is opened as a copy has its own state', async () => {
    site.body = '<a id="blank" href="/b" target="_blank">b</a>'
    site.config.funnels = [
      {
        id: 'f',
        stages: [
          { id: 1, name: 'a', url: '/a' },
          { id: 2, name: 'b', url: '/b' },
        ],
      },
    ]
    await load('/a')
    await site.arrived(4, 1)
    const opened = context.waitForEvent('page')
    await page.evaluate(() => void window.open('/b'))
    await (await opened).waitForFunction(() => window.hopper)
    const linked = context.waitForEvent('page')
    await page.click('#blank')
    await (await linked).waitForFunction(() => window.hopper)
    await site.arrived(4, 3)
    await close()
    await until(
      () => left('/a') !== undefined,
      () => 'the end of /a',
    )
    expect(site.eventsOfType(2).filter(({ from }) => from === site.url('/a'))).toHaveLength(1)
    expect(site.eventsOfType(4).map(({ entered, from }) => [entered, from])).toEqual([
      [1, undefined],
      [2, undefined],
      [2, undefined],
    ])
  })
})

describe('the start', () => {
  it('counts a prerendered page when it is shown, and else not at all', async () => {
    const rules = { prerender: [{ urls: ['/shown', '/never'], eagerness: 'immediate' }] }
    site.head = `<script type="speculationrules">${JSON.stringify(rules)}</script>`
    await load('/a')
    await site.arrived(2, 1)
    await until(
      () => site.loads('/never') > 0,
      () => 'the prerender',
    )
    await page.evaluate(() => (location.href = '/shown'))
    await page.waitForFunction(() => location.pathname === '/shown' && window.hopper && !window.hopper.q)
    await close()
    await site.arrived(2, 4)
    expect(site.eventsOfType(2).map(({ to }) => to)).toEqual([site.url('/a'), '', site.url('/shown'), ''])
  })

  it('happens once when the tag is there twice, and as a module, and by import()', async () => {
    const src = site.url('/hopper.js')
    site.head = `<script src="${src}" data-key="hw_test"></script>`
    await load('/twice')
    await page.click('#buy')
    await site.arrived(1, 1)
    site.tag = `<script type="module" src="${src}" data-key="hw_test"></script>`
    site.head = ''
    await load('/module')
    await page.click('#buy')
    await site.arrived(1, 2)
    site.tag = `<script type="module" data-key="hw_test" data-api="${site.url('/')}">import('${src}')</script>`
    await load('/import')
    await page.click('#buy')
    await site.arrived(1, 3)
    await until(
      () => views().length >= 3,
      () => 'three views',
    )
    expect(views()).toHaveLength(3)
    expect(site.eventsOfType(1)).toHaveLength(3)
  })

  it('takes an address of the site for the place of the endpoints', async () => {
    site.tag = '<script async src="/hopper.js" data-key="hw_test" data-api="/"></script>'
    await load('/a')
    await site.arrived(2, 1)
    expect(site.configRequests).toBe(1)
  })

  it('of the package is by init, with options, once', async () => {
    site.tag = `<script type="module">
      import { init } from '/package.js'
      const options = { key: 'hw_test', url: location.origin, consent: true }
      init(options).track('early', { n: 1 })
      window.same = init(options) === window.hopper
    </script>`
    await page.goto(site.url('/a'))
    await page.waitForFunction(() => 'same' in window)
    expect(await page.evaluate(() => (window as unknown as { same: boolean }).same)).toBe(true)
    expect(site.posts).toEqual([])
    await page.evaluate(() => window.hopper!.consent(true))
    expect((await site.arrived(0, 1)).map(({ name, data }) => [name, data])).toEqual([['early', { n: 1 }]])
    expect(views()).toHaveLength(1)
  })

  it('makes the calls from before it, in their order, and writes nothing to the console', async () => {
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    const calls = "hopper('a'); hopper.identify(42, { plan: null }); hopper.track('b', { deep: { n: [1] } })"
    site.head = `<script>${stub}; ${calls}</script>`
    await load('/')
    // as it was sent, before the server repairs it
    const own = (): ArrivedEvent[] =>
      site.posts
        .flatMap(({ body }) => (JSON.parse(body) as { events: ArrivedEvent[] }).events)
        .filter(({ type }) => type === 0 || type === 5)
    await until(
      () => own().length >= 3,
      () => 'three calls',
    )
    expect(own().map(({ name, user_id, data }) => [name ?? user_id, data])).toEqual([
      ['a', undefined],
      [42, { plan: null }],
      ['b', { deep: { n: [1] } }],
    ])
    expect(said).toEqual([])
  })
})

describe('the visitor', () => {
  it('is a new one after reset, and its page is counted with its first event', async () => {
    await load('/a')
    await page.evaluate(() => window.hopper!.identify('ann'))
    await page.evaluate(() => window.hopper!.reset())
    await page.evaluate(() => window.hopper!('later'))
    await site.arrived(0, 1)
    const [ann] = site.eventsOfType(5)
    const [later] = site.eventsOfType(0)
    expect(later!.device_id).not.toBe(ann!.device_id)
    expect(later!.session_id).not.toBe(ann!.session_id)
    expect(site.eventsOfType(2).map(({ device_id, to }) => [device_id, to])).toEqual([
      [ann!.device_id, site.url('/a')],
      [ann!.device_id, ''],
      [later!.device_id, site.url('/a')],
    ])
  })

  it('has the source of its session with each request', async () => {
    const other = await new Site().open()
    try {
      other.tag = ''
      other.body = `<a href="${site.url('/land?utm_source=news&gclid=x')}">go</a>`
      await page.goto(other.url('/from'))
      await page.click('a')
      await page.waitForFunction(() => window.hopper)
      await load('/b')
      await page.evaluate(() => window.hopper!('bought'))
      await site.arrived(0, 1)
      const bodies = site.posts.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
      expect(new Set(bodies.map(({ source }) => JSON.stringify(source))).size).toBe(1)
      expect(bodies[0]).toMatchObject({
        source: {
          referrer: other.url('/'),
          landing_page: site.url('/land?utm_source=news&gclid=x'),
          utm_source: 'news',
          click_id: 'gclid',
        },
        language: 'en-US',
        screen: 'large',
      })
    } finally {
      await other.close()
    }
  })

  it('has the class of the screen that contracts state', async () => {
    for (const width of [767, 768, 1_279, 1_280]) {
      const sized = await browser.newContext({ screen: { width, height: 700 }, viewport: { width: 600, height: 600 } })
      await load(`/${width}`, await sized.newPage())
      const isView = ({ to }: { [field: string]: unknown }): boolean => to === site.url(`/${width}`)
      await until(
        () => site.events.some(isView),
        () => 'a view',
      )
      await sized.close()
      const bodies = site.posts.map(({ body }) => JSON.parse(body) as { screen: string; events: { to?: string }[] })
      expect(bodies.find(({ events }) => events.some(isView))!.screen).toBe(screenClassOf(width))
    }
  })

  it('is forgotten after opting out, and is not tracked by later pages', async () => {
    await load('/a')
    await site.arrived(2, 1)
    await page.evaluate(() => window.hopper!('kept'))
    await page.evaluate(() => window.hopper!.optOut())
    await page.evaluate(() => window.hopper!('lost'))
    const requests = site.configRequests
    const posts = site.posts.length
    await load('/b')
    await page.click('#buy')
    await page.waitForTimeout(1_500)
    expect([site.configRequests, site.posts.length]).toEqual([requests, posts])
    expect(await page.evaluate(() => Object.entries(localStorage))).toEqual([['hw_test', '0']])
    await page.evaluate(() => window.hopper!.consent(true))
    await page.evaluate(() => window.hopper!('again'))
    expect((await site.arrived(0, 1)).map(({ name }) => name)).toEqual(['again'])
  })
})
