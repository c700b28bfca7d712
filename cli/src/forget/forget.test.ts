import { join } from 'node:path'
import { decodeEnvelope, encodeEnvelope, type Envelope, type Event, type ForgetReport } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpOf, exportedEvents, readDump } from '../testing/answers.fixture.ts'
import {
  auditOf,
  configOf,
  countAll,
  makeInstallation,
  traffic,
  type Installation,
} from '../testing/installation.fixture.ts'
import { tablesOf } from '../testing/tables-of.fixture.ts'
import { runAndKill } from '../testing/run-and-kill.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { rebuildInstallation } from '../rebuild/rebuild-main.ts'
import { findText } from '@hopper/storage/contract/found-text'
import { forgetPerson } from './forget-person.ts'

const lanes = 3
/** In every text that the person sends. */
const MARK = 'zmarkedz'
const at = Date.parse('2026-03-29T12:00:00Z')
const silent = { logger: createLogger('silent', 'forget'), progress: () => undefined }
const [others] = fc.sample(traffic, { numRuns: 20, seed: 11 }).filter((envelopes) => envelopes.length > 30)

/** Events of a person with three devices, one of which is shared with another person. */
function marked(): Envelope[] {
  const sent = (device_id: string, day: number, ...events: object[]): Envelope => ({
    version: 1,
    app: 'berlin',
    device_id,
    received_at: at + day * 86_400_000,
    context: {
      device: 'desktop',
      browser: `Firefox`,
      os: 'Linux',
      referrer: `https://${MARK}.example/`,
      utm: { utm_term: MARK },
    },
    events: events.map((event, n) => ({
      event_id: `${MARK} ${device_id} ${day} ${n}`,
      timestamp: at + day * 86_400_000 + n,
      seq: n,
      session_id: `${device_id} s${day}`,
      ...event,
    })) as Event[],
  })
  const visit = { type: 'url_change', from: '', to: `https://s.example/${MARK}`, elapsed_time: 3 }
  const identify = { type: 'identify', user_id: `user ${MARK}`, data: { email: `${MARK}@example.com` } }
  const click = { type: 'click', target: `//${MARK}`, elapsed_time: 3, current_url: `https://s.example/${MARK}` }
  const custom = { type: 'custom', name: `name ${MARK}`, data: { [`key ${MARK}`]: MARK } }
  const phone = `phone ${MARK}`
  const early = sent(phone, 0, visit, custom)
  return [
    early,
    sent(phone, 1, identify, click, visit),
    sent(`laptop ${MARK}`, 2, visit, identify, custom),
    early,
    sent('tablet', 3, identify, click),
    { ...sent(phone, 3, visit), rejected: [{ event_id: `refused ${MARK}`, reason: 'too_old' }] },
  ]
}

/** Events of another person with one of these devices. */
function theirs(day: number): Envelope {
  const time = at + day * 86_400_000
  return {
    version: 1,
    app: 'berlin',
    device_id: 'tablet',
    received_at: time,
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    events: [{ type: 'identify', user_id: 'ann', event_id: `ann ${day}`, timestamp: time, seq: 0 }],
  }
}

describe('forgetting a person of a data directory', () => {
  let installation: Installation
  let report: ForgetReport
  let before: { found: string[]; dump: string; events: string[] }

  beforeAll(async () => {
    installation = await makeInstallation(lanes)
    const { storage, dir } = installation
    const mine = marked()
    const half = Math.floor(others!.length / 2)
    await storage.log.append([theirs(0), ...others!.slice(0, half), ...mine.slice(0, 3), ...others!.slice(half)])
    await installation.count()
    await storage.log.append([...mine.slice(3), theirs(4)])
    await storage.log.appendMessages([{ lane: 0, value: letter() }])
    await installation.count()
    before = { found: findText(dir, MARK), dump: await dumpOf(storage), events: await exportedEvents(storage) }
    report = await forgetPerson(
      storage,
      configOf(dir, lanes),
      { app: 'berlin', kind: 'user', person: `user ${MARK}` },
      silent,
    )
  }, 60_000)
  afterAll(() => installation[Symbol.asyncDispose]())

  it('reports what was removed', () => {
    expect(report).toMatchObject({
      state: 'done',
      share: 1,
      removed: {
        events: { url_change: 4, custom: 2, identify: 3, click: 2 },
        repeated: 2,
        refused: 1,
        devices: 3,
        messages: 7,
        dead_letters: 1,
        sessions: 5,
      },
    })
    expect(report.removed.tables['activity_by_date']).toEqual({ events: 11, views: 4 })
    expect(report.removed.tables['clicks_by_date']).toEqual({ hit: 2, elapsed: 6 })
  })

  it('leaves nothing of the person in any file, export or dump', async () => {
    expect(before.found.length).toBeGreaterThan(10)
    expect(before.dump.split('\n').filter((line) => line.includes(MARK)).length).toBeGreaterThan(5)
    expect(findText(installation.dir, MARK)).toEqual([])
    const { storage } = installation
    expect((await dumpOf(storage)).split('\n').filter((line) => line.includes(MARK))).toEqual([])
  })

  it('leaves everything else as it was', async () => {
    expect(await installation.audit()).toEqual([])
    expect(await exportedEvents(installation.storage)).toEqual(before.events.filter((line) => !line.includes(MARK)))
  })

  it('does not come back with an older dump', async () => {
    const { storage } = installation
    const tables = countedOf(installation.dir)
    await readDump(storage, before.dump)
    await countAll(storage)
    expect(findText(installation.dir, MARK)).toEqual([])
    const fates = /^\["(fates_by_date|registry|seen_by_date)/
    const counted = (rows: readonly string[]): string[] => rows.filter((row) => !fates.test(row))
    expect(counted(countedOf(installation.dir))).toEqual(counted(tables))
    expect(await installation.audit()).toEqual([])
  })

  it('does not come back with a rebuild', async () => {
    const { storage, dir } = installation
    const tables = countedOf(dir)
    await storage.close()
    await rebuildInstallation(configOf(dir, lanes), undefined, silent)
    expect(countedOf(dir)).toEqual(tables)
    expect(findText(dir, MARK)).toEqual([])
    const opened = await openEmbedded({ dir, lanes })
    expect(await auditOf(opened)).toEqual([])
    await opened.close()
  })
})

it('is complete after it was killed and run again', async () => {
  await using installation = await makeInstallation(lanes)
  const { storage, dir } = installation
  await storage.log.append([theirs(0), ...marked(), ...others!, theirs(4)])
  await installation.count()
  const before = await exportedEvents(storage)
  await storage.close()
  const who = { app: 'berlin', kind: 'user', person: `user ${MARK}` }
  const killed: boolean[] = []
  for (const afterMs of [50, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800, 2_000])
    killed.push(await forgetAndKill({ data: dir, lanes: String(lanes) }, who, afterMs))
  expect(killed).toContain(true)
  expect(await forgetAndKill({ data: dir, lanes: String(lanes) }, who, Infinity)).toBe(false)
  expect(findText(dir, MARK)).toEqual([])
  const opened = await openEmbedded({ dir, lanes })
  expect(await auditOf(opened)).toEqual([])
  expect(await exportedEvents(opened)).toEqual(before.filter((line) => !line.includes(MARK)))
  await opened.close()
  const tables = countedOf(dir)
  await rebuildInstallation(configOf(dir, lanes), undefined, silent)
  expect(countedOf(dir)).toEqual(tables)
}, 120_000)

/** Forgets in a process of its own, which is killed some time after it has begun; returns whether it was not done. */
function forgetAndKill(settings: object, who: object, afterMs: number): Promise<boolean> {
  const script = join(import.meta.dirname, 'forgetting-child.fixture.ts')
  return runAndKill(script, [JSON.stringify(settings), JSON.stringify(who)], afterMs)
}

/** A message of the person that cannot be counted. */
function letter(): Buffer {
  const envelope = decodeEnvelope(encodeEnvelope(marked()[1]!))
  return encodeEnvelope({ ...envelope, events: [{ ...envelope.events[0]!, timestamp: 1 }] })
}

/**
 * Returns the rows of all tables, without the registry, which keeps the request, and without the hashes of forgotten
 * ids.
 */
function countedOf(dir: string): string[] {
  return tablesOf(dir).filter((row) => !row.startsWith('["registry"') && !row.includes('"forgotten:'))
}
