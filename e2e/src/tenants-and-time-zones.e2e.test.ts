import { randomUUID } from 'node:crypto'
import type { PageViews, StageUsers, Traffic } from '@hopper/contracts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { whenCounted, getJson, type Installation } from './installations/installation.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'

const funnel = { id: 'f', name: 'F', stages: [{ id: 1, name: 'one', url: '/1' }] }
const app = (id: string, timezone: string) => ({
  id,
  name: id,
  timezone,
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
  funnels: [funnel],
})
const apps = {
  berlin: app('berlin', 'Europe/Berlin'),
  kathmandu: app('kathmandu', 'Asia/Kathmandu'),
  other: app('other', 'UTC'),
}
let installation: Installation

async function send(to: keyof typeof apps, events: Record<string, unknown>[], device = randomUUID()): Promise<void> {
  const answer = await fetch(`${installation.ingestUrl}/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': apps[to].write_key,
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36',
    },
    body: JSON.stringify({ device_id: device, session_id: randomUUID(), events }),
  })
  expect(answer.status).toBe(202)
  expect(await answer.json()).toEqual({ accepted: events.length, rejected: [] })
}
const view = (timestamp: string, url: string) => ({
  type: 2,
  event_id: randomUUID(),
  timestamp,
  from: '',
  to: url,
  elapsed_time: 0,
})
const entered = (timestamp: string) => ({
  type: 4,
  event_id: randomUUID(),
  timestamp,
  action: 'onUrlChange',
  funnel: 'f',
  entered: 1,
  elapsed_time: 0,
})
const get = <T>(appName: keyof typeof apps, path: string) =>
  getJson<T>(installation, `/api/v1/apps/${appName}/${path}`, apps[appName].read_key)

forEachInstallation((open) => {
  beforeAll(async () => {
    installation = await open({
      provision: {
        organizations: [
          { id: 'acme', name: 'Acme', admin_key: 'ha_acme_0123456789abcdef', apps: [apps.berlin, apps.kathmandu] },
          { id: 'rival', name: 'Rival', admin_key: 'ha_rival_0123456789abcdef', apps: [apps.other] },
        ],
      },
    })
    await installation.start()
  }, 90_000)
  afterAll(() => installation?.dispose())

  it('counts an event on the date of its app, across both clock changes of Berlin and in +05:45', async () => {
    // 2026-03-29: 02:00 CET becomes 03:00 CEST; 2026-10-25: 03:00 CEST becomes 02:00 CET
    await send('berlin', [
      entered('2026-03-28T22:59:59.999Z'),
      entered('2026-03-28T23:00:00.000Z'),
      entered('2026-03-29T21:59:59.999Z'),
      entered('2026-03-29T22:00:00.000Z'),
    ])
    await send('berlin', [
      entered('2026-10-24T21:59:59.999Z'),
      entered('2026-10-24T22:00:00.000Z'),
      entered('2026-10-25T22:59:59.999Z'),
      entered('2026-10-25T23:00:00.000Z'),
    ])
    await send('kathmandu', [entered('2026-05-01T18:14:59.999Z'), entered('2026-05-01T18:15:00.000Z')])
    await whenCounted(installation, apps.berlin.read_key)
    const dates = async (appName: 'berlin' | 'kathmandu', from: string, to: string) =>
      (await get<StageUsers>(appName, `stages/users?funnel=f&from=${from}&to=${to}`)).rows
        .filter(({ users }) => users > 0)
        .map(({ date, users }) => [date, users])
    expect(await dates('berlin', '2026-03-20', '2026-04-05')).toEqual([
      ['2026-03-28', 1],
      ['2026-03-29', 1],
      ['2026-03-30', 1],
    ])
    expect(await dates('berlin', '2026-10-20', '2026-10-30')).toEqual([
      ['2026-10-24', 1],
      ['2026-10-25', 1],
      ['2026-10-26', 1],
    ])
    expect(await dates('kathmandu', '2026-04-25', '2026-05-05')).toEqual([
      ['2026-05-01', 1],
      ['2026-05-02', 1],
    ])
  })

  it('shows 23 and 25 hours on the dates of a clock change', async () => {
    await send('berlin', [view('2026-10-25T00:30:00Z', '/twice'), view('2026-10-25T01:30:00Z', '/twice')])
    await whenCounted(installation, apps.berlin.read_key)
    const hours = async (date: string) => (await get<Traffic>('berlin', `traffic?by=hour&from=${date}&to=${date}`)).rows
    expect(await hours('2026-03-29')).toHaveLength(23)
    const autumn = await hours('2026-10-25')
    expect(autumn).toHaveLength(25)
    const viewed = autumn.filter(({ views }) => views > 0).map(({ time }) => new Date(time).toISOString())
    expect(viewed).toEqual(['2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z'])
  })

  it('never shows one app the data of another', async () => {
    const device = randomUUID()
    const id = randomUUID()
    for (const appName of ['berlin', 'other'] as const) {
      await send(appName, [{ ...view('2026-06-10T10:00:00Z', `/${appName}`), event_id: id }], device)
    }
    await whenCounted(installation, apps.berlin.read_key)
    for (const appName of ['berlin', 'other'] as const) {
      const { rows } = await get<PageViews>(appName, 'pages/views?from=2026-06-10&to=2026-06-10')
      expect(rows.map(({ url, views }) => [url, views])).toEqual([[`/${appName}`, 1]])
    }
    const status = async (appName: string, key: string) =>
      (
        await fetch(`${installation.apiUrl}/api/v1/apps/${appName}/pages/views`, {
          headers: { authorization: `Bearer ${key}` },
        })
      ).status
    expect(await status('other', apps.berlin.read_key)).toBe(403)
    // An admin key does not even learn that another organization has an app of this name.
    expect(await status('other', 'ha_acme_0123456789abcdef')).toBe(404)
    expect(await status('berlin', apps.berlin.write_key)).toBe(403)
    expect(await status('berlin', 'hr_nobody_0123456789abcdef')).toBe(401)
  })
})
