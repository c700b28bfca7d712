import type { BrowserContext, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { close, configured, load, openSiteBeforeEach, views } from './browser.fixture.ts'
import { Site, until } from './site.fixture.ts'

// The options of each build, and the sending of events.

let context: BrowserContext
let site: Site
let page: Page
openSiteBeforeEach((opened) => ({ context, site, page } = opened))

describe('options', () => {
  it('consent: silent until it is given, then what was remembered is sent, also by the next page', async () => {
    site.variant = 'consent'
    await load('/a')
    await page.click('#buy')
    await page.waitForTimeout(1_500)
    expect([site.configRequests, site.posts.length]).toEqual([0, 0])
    expect(await page.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0)
    await page.evaluate(() => window.hopper!.consent(true))
    await page.evaluate(() => window.hopper!('asked'))
    await site.arrived(0, 1)
    expect(site.eventsOfType(2).map(({ to }) => to)).toEqual([site.url('/a')])
    expect(site.eventsOfType(1)).toHaveLength(1)
    await load('/b')
    await site.arrived(2, 3)
    expect(new Set(site.events.map(({ device_id }) => device_id)).size).toBe(1)
  })

  it('cookieless: stores nothing, and names neither device nor session', async () => {
    site.variant = 'cookieless'
    await load('/a')
    await page.click('#buy')
    await site.arrived(1, 1)
    await load('/b')
    await until(
      () => views().length >= 2,
      () => 'two views',
    )
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, ''])
    for (const { body } of site.posts) {
      expect(JSON.parse(body)).toMatchObject({ cookieless: true })
      expect(body).not.toMatch(/device_id|session_id/)
    }
  })

  it('cookieless: only a page that is reached from outside of the site states a source', async () => {
    site.variant = 'cookieless'
    site.body = '<a href="/b">b</a>'
    await load('/a')
    await site.arrived(2, 1)
    await page.click('a')
    await page.waitForURL('**/b')
    await until(
      () => views().length >= 2,
      () => 'two views',
    )
    const landingOf = (path: string): unknown[] =>
      site.posts
        .map(({ body }) => JSON.parse(body) as { source?: { landing_page: string }; events: { to?: string }[] })
        .filter(({ events }) => events.some(({ to }) => to === site.url(path)))
        .map(({ source }) => source?.landing_page)
    expect([landingOf('/a'), landingOf('/b')]).toEqual([[site.url('/a')], [undefined]])
  })

  it('respect_privacy_signals: sends nothing for a visitor who signals so', async () => {
    site.variant = 'respect_privacy_signals'
    await page.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }))
    await load('/a')
    await page.click('#buy')
    await page.waitForTimeout(1_500)
    expect([site.configRequests, site.posts.length]).toEqual([0, 0])
  })

  it('new_session_at_campaign: a landing with a campaign begins a session, its reload does not', async () => {
    site.variant = 'new_session_at_campaign'
    await load('/a')
    await load('/b?utm_source=news')
    await page.reload()
    await page.waitForFunction(() => window.hopper)
    await close()
    await site.arrived(2, 6)
    const sessions = views().map((view) => (view as { session_id: string }).session_id)
    expect(sessions[1]).not.toBe(sessions[0])
    expect(sessions[2]).toBe(sessions[1])
  })

  it('subdomains: share device and session, also on plain http', async () => {
    site.variant = 'subdomains'
    for (const host of ['www', 'app']) {
      await page.goto(site.url('/a').replace('127.0.0.1', `${host}.shop.example`))
      await page.waitForFunction(() => window.hopper)
    }
    await page.evaluate(() => window.hopper!('bought'))
    await site.arrived(0, 1)
    await until(
      () => views().length === 2,
      () => 'two views',
    )
    expect(new Set(site.events.map(({ device_id, session_id }) => `${device_id} ${session_id}`)).size).toBe(1)
    expect(new Set(site.events.map(({ seq }) => seq)).size).toBe(site.events.length)
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ name: 'hw_test', domain: '.shop.example', sameSite: 'Lax' })
  })

  it('cross_domains: a link hands the device over, and the address is clean again', async () => {
    site.variant = 'cross_domains'
    const other = await new Site().open()
    try {
      other.variant = 'cross_domains'
      site.config.tracker = { cross_domains: [new URL(other.url('/')).host] }
      site.body = `<a href="${other.url('/there?x=1#y')}">there</a>`
      await load('/a')
      await configured()
      const response = page.waitForResponse((response) => response.url().includes('/v1/link'))
      await page.hover('a')
      await response
      await page.waitForFunction(() => document.querySelector('a')!.href.includes('_hopper='))
      await page.click('a')
      await page.waitForFunction(() => window.hopper && location.search === '?x=1')
      await close()
      await other.arrived(2, 1)
      expect(other.eventsOfType(2)[0]).toMatchObject({ from: '', to: other.url('/there?x=1#y'), device_id: `linked` })
    } finally {
      await other.close()
    }
  })
})

describe('sending', () => {
  it('keeps the events of a refused key, and retries rarely', async () => {
    site.status = site.configStatus = 401
    await load('/a')
    await until(
      () => site.posts.length > 0,
      () => 'a refused post',
    )
    await page.waitForTimeout(2_500)
    expect([site.configRequests, site.posts.length]).toEqual([1, 1])
    expect(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('{')).length)).toBe(1)
    site.status = site.configStatus = 200
    site.status = 202
    await load('/b')
    await site.arrived(2, 3)
    expect(views()).toHaveLength(2)
  })

  it('needs a lock only where events of other pages wait', async () => {
    await context.addInitScript(() => {
      const request = navigator.locks.request.bind(navigator.locks) as (...call: unknown[]) => Promise<unknown>
      navigator.locks.request = (...call: unknown[]) => {
        sessionStorage.setItem('locks', String(Number(sessionStorage.getItem('locks')) + 1))
        return request(...call) as never
      }
    })
    const locks = (): Promise<string | null> => page.evaluate(() => sessionStorage.getItem('locks'))
    await load('/a')
    await page.click('#buy')
    await site.arrived(1, 1)
    await page.waitForFunction(() => Object.keys(localStorage).length === 1)
    expect(await locks()).toBe(null)
    // where a page is left without a beacon, its events wait for the next one
    site.status = 503
    await page.evaluate(() => window.hopper!('waiting'))
    await load('/b')
    site.status = 202
    await site.arrived(0, 1)
    expect(Number(await locks())).toBeGreaterThan(0)
  })

  it('is one request for a click and the events in the second after it', async () => {
    await load('/a')
    await site.arrived(2, 1)
    const posts = site.posts.length
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('#buy')!.click()
      setTimeout(() => window.hopper!('bought'), 100)
    })
    await site.arrived(0, 1)
    expect(site.eventsOfType(1)).toHaveLength(1)
    expect(site.posts.length).toBe(posts + 1)
  })

  it('never holds more than a thousand events back, of which the oldest give way', async () => {
    site.status = 503
    await load('/a')
    await page.evaluate(() => {
      for (let n = 0; n < 1_200; n++) window.hopper!('deed', { n })
    })
    const held = await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('{')))
    expect(held.length).toBeLessThanOrEqual(1_000)
    expect(held.length).toBeGreaterThan(900)
    const numbers = held.map((json) => (JSON.parse(json) as { data: { n: number } }).data.n)
    expect(Math.max(...numbers)).toBe(1_199)
  })

  it('is done by one tab at a time, each event once', async () => {
    site.status = 503
    await load('/a')
    const other = await context.newPage()
    await load('/b', other)
    for (const tab of [page, other]) await tab.evaluate(() => window.hopper!('x'))
    site.status = 202
    await site.arrived(0, 2)
    await page.waitForFunction(() => !Object.keys(localStorage).some((name) => name.startsWith('{')))
    const sent = site.posts
      .filter(({ status }) => status === 202)
      .flatMap(({ body }) => (JSON.parse(body) as { events: { event_id: string }[] }).events)
    expect(new Set(sent.map(({ event_id }) => event_id)).size).toBe(sent.length)
  })
})
