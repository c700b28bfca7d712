import type { Browser, BrowserContext, Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { openSiteBeforeEach, stub } from './browser.fixture.ts'
import { eventsOf, until, type Site } from './site.fixture.ts'

let browser: Browser
let context: BrowserContext
let site: Site
let page: Page
openSiteBeforeEach((opened) => ({ browser, context, site, page } = opened))

const load = async (path: string): Promise<void> => {
  await page.goto(site.url(path))
  await page.waitForFunction(() => 'hopper' in window)
}
const push = (path: string): Promise<void> => page.evaluate((to) => history.pushState(null, '', to), path)
const between = (value: unknown, least: number, most: number): void => {
  expect(value).toBeGreaterThanOrEqual(least)
  expect(value).toBeLessThanOrEqual(most)
}
/** Returns how much time has passed since, rounded up: no event between the two can report more. */
const stopwatch = (): (() => number) => {
  const start = performance.now()
  return () => Math.ceil(performance.now() - start)
}
/** Advances the page's clock by this much. */
const pass = (ms: number): Promise<unknown> =>
  page.evaluate((time) => new Promise((done) => setTimeout(done, time)), ms)

describe('clicks', () => {
  it('contain the XPath, the page and the time since the last click', async () => {
    await load('/a?x=1')
    await pass(100)
    const sinceFirst = stopwatch()
    await page.click('b')
    await pass(200)
    await page.click('#buy')
    const [first, second] = await site.arrived(1, 2)
    const most = sinceFirst()
    expect(first).toMatchObject({ target: '/html[1]/body[1]/main[1]/p[2]/b[1]', current_url: site.url('/a?x=1') })
    expect(second).toMatchObject({ target: "//*[@id='buy']", current_url: site.url('/a?x=1') })
    between(first!.elapsed_time, 100, 2_000)
    between(second!.elapsed_time, 200, most)
    expect(Object.keys(first!).sort()).toEqual([
      'current_url',
      'device_id',
      'elapsed_time',
      'event_id',
      'seq',
      'session_id',
      'target',
      'timestamp',
      'type',
    ])
  })

  it('identify each element by an XPath that finds it again', async () => {
    site.body = '<div><i>a</i><span>b</span><i>c</i><section><i>d</i><i>e</i></section></div><div><i>f</i></div>'
    await load('/')
    for (const element of await page.locator('i').all()) await element.click()
    const clicks = await site.arrived(1, 5)
    const found = await page.evaluate(
      (paths) => paths.map((path) => document.evaluate(path, document, null, 9).singleNodeValue?.textContent),
      clicks.map(({ target }) => target as string),
    )
    expect(found).toEqual(['a', 'c', 'd', 'e', 'f'])
  })
})

describe('changes of the address', () => {
  it('are recorded in a single-page app, with the time on the page that was left', async () => {
    const sinceLoad = stopwatch()
    await load('/a')
    await until(
      () => site.configRequests > 0,
      () => 'the configuration',
    )
    await pass(150)
    await push('/b')
    const most = sinceLoad()
    await page.evaluate(() => history.replaceState({ same: true }, ''))
    await page.evaluate(() => history.replaceState(null, '', '/c'))
    for (let i = 0; i < 5; i++) await page.evaluate((n) => history.replaceState(null, '', `?filter=${n}`), i)
    await page.evaluate(() => (location.hash = 'part'))
    await page.evaluate(() => history.back())
    await push('/d/')
    await push('/d')
    await push('/e')
    const changes = await site.arrived(2, 5)
    const urls = ['/a', '/b', '/c', '/d/', '/e'].map((path) => site.url(path))
    expect(changes.map(({ from, to }) => [from, to])).toEqual(urls.map((to, i) => [urls[i - 1] ?? '', to]))
    expect(changes[0]!.elapsed_time).toBe(0)
    between(changes[1]!.elapsed_time, 150, most)
    expect(changes.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4])
  })

  it('are those of parameters that the app keeps, and of routes if it routes by hash', async () => {
    site.config.keep_parameters = ['step']
    site.config.hash_routing = true
    await load('/a')
    await page.waitForLoadState('networkidle')
    for (const path of ['?x=1', '?step=1', '?step=1&y', '?step=2', '#top', '#/home', '#/cart/?z=1', '#/cart'])
      await push(path)
    await push('/z')
    const changes = await site.arrived(2, 6)
    expect(changes.map(({ to }) => to)).toEqual(
      ['/a', '/a?step=1', '/a?step=2', '/a?step=2#/home', '/a?step=2#/cart/?z=1', '/z'].map((path) => site.url(path)),
    )
  })

  it('are not those of a router that saves its state while the page is left', async () => {
    site.head = `<script>
      addEventListener('pagehide', () => {
        history.replaceState({ scroll: 1 }, '')
        hopper('parting')
      })
    </script>`
    await load('/a')
    await load('/b')
    await page.close({ runBeforeUnload: true })
    const [a, aLeft, b, bLeft, ...more] = await site.arrived(2, 4)
    expect([a!.to, aLeft!.to, b!.to, bLeft!.to, more]).toEqual([site.url('/a'), '', site.url('/b'), '', []])
    expect((await site.arrived(0, 1))[0]).toMatchObject({ name: 'parting' })
  })

  it('are recorded across full page loads, also for reload and back, each with the time on its page', async () => {
    const sinceLoad = stopwatch()
    await load('/a')
    await load('/b')
    await page.reload()
    await page.waitForFunction(() => 'hopper' in window)
    await page.goBack()
    const changes = await site.arrived(2, 7)
    const most = sinceLoad()
    const left = (path: string): string[] => [site.url(path), '']
    const came = (path: string): string[] => ['', site.url(path)]
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      ...[came('/a'), left('/a'), came('/b'), left('/b'), came('/b'), left('/b'), came('/a')],
    ])
    const times = [1, 3, 5].map((index) => changes[index]!.elapsed_time as number)
    for (const time of times) expect(time).toBeGreaterThanOrEqual(0)
    expect(times.reduce((sum, time) => sum + time)).toBeLessThanOrEqual(most)
    expect(new Set(changes.map(({ session_id }) => session_id)).size).toBe(1)
    expect(new Set(changes.map(({ device_id }) => device_id)).size).toBe(1)
    expect(changes.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6])
  })
})

describe('interesting elements', () => {
  beforeEach(() => {
    site.config.elements = [{ xpath: 'not an [xpath' }, { xpath: "//*[@id='buy']" }, { xpath: "//a[@class='late']" }]
    site.body = '<p id="away">away</p><button id="buy" style="padding:20px">Buy <b>now</b></button>'
  })

  it('are found by the first of their selectors that finds anything on the page', async () => {
    const xpath = '/html[1]/body[1]/p[1]'
    site.config.elements = [{ xpath, fingerprints: ['[data-hopper="buy"]', '#old'] }]
    const targets = async (body: string, hovered: string): Promise<unknown[]> => {
      site.body = `${body}<p id="away">away</p>`
      await load('/')
      await page.waitForLoadState('networkidle')
      const before = site.eventsOfType(3).length
      await page.hover(hovered)
      await page.hover('#away')
      await page.evaluate(() => window.hopper!('hovered'))
      const count = site.eventsOfType(0).length + 1
      await site.arrived(0, count)
      return site
        .eventsOfType(3)
        .slice(before)
        .map(({ target }) => target)
    }
    const [named, old, first] = ['<b data-hopper="buy">Buy</b>', '<b id="old">Old</b>', '<p id="first">First</p>']
    expect(await targets(`<div>${named}${old}</div>`, '[data-hopper]')).toEqual([xpath])
    expect(await targets(`<div>${named}${old}</div>`, '#old')).toEqual([])
    expect(await targets(`<div>${old}</div>`, '#old')).toEqual([xpath])
    expect(await targets(`<div>${old}</div>${first}`, '#first')).toEqual([])
    expect(await targets(first, '#first')).toEqual([xpath])
  })

  it('report how long the pointer was over them before it left', async () => {
    await load('/')
    await page.waitForLoadState('networkidle')
    await page.hover('#buy', { position: { x: 2, y: 2 } })
    await page.hover('#buy b')
    await pass(150)
    await page.hover('#away')
    const [leave, ...more] = await site.arrived(3, 1)
    expect(leave).toMatchObject({ target: "//*[@id='buy']", action: 'hover-then-leave', pointer: 'mouse' })
    between(leave!.elapsed_time, 150, 3_000)
    expect(more).toEqual([])
  })

  it('report how long the pointer was over them before the click, and nothing when it leaves afterwards', async () => {
    await load('/')
    await page.waitForLoadState('networkidle')
    await page.hover('#buy')
    await pass(120)
    await page.click('#buy b')
    await page.hover('#away')
    await page.click('#buy')
    const times = await site.arrived(3, 2)
    expect(times.map(({ action }) => action)).toEqual(['hover-then-clicked', 'hover-then-clicked'])
    between(times[0]!.elapsed_time, 120, 3_000)
  })

  it('report the pointer type at the start of the hover: a finger, or the mouse of the same page', async () => {
    const touching = await browser.newContext({ hasTouch: true })
    try {
      page = await touching.newPage()
      await load('/')
      await page.waitForLoadState('networkidle')
      await page.tap('#buy')
      const [tapped] = await site.arrived(3, 1)
      expect(tapped).toMatchObject({ action: 'hover-then-clicked', pointer: 'touch' })
      await page.hover('#away')
      await page.hover('#buy')
      await pass(120)
      // The hover of the mouse ends when a finger touches.
      await page.tap('#away')
      const [, left] = await site.arrived(3, 2)
      expect(left).toMatchObject({ action: 'hover-then-leave', pointer: 'mouse' })
    } finally {
      await touching.close()
    }
  })

  it('may appear later', async () => {
    await load('/')
    await page.waitForLoadState('networkidle')
    await page.evaluate(() =>
      document.body.insertAdjacentHTML('beforeend', '<a class="late">one</a> <a class="late">two</a>'),
    )
    await page.hover('a:last-child')
    await page.hover('#away')
    expect((await site.arrived(3, 1))[0]).toMatchObject({ target: "//a[@class='late']", action: 'hover-then-leave' })
  })
})

describe('funnels', () => {
  beforeEach(() => {
    site.config.keep_parameters = ['sale']
    site.config.funnels = [
      {
        id: 'checkout',
        stages: [
          { id: 1, name: 'home', url: '/' },
          { id: 2, name: 'products', url: '/products*' },
          { id: 3, name: 'cart', click: '#buy' },
          { id: 4, name: 'broken', click: '###' },
        ],
      },
      { id: 'other', stages: [{ id: 7, name: 'products', url: `${site.url('/products')}?sale=*` }] },
    ]
  })
  const plain = ({ action, funnel, entered, from }: Record<string, unknown>): unknown[] => [
    action,
    funnel,
    entered,
    from,
  ]

  it('are entered by address and by click, and report the time in the stage that was left', async () => {
    site.body = '<button id="buy"><b>Buy</b></button>'
    const sinceLoad = stopwatch()
    await load('/')
    await pass(100)
    await push('/products/1')
    const most = sinceLoad()
    await push('/products?sale=1')
    await page.click('#buy b')
    const changes = await site.arrived(4, 4)
    expect(changes.map(plain)).toEqual([
      ['onUrlChange', 'checkout', 1, undefined],
      ['onUrlChange', 'checkout', 2, 1],
      ['onUrlChange', 'other', 7, undefined],
      ['onClick', 'checkout', 3, 2],
    ])
    const [home, products, sale] = changes
    between(products!.elapsed_time, 100, most)
    expect([home!.elapsed_time, sale!.elapsed_time]).toEqual([0, 0])
  })

  it('continue across full page loads, and ignore entering the same stage again', async () => {
    await load('/')
    await site.arrived(4, 1)
    const sinceHome = stopwatch()
    await load('/products/1')
    await site.arrived(4, 2)
    await load('/products/2')
    await load('/')
    const changes = await site.arrived(4, 3)
    expect(changes.map(plain)).toEqual([
      ['onUrlChange', 'checkout', 1, undefined],
      ['onUrlChange', 'checkout', 2, 1],
      ['onUrlChange', 'checkout', 1, 2],
    ])
    between(changes[2]!.elapsed_time, 1, sinceHome())
  })

  it('lose no event from before the configuration arrived', async () => {
    const answer = Promise.withResolvers<void>()
    await page.route('**/v1/config*', async (route) => {
      await answer.promise
      await route.continue()
    })
    await load('/')
    await push('/products')
    await page.click('#buy')
    answer.resolve()
    expect((await site.arrived(4, 3)).map(({ entered }) => entered)).toEqual([1, 2, 3])
  })
})

describe('delivery', () => {
  it('is one plain-text post for events that happen together', async () => {
    await load('/')
    await push('/b')
    await push('/c')
    await site.arrived(2, 3)
    expect(site.posts.length).toBe(1)
    expect(site.posts[0]!.type).toMatch(/^text\/plain/)
    between(Math.abs(Date.now() - (JSON.parse(site.posts[0]!.body) as { sent_at: number }).sent_at), 0, 5_000)
  })

  it('happens when the tab is closed', async () => {
    await load('/')
    await push('/b')
    await page.close({ runBeforeUnload: true })
    await site.arrived(2, 2)
  })

  it('happens by a beacon when the page is left', async () => {
    await page.addInitScript(() => {
      const send = navigator.sendBeacon.bind(navigator)
      navigator.sendBeacon = (url, body) => {
        sessionStorage.setItem('beacons', `${sessionStorage.getItem('beacons') ?? ''}${typeof body}`)
        return send(url, body)
      }
    })
    await load('/a')
    await page.goto('about:blank')
    await site.arrived(2, 1)
    await load('/b')
    expect(await page.evaluate(() => sessionStorage.getItem('beacons'))).toBe('string')
  })

  it.each([503, 429])('is retried with the same ids after %i, also by the next page', async (status) => {
    site.status = status
    await load('/a')
    await page.click('#buy')
    await until(
      () => site.posts.length > 0,
      () => 'a failed post',
    )
    const failed = site.posts.flatMap(({ body }) => eventsOf(body)).map(({ event_id }) => event_id)
    site.status = 202
    await load('/b')
    await site.arrived(2, 2)
    expect(site.events.map(({ event_id }) => event_id)).toEqual(expect.arrayContaining(failed))
    await until(
      () => site.eventsOfType(1).length === 1,
      () => 'the click',
    )
    await page.waitForFunction(() => Object.keys(localStorage).length === 1)
  })

  it.each([
    ['there is no answer', undefined],
    ['the answer names a date', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  ])('is retried two to three times later when %s', async (_, date) => {
    const times: number[] = []
    await page.route('**/v1/events*', async (route) => {
      times.push(Date.now())
      await (date ? route.fulfill({ status: 503, headers: { 'retry-after': date } }) : route.abort())
    })
    await load('/a')
    await until(
      () => times.length > 1,
      () => 'the retry',
    )
    expect(times[1]! - times[0]!).toBeGreaterThan(1_900)
  })

  it('is not retried when the server rejects permanently', async () => {
    site.status = 400
    await load('/a')
    await page.waitForFunction(() => Object.keys(localStorage).length === 1)
    site.status = 202
    await push('/b')
    expect((await site.arrived(2, 1)).map(({ to }) => to)).toEqual([site.url('/b')])
  })

  it('splits events that are too large for one keepalive body', async () => {
    await load('/')
    await page.evaluate(() => {
      for (let i = 0; i < 24; i++)
        (window.hopper as (name: string, data: object) => void)(`big ${i}`, { text: '€'.repeat(2_000) })
    })
    expect((await site.arrived(0, 24)).map(({ name }) => name)).toEqual(
      Array.from({ length: 24 }, (_, i) => `big ${i}`),
    )
    for (const { body } of site.posts) expect(Buffer.byteLength(body)).toBeLessThan(64_000)
  }, 60_000)

  it('cuts an address that is longer than the server accepts', async () => {
    await load('/a?' + 'x'.repeat(3_000))
    await push('/b')
    const [a, b] = await site.arrived(2, 2)
    expect([a!.to, b!.from]).toEqual([site.url('/a?' + 'x'.repeat(3_000)).slice(0, 2_048), a!.to])
  })

  it('works where storage is blocked', async () => {
    await page.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, {
          get: () => {
            throw new DOMException('blocked', 'SecurityError')
          },
        })
    })
    await load('/a')
    await push('/b')
    await page.click('#buy')
    const [a, b] = await site.arrived(2, 2)
    expect([b!.from, b!.seq - a!.seq, b!.session_id]).toEqual([site.url('/a'), 1, a!.session_id])
    await site.arrived(1, 1)
  })

  it('works where storage is full', async () => {
    await load('/a')
    await site.arrived(2, 1)
    await page.evaluate(() => {
      for (let size = 5_000_000; size >= 1; size = Math.floor(size / 2))
        try {
          for (let i = 0; ; i++) localStorage.setItem(`full ${size} ${i}`, 'x'.repeat(size))
        } catch {}
    })
    await page.click('#buy')
    await site.arrived(1, 1)
  })

  it('counts each event of two tabs once, in one session', async () => {
    await load('/a')
    const other = await context.newPage()
    await other.goto(site.url('/b'))
    await site.arrived(2, 2)
    await page.click('#buy')
    await other.click('#buy')
    await site.arrived(1, 2)
    expect(new Set(site.events.map(({ session_id }) => session_id)).size).toBe(1)
    expect(site.events.map(({ seq }) => seq).sort()).toEqual([0, 1, 2, 3])
  })
})

describe('another session in another tab', () => {
  const HOUR_MS = 3_600_000

  it.each([
    ['at the same moment: the page is not reported again', 300, 1],
    ['later: the page is reported in it as well', HOUR_MS, 2],
  ])('that begins %s', async (_, laterMs, views) => {
    await load('/a')
    await site.arrived(2, 1)
    await page.evaluate((later) => {
      const key = Object.keys(localStorage).find((name) => (localStorage[name] as string).includes('"landing_page"'))!
      const device = JSON.parse(localStorage[key] as string) as { b: number; t: number }
      localStorage[key] = JSON.stringify({ ...device, d: 'other', s: 'other', n: 7, b: device.b + later })
    }, laterMs)
    await page.click('#buy')
    expect((await site.arrived(1, 1))[0]).toMatchObject({ device_id: 'other', session_id: 'other' })
    const reported = async (): Promise<number> => (await site.arrived(2, 1)).filter(({ to }) => to !== '').length
    await expect.poll(reported, { timeout: 10_000 }).toBe(views)
  })
})

describe('the page', () => {
  it('can record custom events and identify the visitor, also before the script is loaded', async () => {
    site.head = `<script>${stub}; hopper('early', { n: 1 }); hopper.track('second')</script>`
    await page.goto(site.url('/'))
    await page.waitForFunction(() => window.hopper && !window.hopper.q)
    await page.evaluate(() => {
      const hopper = window.hopper as unknown as ((name: string, data?: unknown) => void) & {
        identify: (user: string) => void
      }
      const ring: Record<string, unknown> = {}
      ring['ring'] = ring
      hopper('bad', ring)
      hopper('bought', { price: 12.5, gift: true, code: 'ä' })
      hopper.identify('anna')
    })
    expect((await site.arrived(5, 1))[0]).toMatchObject({ user_id: 'anna' })
    expect((await site.arrived(0, 4)).map(({ name, data }) => [name, data])).toEqual([
      ['early', { n: 1 }],
      ['second', undefined],
      // a value that JSON cannot express does not lose the event
      ['bad', undefined],
      ['bought', { price: 12.5, gift: true, code: 'ä' }],
    ])
  })

  it('gets one global and nothing else', async () => {
    await page.goto(site.url('/'))
    const before = await page.evaluate(() => Object.keys(window))
    await page.waitForFunction(() => 'hopper' in window)
    expect(
      (await page.evaluate(() => Object.keys(window))).filter((name) => !before.includes(name) && name !== 'hopper'),
    ).toEqual([])
  })

  it('scrolls without waiting for a listener', async () => {
    await page.addInitScript(() => {
      const added: string[] = []
      const original = EventTarget.prototype.addEventListener
      EventTarget.prototype.addEventListener = function (this: EventTarget, ...call) {
        // the driver has listeners of its own
        if (Error().stack!.includes('/hopper.js')) added.push(call[0])
        original.apply(this, call)
      }
      Object.assign(window, { added })
    })
    await load('/')
    const added = await page.evaluate(() => (window as unknown as { added: string[] }).added)
    expect(added).toContain('pointerover')
    expect(added.filter((type) => /^touch|wheel|^scroll/.test(type))).toEqual([])
  })

  it('is tracked again when the configuration fails at first', async () => {
    site.configStatus = 500
    await load('/')
    await page.click('#buy')
    await site.arrived(1, 1)
    site.config = { funnels: [{ id: 'f', stages: [{ id: 1, name: 'home', url: '/' }] }], elements: [] }
    site.configStatus = 200
    await site.arrived(4, 1)
  })
})
