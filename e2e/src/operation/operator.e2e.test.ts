import type { Audits, Disk, Processes, Refusals, Status } from '@hopper/contracts'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { logOwnerIn } from '../dashboard/owner-login.fixture.ts'
import { forEachInstallation } from '../installations/for-each-installation.ts'
import { getJson, whenCounted, whenReviewed, type Installation } from '../installations/installation.ts'
import { launchBrowser } from '../traffic/launch-browser.ts'
import { agents } from '../traffic/random-traffic.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })
const app = {
  id: 'shop',
  name: 'Shop',
  timezone: 'UTC',
  write_key: 'hw_shop_0123456789abcdef',
  read_key: 'hr_shop_0123456789abcdef',
}
/** Headers of a browser: events of programs would not count. */
const browser = { 'user-agent': agents[0]!.userAgent, 'accept-language': 'en' }
const admin = 'ha_operator_0123456789abcdef'
const provision = { organizations: [{ id: 'o', name: 'O', admin_key: admin, apps: [app] }] }

/** Maximum time until a page about the state of the system refreshes. */
const REFRESH_MS = 40_000

forEachInstallation((open, kind) => {
  let installation: Installation
  beforeAll(async () => {
    installation = await open({
      provision,
      env: { HOPPER_DEMO: 'false', HOPPER_NO_SUCH_SETTING: 'hw_secret_of_a_setting' },
    })
    await installation.start()
  })
  afterAll(() => installation?.dispose())

  const get = <T>(path: string): Promise<T> => getJson<T>(installation, `/api/v1/${path}`, admin)
  const send = async (key: string, device: string): Promise<number> => {
    const events = Array.from({ length: 20 }, (_, n) => ({ type: 'custom', name: `n${n}`, data: { n } }))
    const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      headers: { ...browser, 'content-type': 'application/json', 'x-api-key': key, origin: 'https://shop.example' },
      body: JSON.stringify({ device_id: device, events }),
    })
    await answer.arrayBuffer()
    return answer.status
  }

  it('each process reports its version and its last problems, without values', async () => {
    const names = kind === 'standalone' ? ['aggregator', 'hopper'] : ['aggregator', 'api', 'ingest']
    const readProcesses = async (): Promise<Processes['processes']> => (await get<Processes>('processes')).processes
    await expect
      .poll(async () => [...new Set((await readProcesses()).map(({ name }) => name))].sort(), { timeout: 20_000 })
      .toEqual(names)
    const processes = await readProcesses()
    const { version } = await get<Status>('status')
    expect(new Set(processes.map((process) => process.version))).toEqual(new Set([version]))
    const warned = processes.filter(({ problems }) =>
      problems.some(({ level, message }) => level === 'warn' && message === 'no such setting; see docs/settings.md'),
    )
    expect([...new Set(warned.map(({ name }) => name))].sort()).toEqual(
      names.filter((name) => kind !== 'standalone' || name === 'hopper'),
    )
    expect(JSON.stringify(processes)).not.toMatch(/hw_|hr_|ha_|secret/)
  }, 60_000)

  it('an audit that the API begins finds no drift while Hopper runs', async () => {
    for (let n = 0; n < 10; n++) expect(await send(app.write_key, `d${n}`)).toBe(202)
    await whenCounted(installation, admin)
    await whenReviewed(installation, app.id, app.read_key)
    const begun = await fetch(`${installation.apiUrl}/api/v1/audits`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': admin },
      body: '{}',
    })
    expect(begun.status).toBe(202)
    const last = async (): Promise<Audits['audits'][number]> => (await get<Audits>('audits')).audits[0]!
    await expect.poll(async () => (await last()).state, { timeout: 150_000 }).toBe('finished')
    const { partitions, ...found } = await last()
    expect(found).toMatchObject({ differing: 0, differing_partitions: 0, skipped: 0, started_by: 'an admin key' })
    expect(partitions).toBeGreaterThan(3)
    expect((await get<Status>('status')).last_audit).toMatchObject({ differing: 0, partitions })
  })

  it('the disk of every process is shown, and what ingest refused', async () => {
    expect(await send('hw_nobody_knows_Wxyz', 'd')).toBe(401)
    const places = async (): Promise<string[]> => (await get<Disk>('disk')).places.map(({ place }) => place)
    const expected =
      kind === 'standalone' ? ['data'] : ['cassandra', expect.stringMatching(/^ingest .*:\d+$/) as unknown]
    await expect.poll(places, { timeout: 60_000 }).toEqual(expected)
    const refused = async (): Promise<unknown[]> =>
      (await get<Refusals>('refusals')).rows.map(({ code, origin, key_hint }) => [code, origin, key_hint])
    await expect.poll(refused, { timeout: 60_000 }).toEqual([['HOP_KEY_UNKNOWN', 'https://shop.example', 'Wxyz']])
  })

  it.runIf(kind === 'cluster')(
    'events that wait for a frozen aggregator are shown until they are counted',
    async () => {
      const aggregator = installation.services.find(({ name }) => name === 'aggregator')!
      await using opened = await launchBrowser()
      const page = await opened.newPage()
      await logOwnerIn(page, installation)
      await page.goto(`${installation.apiUrl}/a/${app.id}/overview`)
      const chip = page.locator('button.trust')
      await chip.getByText(/complete to/).waitFor()
      aggregator.signal('SIGSTOP')
      try {
        for (let n = 0; n < 10; n++) expect(await send(app.write_key, `e${n}`)).toBe(202)
        const lag = async (): Promise<Status['lag']> => (await get<Status>('status')).lag
        await expect.poll(async () => (await lag()).events, { timeout: 60_000 }).toBeGreaterThan(0)
        await expect.poll(async () => (await lag()).seconds, { timeout: 60_000 }).toBeGreaterThan(5)
        await chip.getByText(/behind .* s: [\d,]+ to count/).waitFor({ timeout: REFRESH_MS })
        await page.goto(`${installation.apiUrl}/a/${app.id}/system`)
        await page.getByText(/[\d,]+ events wait to be counted, the oldest for/).waitFor()
      } finally {
        aggregator.signal('SIGCONT')
      }
      await whenCounted(installation, admin)
      expect((await get<Status>('status')).lag).toMatchObject({ messages: 0, events: 0 })
      await page.getByText('Healthy.').waitFor({ timeout: REFRESH_MS })
      await page.goto(`${installation.apiUrl}/a/${app.id}/overview`)
      await chip.getByText(/complete to/).waitFor()
    },
  )
})
