import type { Audits, Disk, Refusals, Status } from '@hopper/contracts'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { whenReviewed } from '../installations/installation.ts'
import { openDashboard, type OpenedDashboard } from './opened-dashboard.fixture.ts'
import { expectUsable, forEachLook } from './usable.fixture.ts'

vi.setConfig({ testTimeout: 180_000 })
const DAY_MS = 86_400_000
/** Maximum time until the System page refreshes. */
const REFRESH_MS = 40_000

let dashboard: OpenedDashboard

beforeAll(async () => {
  dashboard = await openDashboard({ days: 3, visitors: 20 })
}, 400_000)
afterAll(() => dashboard?.close())
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.page.setViewportSize({ width: 1_440, height: 900 })
  await dashboard.page.emulateMedia({ colorScheme: 'light' })
})

const card = (name: string): Locator => dashboard.page.getByRole('region', { name, exact: true })
const get = async <T>(path: string): Promise<T> => {
  const answer = await dashboard.page.request.get(`${dashboard.installation.apiUrl}/api/v1/${path}`)
  expect(answer.status()).toBe(200)
  return (await answer.json()) as T
}

/** Sends an event with a key that nobody knows, as a page of another site does. */
async function sendRefused(): Promise<void> {
  const answer = await fetch(`${dashboard.installation.ingestUrl}/v1/events`, {
    method: 'POST',
    headers: {
      'x-api-key': 'hw_nobody_knows_Wxyz',
      'content-type': 'application/json',
      origin: 'https://typo.example',
    },
    body: '{}',
  })
  expect(answer.status).toBe(401)
}

it('the page says in a sentence that all is counted, and how full the disk is', async () => {
  const { page } = dashboard
  await dashboard.open('system')
  const verdict = card('System')
  await verdict.getByText('Healthy.').waitFor()
  await verdict.getByText(/All events received until \d\d:\d\d:\d\d are counted\. .* used, .* free: /).waitFor()
  const { places } = await get<Disk>('disk')
  expect(places.map(({ place }) => place)).toEqual(['data'])
  expect(places[0]!.parts.map(({ part }) => part)).toEqual(expect.arrayContaining(['log', 'tables', 'registry']))
  await card('Disk').getByText('Log of all events').waitFor()
  const { fates } = await get<Status>('status')
  const all = fates.reduce((sum, { events }) => sum + events, 0)
  const counted = fates.filter(({ fate }) => fate === 'accepted' || fate === 'late')
  const sum = counted.reduce((total, { events }) => total + events, 0)
  expect(all).toBeGreaterThan(100)
  await card('Counted and not counted').getByText(new Intl.NumberFormat('en').format(sum)).first().waitFor()
  await card('Lost on the way').getByRole('columnheader', { name: 'Expected' }).waitFor()
  await page.getByText('Every message of the log could be counted.').waitFor()
})

it('a request with an unknown key is listed with its origin and the end of the key', async () => {
  await sendRefused()
  const listed = async (): Promise<unknown[]> =>
    (await get<Refusals>('refusals')).rows.map(({ code, origin, key_hint }) => [code, origin, key_hint])
  await expect.poll(listed, { timeout: 30_000 }).toEqual([['HOP_KEY_UNKNOWN', 'https://typo.example', 'Wxyz']])
  await dashboard.open('system')
  const row = card('Refused requests').locator('tbody tr')
  await row.waitFor()
  expect((await row.locator('td').allTextContents()).filter((_, n) => n !== 4)).toEqual([
    'unknown key',
    'https://typo.example',
    'none',
    'ends in Wxyz',
    '1',
  ])
})

it('an audit that is run from the page finds no drift, and is in the history after a kill, too', async () => {
  const { page, installation } = dashboard
  await dashboard.open('system')
  await card('Audits').getByText('No audit has run yet.').waitFor()
  await whenReviewed(installation, 'demo-shop', dashboard.readKey)
  await card('Audits').getByRole('button', { name: 'Run an audit now' }).click()
  await card('Audits')
    .getByText(/no difference in [\d,]+ partitions/)
    .waitFor({ timeout: 120_000 })
  const [audit] = (await get<Audits>('audits')).audits
  expect(audit).toMatchObject({ state: 'finished', differing: 0, skipped: 0, started_by: 'Owner' })
  expect(audit!.partitions).toBeGreaterThan(10)
  await page.getByText(`0 of ${new Intl.NumberFormat('en').format(audit!.partitions)} partitions differ.`).waitFor({
    timeout: REFRESH_MS,
  })
  // the next one dies with its process
  await card('Audits').getByRole('button', { name: 'Run an audit now' }).click()
  await expect.poll(async () => (await get<Audits>('audits')).audits.length).toBe(2)
  await installation.stop('SIGKILL')
  await seedDisk()
  await installation.start()
  const states = async (): Promise<string[]> => (await get<Audits>('audits')).audits.map(({ state }) => state)
  // finished, if it was quicker than the kill
  await expect.poll(async () => (await states())[0], { timeout: 60_000 }).toMatch(/interrupted|finished/)
  expect((await states())[1]).toBe('finished')
})

/** Gives the stopped installation measurements of the days before, as if it had run for so long. */
async function seedDisk(): Promise<void> {
  const storage = await dashboard.installation.openStorage()
  const { disks } = storage.registry
  const record = (await disks.get('', 'data'))!
  const used = record.parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const now = Date.now()
  const samples = [3, 2, 1].map((days) => ({ at: now - days * DAY_MS, used: used * (1 - days / 10) }))
  await disks.put('', 'data', { ...record, samples })
  await storage.close()
}

it('the disk has a forecast from the measurements of the days before', async () => {
  await dashboard.open('system')
  await expect.poll(async () => (await get<Disk>('disk')).places[0]!.full_in_seconds).toBeGreaterThan(0)
  expect((await get<Disk>('disk')).places[0]!.parts.map(({ part }) => part)).toContain('archive')
  await card('Disk')
    .getByText(/full in .* at this rate/)
    .waitFor()
  await card('System')
    .getByText(/full in .* at this rate\./)
    .waitFor()
})

it('the page is usable in light, dark, on a phone and at 320 px', async () => {
  const { page } = dashboard
  await dashboard.open('system')
  await forEachLook(page, async () => {
    await page.locator('summary', { hasText: 'lanes' }).first().waitFor()
    await expectUsable(page)
    await card('Counted and not counted').getByRole('button', { name: 'This app' }).click()
    await card('Counted and not counted').getByRole('application').waitFor()
    await expectUsable(page)
    await card('Counted and not counted').getByRole('button', { name: 'All your apps' }).click()
  })
})
