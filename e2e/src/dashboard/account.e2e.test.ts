import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { holdRequest } from './held-request.fixture.ts'
import { expectUsable, forEachLook } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const PASSWORD = 'nine blue whales 4711'
const PERIOD_MS = 30_000
let dashboard: OpenedDashboard

beforeAll(async () => void (dashboard = await openDashboard()), 120_000)
afterAll(() => dashboard?.close())
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

it('a member sets a password, and a second factor that the next login asks for', async () => {
  const { page } = dashboard
  await page.getByRole('button', { name: /Account: / }).click()
  await page.getByRole('link', { name: 'Your account' }).click()
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor()
  // nobody is asked for a password that does not exist
  const factor = page.getByRole('region', { name: 'Second factor' })
  await factor.getByRole('button', { name: 'Set up a second factor' }).waitFor()
  expect(await page.getByLabel('Current password').count()).toBe(0)
  await page.getByLabel('New password, at least 10 characters').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByText('The password is saved.').waitFor()
  await page.getByRole('button', { name: 'Change the password' }).waitFor()
  expect(await page.getByLabel('Current password').count()).toBe(2)

  await factor.getByLabel('Current password').fill('wrong')
  await factor.getByRole('button', { name: 'Set up a second factor' }).click()
  await factor.getByText('The current password is wrong').first().waitFor()
  await factor.getByLabel('Current password').fill(PASSWORD)
  await factor.getByRole('button', { name: 'Set up a second factor' }).click()
  await factor.getByRole('img', { name: /QR code/ }).waitFor()
  await expectUsable(page)
  const secret = await factor.getByRole('group', { name: 'Secret of the second factor' }).locator('pre').textContent()
  const totp = new TOTP({ secret: Secret.fromBase32(secret!) })
  await factor.getByLabel('Code', { exact: true }).fill(totp.generate())
  await factor.getByRole('button', { name: 'Turn it on' }).click()
  const recovery = await factor.getByRole('group', { name: 'Recovery codes' }).locator('pre').textContent()
  expect(recovery!.split('\n')).toHaveLength(10)
  await factor.getByText('Recovery codes left: 10').waitFor()

  await page.getByRole('button', { name: /Account: / }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Member').fill('owner')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  const code = page.getByLabel('Current code of your authenticator')
  await code.waitFor()
  await expectUsable(page)
  await code.fill('000000')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('The code is wrong or was used.').first().waitFor()
  await code.fill(totp.generate({ timestamp: Date.now() + PERIOD_MS }))
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor()
})

it('an app without events does not redirect somebody who has left for a page that is still loading', async () => {
  const { page } = dashboard
  const dates = await holdRequest(page, /by=day/)
  const code = await holdRequest(page, /assets\/account-page.*\.js/)
  await page.goto(`${dashboard.installation.apiUrl}/a/demo-shop/overview`)
  await dates.requested
  await page.getByRole('button', { name: /Account: / }).click()
  await page.getByRole('link', { name: 'Your account' }).click()
  await code.requested
  await page.waitForURL('**/account')
  dates.release()
  await dates.answered
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  code.release()
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor()
  await page.unrouteAll({ behavior: 'wait' })
})

/** Returns the name of the element that has the focus; 'BODY' for the page. */
function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement!.getAttribute('aria-label') ?? document.activeElement!.tagName)
}

/** A member who has come by a link must choose a password, and not a common one, before any page is shown. */
async function choosesPassword(page: Page, password: string): Promise<void> {
  const title = page.getByRole('heading', { level: 1, name: 'Choose a password' })
  await title.waitFor()
  expect(await page.getByLabel('Member').inputValue()).toBe('ann')
  expect(await page.getByRole('button', { name: 'Not now' }).count()).toBe(0)
  await forEachLook(page, () => expectUsable(page))
  await page.goto(`${dashboard.installation.apiUrl}/a/demo-shop/funnels`)
  await title.waitFor()
  await page.getByLabel('New password, at least 10 characters').fill('password123')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page
    .getByRole('alert')
    .getByText(/choose one that nobody would try/)
    .first()
    .waitFor()
  await page.getByLabel('New password, at least 10 characters').fill(password)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByRole('heading', { level: 1, name: 'Funnels' }).waitFor()
}

/** A member logs out and in with a password, and comes back to the address where a session ended. */
async function comesBack(page: Page, password: string): Promise<void> {
  const logIn = async (): Promise<void> => {
    await page.getByLabel('Member').fill('ann')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  await page.goto(`${dashboard.installation.apiUrl}/a/demo-shop/account`)
  await page.getByRole('button', { name: /Account: / }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await logIn()
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor()
  await page.goto(`${dashboard.installation.apiUrl}/a/demo-shop/elements?range=7d`)
  await page.getByRole('heading', { level: 1, name: 'Elements' }).waitFor()
  await page.context().clearCookies()
  await page.keyboard.press('9')
  await page.getByText('Your login has ended.').waitFor()
  await expectUsable(page)
  await logIn()
  await page.getByRole('heading', { level: 1, name: 'Elements' }).waitFor()
  await page.waitForURL('**/a/demo-shop/elements?range=90d')
  await page.goto(`${dashboard.installation.apiUrl}/a/demo-shop/settings`)
}

it('a key is made with a name, shows its last use, and is deleted by a dialog that names it', async () => {
  const { page, installation } = dashboard
  await dashboard.open('settings')
  const keys = page.getByRole('region', { name: 'Keys', exact: true })
  await keys.getByLabel('Name of the key').fill('Blog <b>')
  await keys.getByRole('button', { name: 'Create a key' }).click()
  const key = (await keys.getByRole('group', { name: 'New key', exact: true }).locator('pre').textContent())!
  const item = keys.getByRole('listitem').filter({ hasText: 'Blog <b>' })
  await item.getByText('never used').waitFor()
  const send = async (): Promise<number> => {
    const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ device_id: 'd', events: [{ type: 'custom', name: 'order' }] }),
    })
    return answer.status
  }
  expect(await send()).toBe(202)
  await expect
    .poll(async () => {
      await page.reload()
      return item.first().textContent()
    })
    .toContain('last used')
  await item.getByRole('button', { name: 'Delete the write key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: `Delete the write key …${key.slice(-4)} “Blog <b>”?` }).waitFor()
  const cancel = dialog.getByRole('button', { name: 'Cancel' })
  expect(await cancel.evaluate((button) => button === document.activeElement)).toBe(true)
  await forEachLook(page, () => expectUsable(page))
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  await item.getByRole('button', { name: 'Delete the write key' }).click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await item.waitFor({ state: 'detached' })
  // the focus is on the same button of a neighbour
  await expect.poll(() => focusedName(page)).toMatch(/^Delete the (read|write|admin) key/)
  // ingest knows a key for some seconds
  await expect.poll(send, { timeout: 15_000, interval: 500 }).toBe(401)
})

it('an owner invites a member, who logs in by the link and chooses a password, and removes the member', async () => {
  const { page, browser } = dashboard
  const password = 'six green llamas 2208'
  await dashboard.open('settings')
  const members = page.getByRole('region', { name: 'Members' })
  await members.getByLabel('Id').fill('ann')
  await members.getByLabel('Name').fill('Ann <b>')
  await members.getByRole('button', { name: 'Invite' }).click()
  const link = await members.getByRole('group', { name: 'Login link' }).locator('pre').textContent()
  await members.getByText('Ann <b>').waitFor()

  const memberPage = await (await browser.newContext()).newPage()
  await memberPage.goto(link!)
  await memberPage.getByRole('button', { name: 'Log in to Hopper' }).click()
  await choosesPassword(memberPage, password)
  await memberPage.goto(`${dashboard.installation.apiUrl}/a/demo-shop/settings`)
  await memberPage.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
  expect(await memberPage.getByRole('region', { name: 'Members' }).count()).toBe(0)
  const changes = /^(Save|Delete|Duplicate|Create|Invite|Add|Edit|Make|Link|Pick|New)/
  await memberPage.getByText('The tag for your site').waitFor()
  expect(await memberPage.locator('main').getByRole('button', { name: changes }).allTextContents()).toEqual([])
  await memberPage.goto(`${dashboard.installation.apiUrl}/a/demo-shop/funnels`)
  await memberPage.locator('.funnel-list h2').first().waitFor()
  for (const role of ['link', 'button'] as const)
    expect(await memberPage.locator('main').getByRole(role, { name: changes }).allTextContents()).toEqual([])
  await comesBack(memberPage, password)

  await members.getByLabel('Role of ann').selectOption('admin')
  await expect.poll(() => members.getByLabel('Role of ann').inputValue()).toBe('admin')
  await memberPage.reload()
  await memberPage.getByRole('region', { name: 'Members' }).waitFor()

  await members.getByRole('button', { name: 'Delete the member ann' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await members.getByText('Ann <b>').waitFor({ state: 'detached' })
  await memberPage.reload()
  await memberPage.getByRole('heading', { name: 'Log in' }).waitFor()
  await memberPage.close()
})

it('an admin changes what an app accepts and keeps, and no event is deleted before the admin confirms it', async () => {
  const { page, installation } = dashboard
  const settings = async (): Promise<unknown> =>
    (await page.request.get(`${installation.apiUrl}/api/v1/apps/demo-shop`)).json()
  await dashboard.open('settings')
  const app = page.getByRole('region', { name: 'App', exact: true })
  await app.getByLabel('Name', { exact: true }).fill('Demo <b>shop</b>')
  await app.getByLabel(/^Origins/).fill('https://shop.example\n\nhttps://www.shop.example')
  await app.getByLabel(/^Gigabytes/).fill('2.5')
  await app.getByLabel('Respect Do Not Track').check()
  await app.getByRole('button', { name: 'Save the app' }).click()
  await app.getByText('Saved.').waitFor()
  expect(await settings()).toMatchObject({
    name: 'Demo <b>shop</b>',
    origins: ['https://shop.example', 'https://www.shop.example'],
    quota_bytes: 2_500_000_000,
    tracker: { respect_privacy_signals: true },
  })
  expect(await settings()).not.toHaveProperty('retention_days', 30)

  const confirmation = app.getByLabel('Events that are older are deleted')
  expect(await confirmation.count()).toBe(0)
  await app.getByLabel(/^Days/).fill('30')
  await app.getByRole('button', { name: 'Save the app' }).click()
  expect(await confirmation.evaluate((box: HTMLInputElement) => box.validity.valueMissing)).toBe(true)
  await expectUsable(page)
  await confirmation.check()
  await app.getByRole('button', { name: 'Save the app' }).click()
  await app.getByText('Saved.').waitFor()
  expect(await settings()).toMatchObject({ retention_days: 30 })
  await app.getByLabel(/^Days/).fill('')
  await app.getByLabel(/^Origins/).fill('shop.example/with/a/path')
  await app.getByRole('button', { name: 'Save the app' }).click()
  await app.getByRole('alert').waitFor()
  expect(await settings()).toMatchObject({ retention_days: 30 })
})

it.each([
  ['account', 'dark', 390],
  ['account', 'light', 1_440],
  ['settings', 'dark', 390],
  ['settings', 'light', 1_440],
] as const)('the page %s is usable in the %s theme, %i px wide', async (path, colorScheme, width) => {
  const { page } = dashboard
  await page.setViewportSize({ width, height: 900 })
  await page.emulateMedia({ colorScheme })
  await dashboard.open(path)
  await page.getByRole('listitem').first().waitFor()
  await expectUsable(page)
})
