import { join } from 'node:path'
import { encodeEnvelope, type App, type Envelope, type Event } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { dumpOf, exportedEvents, readDump } from '../testing/answers.fixture.ts'
import { auditOf, configOf, countAll, makeInstallation, traffic } from '../testing/installation.fixture.ts'
import { findText } from '@hopper/storage/contract/found-text'
import { runAndKill } from '../testing/run-and-kill.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { rebuildInstallation } from '../rebuild/rebuild-main.ts'
import { expireApp } from './expire-app.ts'
import { planExpiry } from './plan-expiry.ts'

const lanes = 2
/** In every text of an event that must go. */
const MARK = 'zmarkedz'
const silent = { logger: createLogger('silent', 'retention'), progress: () => undefined }
/** The traffic of the fixture is of the last days of March. */
const NOW = Date.parse('2026-04-02T12:00:00Z')
const DAYS = 5
const keptFrom = '2026-03-28'
const [others] = fc.sample(traffic, { numRuns: 20, seed: 11 }).filter((envelopes) => envelopes.length > 30)

function sent(device_id: string, iso: string, ...events: object[]): Envelope {
  const at = Date.parse(iso)
  const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const
  return {
    version: 1,
    app: 'berlin',
    device_id,
    received_at: at + 1_000,
    context: device_id.includes(MARK) ? { ...context, referrer: `https://${MARK}.example/` } : context,
    events: events.map((event, n) => ({
      event_id: `${device_id} ${iso} ${n}`,
      timestamp: at + n,
      seq: n,
      session_id: `${device_id} s`,
      ...event,
    })) as Event[],
  }
}

const visit = { type: 'url_change', from: '', to: 'https://s.example/', elapsed_time: 3 }
const click = { type: 'click', target: '//a', elapsed_time: 3, current_url: 'https://s.example/' }

/** Events that expire, of a device that is never seen again and of one that stays; the date begins at 23:00 UTC. */
function old(): Envelope[] {
  const marked = { type: 'custom', name: `name ${MARK}`, data: { [`key ${MARK}`]: MARK } }
  const identify = { type: 'identify', user_id: `user ${MARK}`, data: { email: `${MARK}@example.com` } }
  const gone = `phone ${MARK}`
  return [
    sent(gone, '2026-03-20T10:00:00Z', marked, identify),
    { ...sent(gone, '2026-03-21T10:00:00Z', marked), rejected: [{ event_id: `refused ${MARK}`, reason: 'too_old' }] },
    sent('stays', '2026-03-20T10:00:00Z', visit, { type: 'identify', user_id: 'ann' }, { ...marked, event_id: MARK }),
    sent('stays', '2026-03-27T22:59:59Z', click),
    { ...sent(gone, '2026-03-22T10:00:00Z', marked), received_at: NOW - 3_600_000 },
  ]
}

/** Events that are kept. */
function young(): Envelope[] {
  return [sent('stays', '2026-03-27T23:00:00Z', visit, click), sent('stays', '2026-03-29T12:00:00Z', click)]
}

async function prepared(): Promise<Awaited<ReturnType<typeof makeInstallation>>> {
  const installation = await makeInstallation(lanes)
  const { storage } = installation
  const half = Math.floor(others!.length / 2)
  await storage.log.append([...old(), ...others!.slice(0, half), ...young(), ...others!.slice(half)])
  const letter = { ...old()[0]!, events: [{ ...old()[0]!.events[0]!, seq: -1 }] }
  await storage.log.appendMessages([{ lane: 0, value: encodeEnvelope(letter) }])
  await installation.count()
  return installation
}

async function limited(storage: Storage): Promise<App> {
  const app = (await storage.registry.app('berlin'))!
  await storage.registry.apps.put('acme', 'berlin', { ...app, retention_days: DAYS })
  return (await storage.registry.app('berlin'))!
}

const expire = async (storage: Storage, dir: string): Promise<Awaited<ReturnType<typeof expireApp>>> =>
  expireApp(storage, configOf(dir, lanes), await limited(storage), { ...silent, now: () => NOW })

it('leaves nothing that is older in any file, export or dump, and everything else as it was', async () => {
  await using installation = await prepared()
  const { storage, dir } = installation
  expect(findText(dir, MARK).length).toBeGreaterThan(10)
  const [events, dump] = [await exportedEvents(storage), await dumpOf(storage)]
  const kept = events.filter(
    (line) => (JSON.parse(line) as { timestamp: number }).timestamp >= Date.parse('2026-03-27T23:00Z'),
  )
  const plan = await planExpiry(storage, await limited(storage), NOW)
  expect(plan).toMatchObject({ kept_from: keptFrom, events: events.length - kept.length })
  const { removed } = await expire(storage, dir)
  expect(removed).toMatchObject({ events: plan.events, devices: 1 })
  expect(findText(dir, MARK)).toEqual([])
  expect(await exportedEvents(storage)).toEqual(kept)
  expect(await installation.audit()).toEqual([])
  const rows = await storage.reader.counters('activity_by_date', 'berlin', ['2026-03-20', '2026-03-27', keptFrom])
  expect([...new Set(rows.map(({ date }) => date))]).toEqual([keptFrom])

  // The user of a device that stays is still known, here and wherever a dump is read.
  expect((await storage.reader.identitiesOf('berlin', 'stays')).map(({ user }) => user)).toEqual(['ann'])
  const after = await dumpOf(storage)
  expect(after.split('\n').filter((line) => line.includes(MARK))).toEqual([])
  await using copy = await makeInstallation(lanes)
  await readDump(copy.storage, after)
  await countAll(copy.storage)
  expect((await copy.storage.reader.identitiesOf('berlin', 'stays')).map(({ user }) => user)).toEqual(['ann'])
  expect(withoutPlaces(await exportedEvents(copy.storage))).toEqual(withoutPlaces(kept))

  // Expired events do not come back with an older dump or a rebuild.
  await readDump(storage, dump)
  await countAll(storage)
  expect(findText(dir, MARK)).toEqual([])
  expect(await exportedEvents(storage)).toEqual(kept)
  expect(await installation.audit()).toEqual([])
  const counted = await reportsOf(storage)
  await storage.close()
  await rebuildInstallation(configOf(dir, lanes), undefined, silent)
  const opened = await openEmbedded({ dir, lanes })
  expect(await reportsOf(opened)).toEqual(counted)
  expect(await exportedEvents(opened)).toEqual(kept)
  expect((await opened.reader.identitiesOf('berlin', 'stays')).map(({ user }) => user)).toEqual(['ann'])
  expect(await auditOf(opened)).toEqual([])
  await opened.close()
  expect(findText(dir, MARK)).toEqual([])
}, 120_000)

it('is complete after it was killed and run again', async () => {
  await using installation = await prepared()
  const { storage, dir } = installation
  const kept = (await exportedEvents(storage)).filter(
    (line) => (JSON.parse(line) as { timestamp: number }).timestamp >= Date.parse('2026-03-27T23:00Z'),
  )
  await limited(storage)
  await storage.close()
  const killed: boolean[] = []
  for (const afterMs of [50, 200, 400, 600, 900, 1_200]) killed.push(await expireAndKill(dir, afterMs))
  expect(killed).toContain(true)
  expect(await expireAndKill(dir, Infinity)).toBe(false)
  expect(findText(dir, MARK)).toEqual([])
  const opened = await openEmbedded({ dir, lanes })
  expect(await auditOf(opened)).toEqual([])
  expect(await exportedEvents(opened)).toEqual(kept)
  await opened.close()
}, 120_000)

/** Expires in a process of its own, which is killed some time after it has begun; returns whether it was not done. */
function expireAndKill(dir: string, afterMs: number): Promise<boolean> {
  const script = join(import.meta.dirname, 'expiring-child.fixture.ts')
  return runAndKill(script, [JSON.stringify({ data: dir, lanes: String(lanes) }), 'berlin', String(NOW)], afterMs)
}

function withoutPlaces(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/,"(lane|position|index)":\d+/g, '')).sort()
}

/** Counters and visitors of the dates of the traffic, without duplicates, of which a rebuild may find fewer. */
async function reportsOf({ reader }: Storage): Promise<unknown[]> {
  const dates = ['2026-03-27', keptFrom, '2026-03-29', '2026-03-30', '2026-03-31']
  const tables = ['activity_by_date', 'page_views_by_date', 'clicks_by_date'] as const
  const query = { table: 'users_by_date' as const, app: 'berlin', dates, prefix: [-1], groupBy: ['date'] }
  return [
    ...(await Promise.all(tables.map((table) => reader.counters(table, 'berlin', dates)))),
    await reader.uniques({ ...query, countBy: 'person' }),
    await reader.uniques({ ...query, countBy: 'device' }),
  ]
}
