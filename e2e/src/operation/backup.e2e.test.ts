import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { apps, provision } from '../faults/apps.fixture.ts'
import { hopper, Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { reportPaths } from '../report-paths.fixture.ts'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { randomTraffic, type RandomRequest } from '../traffic/random-traffic.ts'

const root = mkdtempSync(join(tmpdir(), 'hopper-backup-'))
const provisionFile = join(root, 'hopper.json')
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }
const headers = { authorization: `Bearer ${apps.tested.read}` }
const now = Date.now()
const before = randomTraffic({ devices: 40, eventsPerDevice: 20, seed: 1, now })
const during = randomTraffic({ devices: 60, eventsPerDevice: 40, seed: 2, now })
const services: Service[] = []

beforeAll(() => writeFileSync(provisionFile, JSON.stringify(provision)))

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')))
  rmSync(root, { recursive: true, force: true })
})

async function open(dir: string): Promise<Service> {
  const service = await Service.of('start', ['--data', dir, '--provision', provisionFile], env)
  services.push(service)
  await service.start()
  return service
}

async function send(service: Service, traffic: readonly (readonly RandomRequest[])[]): Promise<void> {
  await Promise.all(
    traffic.map(async (requests) => {
      for (const request of requests) await sendUntilAcknowledged(service.url, apps.tested.write, request)
    }),
  )
}

function eventsOf(traffic: readonly (readonly RandomRequest[])[]): number {
  return traffic.flat().reduce((sum, { events }) => sum + events.length, 0)
}

async function get<T>(service: Service, path: string): Promise<T> {
  return (await (await fetch(`${service.url}${path}`, { headers })).json()) as T
}

/** Returns the number of events of one fate, or of all but repetitions, when everything in the log is counted. */
async function countedEvents(service: Service): Promise<number> {
  await until(
    async () =>
      (await get<{ lanes: { lag: number }[] }>(service, '/api/v1/status')).lanes.every(({ lag }) => lag === 0),
    60_000,
  )
  const { fates } = await get<{ fates: { fate: string; events: number }[] }>(service, '/api/v1/status')
  return fates.filter(({ fate }) => fate !== 'duplicate').reduce((sum, { events }) => sum + events, 0)
}

/** The answers of all reports without their `meta`, which depends on the progress of each copy. */
async function reports(service: Service): Promise<unknown[]> {
  const day = (offset: number): string => new Date(now + offset * 86_400_000).toISOString().slice(0, 10)
  return Promise.all(
    reportPaths(day(-2), day(1)).map(async (path) => {
      const answer = await get<{ meta?: unknown }>(service, `/api/v1/apps/${apps.tested.id}/${path}`)
      return [path, { ...answer, meta: undefined }]
    }),
  )
}

it('a backup of a running Hopper has all that was acknowledged before it, and counts the rest once', async () => {
  const [data, backup] = [join(root, 'data'), join(root, 'backup')]
  const running = await open(data)
  await send(running, before)
  const sending = send(running, during)
  await hopper(['backup', '--data', data, backup], env)
  await sending
  const total = eventsOf(before) + eventsOf(during)
  expect(await countedEvents(running)).toBe(total)

  const restored = await open(backup)
  const found = await countedEvents(restored)
  expect(found).toBeGreaterThanOrEqual(eventsOf(before))
  expect(found).toBeLessThanOrEqual(total)
  await send(restored, before)
  await send(restored, during)
  expect(await countedEvents(restored)).toBe(total)
  // Bots are reviewed after events are counted, with the same outcome in both. After a review an app pauses for twenty
  // times as long, so on a busy machine for a minute or two.
  await until(async () => isDeepStrictEqual(await reports(restored), await reports(running)), 200_000).catch(
    () => undefined,
  )
  expect(await reports(restored)).toEqual(await reports(running))
  await running.stop('SIGTERM')
  await restored.stop('SIGTERM')
}, 360_000)

it('control: a copy of the log that is older than the copy of the tables is refused', async () => {
  const [data, copy] = [join(root, 'older'), join(root, 'copy')]
  await (await open(data)).stop('SIGTERM')
  mkdirSync(copy)
  copyFileSync(join(data, 'log.db'), join(copy, 'log.db'))
  const running = await open(data)
  await send(running, before)
  await countedEvents(running)
  await running.stop('SIGTERM')
  copyFileSync(join(data, 'tables.db'), join(copy, 'tables.db'))
  await expect(hopper(['backup', '--data', copy, join(root, 'refused')], env)).rejects.toThrow('HOP_DATA_DAMAGED')
}, 120_000)

it('refuses a directory that is not a data directory, and a place that is not empty', async () => {
  await expect(hopper(['backup', '--data', join(root, 'none'), join(root, 'new')], env)).rejects.toThrow(
    'not a data directory',
  )
  const data = join(root, 'own')
  await (await open(data)).stop('SIGTERM')
  await expect(hopper(['backup', '--data', data, data], env)).rejects.toThrow('not an empty directory')
}, 120_000)
