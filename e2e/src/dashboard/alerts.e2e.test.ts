import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Alerts } from '@hopper/contracts'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable, forEachLook } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })
const NAME = 'Checkout <b>falls</b> \u202eabc'

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

let dashboard: OpenedDashboard
let server: Server
let origin: string
const received: Received[] = []
let isAnswering = true

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
      if (isAnswering) response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { HOPPER_ALERT_WEBHOOKS: origin, HOPPER_ALERT_PRIVATE_ADDRESSES: 'true' }
  dashboard = await openDashboard(undefined, { env })
}, 400_000)
afterAll(async () => {
  await dashboard?.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

const listed = (): Promise<Alerts> => dashboard.get<Alerts>('alerts')
const item = (): Locator => dashboard.page.locator('.alerts > li').filter({ hasText: 'falls' })
const button = (name: string): Locator => dashboard.page.getByRole('button', { name })

it('an alert is made, its secret is shown once, and a test of it arrives signed', async () => {
  const { page } = dashboard
  await dashboard.open('alerts')
  await page.getByText('There is no alert yet.').waitFor()
  await button('Add an alert').click()
  await page.getByLabel('Name', { exact: true }).fill(NAME)
  await page.getByRole('combobox', { name: 'Funnel', exact: true }).selectOption('checkout')
  await page.getByRole('combobox', { name: 'Time to go through the funnel' }).selectOption('1 hour')
  await page.getByLabel('Webhook address').fill('https://not-allowed.example/')
  await button('Save').click()
  await page.getByRole('alert').getByText('is not of an origin that the operator allows').first().waitFor()
  await page.getByLabel('Webhook address').fill(`${origin}/hook?token=abc`)
  await button('Save').click()
  const secret = await page.getByRole('group', { name: 'Secret of the webhook' }).locator('pre').textContent()
  expect(secret).toMatch(/^whsec_/)
  const { alerts } = await listed()
  expect(alerts).toMatchObject([
    { name: NAME, fall: { funnel: 'checkout', window_ms: 3_600_000 }, webhook: { origin } },
  ])
  await item().getByText('beyond chance (P at most 1\u202f%)').waitFor()
  await button('Send a test of Checkout').click()
  await page.getByRole('status').getByText('webhook: sent').waitFor()
  await item().getByText('Last notices (1)').click()
  await item().getByRole('cell', { name: 'webhook: sent' }).waitFor()
  expect((await listed()).alerts[0]!.notices).toMatchObject([{ kind: 'test', deliveries: [{ state: 'delivered' }] }])
  const [{ headers, body }] = received as [Received]
  const key = Buffer.from(secret!.slice('whsec_'.length), 'base64')
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
  expect(JSON.parse(body)).toMatchObject({ type: 'alert.test', data: { app: 'demo-shop', alert: { name: NAME } } })
  await page.reload()
  await item().waitFor()
  expect(await page.getByText('whsec_').count()).toBe(0)
  expect(await page.locator('.alerts b').count()).toBe(0)
})

it('it is silenced, changed with the keyboard, and looks right in light, dark and on a phone', async () => {
  const { page } = dashboard
  await dashboard.open('alerts')
  await button('Silence Checkout').click()
  await button('For a day').click()
  await item()
    .getByText(/Silenced until .* by Owner/)
    .waitFor()
  const until = (await listed()).alerts[0]!.silenced_until!
  expect(Math.abs(until - Date.now() - 86_400_000)).toBeLessThan(120_000)
  await button('End the silence of Checkout').click()
  await item().getByText('Silenced until').waitFor({ state: 'detached' })
  await button('Edit Checkout').focus()
  await page.keyboard.press('Enter')
  // the form opens with the cursor in the name
  await page.keyboard.press('End')
  await page.keyboard.type('!')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await listed()).alerts[0]!.name).toBe(`${NAME}!`)
  await forEachLook(page, async () => {
    await expectUsable(page)
    await button('Edit Checkout').click()
    await expectUsable(page)
    await button('Cancel').click()
  })
})

it('it is deleted by a dialog that says what is lost, closes with Escape and gives the focus back', async () => {
  const { page } = dashboard
  await dashboard.open('alerts')
  const remove = button('Delete the alert Checkout')
  await remove.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('its past notices are lost').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await remove.evaluate((element) => element === document.activeElement)).toBe(true)
  expect((await listed()).alerts).toHaveLength(1)
  await remove.click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await page.getByText('There is no alert yet.').waitFor()
  await expect.poll(() => button('Add an alert').evaluate((add) => add === document.activeElement)).toBe(true)
  expect((await listed()).alerts).toEqual([])
})

it('a notice whose process is killed while it is sent comes again after the start, with the same id', async () => {
  const { page, installation } = dashboard
  await dashboard.open('alerts')
  await button('Add an alert').click()
  await page.getByRole('combobox', { name: 'What to watch' }).selectOption('No events for a while')
  await page.getByLabel('Name', { exact: true }).fill('Quiet')
  await page.getByLabel('Minutes without events').fill('30')
  await page.getByLabel('Webhook address').fill(`${origin}/quiet`)
  received.length = 0
  isAnswering = false
  await button('Save').click()
  // rules are checked once a minute
  await expect.poll(() => received.length, { timeout: 90_000 }).toBe(1)
  await installation.stop('SIGKILL')
  isAnswering = true
  await installation.start()
  await expect.poll(() => received.length, { timeout: 30_000 }).toBe(2)
  const [first, again] = received as [Received, Received]
  expect(again.headers['webhook-id']).toBe(first.headers['webhook-id'])
  expect(again.body).toBe(first.body)
  expect(JSON.parse(again.body)).toMatchObject({ type: 'alert.fired', data: { alert: { name: 'Quiet' }, minutes: 30 } })
  await expect.poll(async () => (await listed()).alerts[0]!.notices[0]!.deliveries[0]!.state).toBe('delivered')
  await dashboard.open('alerts')
  const quiet = page.locator('.alerts > li')
  await quiet.getByText('Alert', { exact: true }).first().waitFor()
  await quiet.getByText('Last notices (1)').click()
  await quiet.getByText('webhook: sent').waitFor()
  await expectUsable(page)
}, 240_000)
