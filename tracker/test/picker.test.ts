import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PickBody, strictSchema } from '@hopper/contracts'
import type { Page } from 'playwright-core'
import { Value } from 'typebox/value'
import { beforeEach, describe, expect, it } from 'vitest'
import { isGenerated } from '../src/picker/stability.ts'
import { openSiteBeforeEach, type OpenedSite } from './browser.fixture.ts'
import { until } from './site.fixture.ts'

let site: OpenedSite['site']
let page: Page
openSiteBeforeEach((opened) => {
  ;({ site, page } = opened)
  page.setDefaultTimeout(5_000)
})

/** Opens a page of the site by a link of the picker, and waits for its panel. */
async function openPicker(body: string, path = '/', token = 'signed'): Promise<void> {
  site.body = body
  await page.goto(site.url(`${path}#hopper-pick=${token}`))
  await page.waitForFunction(() => document.querySelector('hopper-picker:popover-open') !== null)
}

const posts = (): PickBody[] => site.picks.map((body) => JSON.parse(body) as PickBody)

/** Waits until an element was picked; what was sent must match the contract. */
async function picked(): Promise<PickBody> {
  await until(
    () => site.picks.length > 0,
    () => 'a pick',
  )
  const [body] = posts()
  expect(Value.Check(strictSchema(PickBody), body)).toBe(true)
  return body!
}
/** Clicks at the middle of an element: the overlay lies over it, so the browser would refuse a click on it. */
async function clickAt(selector: string): Promise<void> {
  const box = (await page.locator(selector).boundingBox())!
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
}
beforeEach(() => {
  site.picks.length = 0
})

describe('a link of the picker', () => {
  it('opens the overlay, leaves the address at once, and nothing of the page is recorded', async () => {
    await openPicker('<button id="buy">Buy</button>', '/cart?x=1')
    expect(page.url()).toBe(site.url('/cart?x=1'))
    await page.evaluate(() => window.hopper!('own', { a: 1 }))
    await clickAt('#buy')
    await page.goto('about:blank')
    expect(site.posts).toEqual([])
    expect(site.configQueries.filter((query) => query.includes('pick=signed'))).toHaveLength(1)
  })

  it('keeps the route of the page', async () => {
    site.body = '<button>Buy</button>'
    await page.goto(site.url('/#/cart?hopper-pick=signed'))
    await page.waitForFunction(() => document.querySelector('hopper-picker') !== null)
    expect(page.url()).toBe(site.url('/#/cart'))
  })

  it.each(['forged', '%%', ''])('with the token "%s" opens nothing, and the page is tracked', async (token) => {
    site.body = '<button id="buy">Buy</button>'
    await page.goto(site.url(`/#hopper-pick=${token}`))
    await page.waitForFunction(() => window.hopper && location.hash === '' && !window.hopper.q)
    await site.arrived(2, 1)
    expect(await page.locator('hopper-picker').count()).toBe(0)
    expect(site.loads('/')).toBe(2)
  })

  it('is not followed by a tag that pins its script: nothing else is loaded', async () => {
    const { createHash } = await import('node:crypto')
    const script = readFileSync(join(import.meta.dirname, '../dist/hopper.js'))
    const integrity = `sha384-${createHash('sha384').update(script).digest('base64')}`
    site.tag = `<script src="/hopper.js" integrity="${integrity}" data-key="hw_test"></script>`
    await page.goto(site.url('/#hopper-pick=signed'))
    await page.waitForLoadState('networkidle')
    expect(site.pickerLoads).toBe(0)
  })

  it('works under a policy without inline scripts and styles, and with Trusted Types', async () => {
    site.headers = {
      'content-security-policy':
        "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'",
    }
    await openPicker('<button id="buy">Buy</button>')
    await clickAt('#buy')
    await page.keyboard.press('Enter')
    expect((await picked()).picked.xpath).toBe("//*[@id='buy']")
  })
})

describe('picking', () => {
  it('does not trigger the page, and proposes the most stable way first', async () => {
    await openPicker(
      `<form id="f" action="/sent"><p>x</p><button class="primary css-1x2y3z" data-hopper="buy" id="b17382">Buy now
       </button></form><script>for (const t of ['click','pointerdown','mousedown','mouseup','submit'])
       document.addEventListener(t, () => document.title = t, true)</script>`,
    )
    await clickAt('button[data-hopper]')
    await page.keyboard.press('Enter')
    const { token, picked: element } = await picked()
    expect(token).toBe('signed')
    expect(element).toEqual({
      page: site.url('/'),
      name: 'Buy now',
      xpath: "//*[@data-hopper='buy']",
      fingerprints: ['[data-hopper="buy"]', 'button.primary'],
    })
    expect(await page.title()).toBe('')
    expect(page.url()).toBe(site.url('/'))
  })

  it('works by keys: to the child, the sibling, the parent; Escape picks again', async () => {
    await openPicker('<main id="m"><p>one</p><button id="one">One</button><button id="two">Two</button></main>')
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'Enter', 'Escape']) await page.keyboard.press(key)
    for (const key of ['ArrowRight', 'ArrowUp', 'ArrowDown', 'ArrowRight', 'ArrowRight', 'Enter', 'Enter'])
      await page.keyboard.press(key)
    expect((await picked()).picked).toMatchObject({ name: 'Two', xpath: "//*[@id='two']" })
  })

  it('finds elements in shadow trees, and the button around an image', async () => {
    await openPicker(`<div id="host"></div><script>
      document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML =
        '<button data-hopper="inner"><svg width="40" height="40"><path d="M0 0h40v40z"/></svg></button>'</script>`)
    await clickAt('#host button')
    await page.keyboard.press('Enter')
    expect((await picked()).picked).toMatchObject({
      xpath: "//*[@data-hopper='inner']",
      fingerprints: ['[data-hopper="inner"]'],
    })
  })

  it('never reads what a person has typed', async () => {
    await openPicker(`<form id="f"><input id="password" type="password" value="secret-1" aria-label="Password">
      <label class="whole" tabindex="0">Note <textarea>secret-2</textarea>
      <span contenteditable>secret-3</span></label></form>`)
    await clickAt('#password')
    await page.keyboard.press('Enter')
    expect((await picked()).picked.name).toBe('Password')
    expect(site.picks.join()).not.toContain('secret')
  })

  it('shows markup in texts as text', async () => {
    await openPicker(`<button id="x">&lt;img src=x onerror="document.title='run'"&gt;</button>`)
    await clickAt('#x')
    await page.keyboard.press('Enter')
    expect((await picked()).picked.name).toBe(`<img src=x onerror="document.title='run'">`)
    expect(await page.title()).toBe('')
  })

  it('says why a pick was not taken', async () => {
    await openPicker('<button id="buy">Buy</button>')
    site.pickStatus = 403
    await clickAt('#buy')
    await page.keyboard.press('Enter')
    await picked()
    const status = page.getByRole('status')
    await status.getByText('This link has been used or has expired').waitFor()
  })

  it('lets the page work while it is paused, without recording', async () => {
    await openPicker('<button id="menu" onclick="document.title = this.id">Menu</button>')
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('#menu').click()
    expect(await page.title()).toBe('menu')
    await page.getByRole('button', { name: 'Pick' }).click()
    await clickAt('#menu')
    await page.keyboard.press('Enter')
    expect((await picked()).picked.name).toBe('Menu')
    expect(site.posts).toEqual([])
  })
})

describe('proposals', () => {
  /** Returns what the panel says about each way to find an element. */
  const proposals = async (body: string, selector: string): Promise<string[][]> => {
    await openPicker(body)
    await clickAt(selector)
    const items = await page.locator('hopper-picker li button').all()
    return Promise.all(
      items.map(async (item) => [
        (await item.locator('strong').textContent())!,
        (await item.locator('code').textContent())!,
        (await item.locator('small').textContent())!,
      ]),
    )
  }

  it('are ordered by how many changes of the page they survive, with their matches', async () => {
    expect(
      await proposals(
        '<main><a>one</a><a class="link css-1q2w3e" id=":r1:" data-hopper="go" href="/go">Go on</a><a>x</a></main>',
        'a.link',
      ),
    ).toEqual([
      ['data-hopper', '[data-hopper="go"]', 'survives most changes · 1 match on this page'],
      ['CSS', 'a.link', 'survives some changes · 1 match on this page'],
      ['role and text', "//a[normalize-space()='Go on']", 'survives some changes · 1 match on this page'],
      ['id', '#\\:r1\\:', 'breaks easily · 1 match on this page'],
    ])
  })

  it('say when they match several elements', async () => {
    const found = await proposals('<p><b tabindex="0">Buy</b></p><p><b tabindex="0">Buy</b></p>', 'p:nth-of-type(2) b')
    expect(found).toEqual([
      ['role and text', "//b[normalize-space()='Buy']", 'survives some changes · 2 matches on this page'],
      ['XPath', '/html[1]/body[1]/p[2]/b[1]', 'breaks easily · 1 match on this page'],
    ])
    await page.locator('hopper-picker li button').last().click()
    expect((await picked()).picked).toMatchObject({ xpath: '/html[1]/body[1]/p[2]/b[1]', fingerprints: [] })
  })
})

it.each([
  ...['buy', 'add-to-cart', 'nav_main', 'step2', 'h1', 'btn-primary', 'col-md-6', 'menu-item', 'checkout-button-2'],
  ...['header', 'facebook', 'deface', 'MainNav', 'sha256'],
])('the name %s was chosen by a person', (name) => expect(isGenerated(name)).toBe(name === 'sha256'))

it.each([
  ...[':r1:', 'ember1234', 'css-1x2y3z', 'sc-bdVaJa', 'jss42', 'radix-:r3:', 'b17382', '«r0»', '_r_2_'],
  ...['button_aB3xY', 'a1b2c3d4', 'id-5f3e9a7c1b', 'mui-12', 'react-select-2-input', 'x-12345'],
])('the name %s was made by a program', (name) => expect(isGenerated(name)).toBe(true))
