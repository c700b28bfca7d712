import { decodeEnvelope, deviceDigest, emptyTally, personDigest, type App } from '@hopper/contracts'
import {
  findLetters,
  letterAt,
  replayLetter,
  replayLetters,
  withOverrides,
  type FoundLetter,
  type LetterQuery,
  type Storage,
} from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { auditOf, countAll, makeInstallation } from '../testing/installation.fixture.ts'
import { readConfig } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import { rebuildInstallation } from '../rebuild/rebuild-main.ts'
import { settingsOf } from '../config/settings.ts'
import { describeLetter, jsonOfLetter } from './describe-letter.ts'

const at = Date.parse('2026-03-29T12:00:00Z')
const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' }
/** a message of an app that is created later, with an event that ingest refused */
function early(n: number, app = 'late'): Buffer {
  const events = [
    { type: 'click', event_id: `e${n}`, timestamp: at, seq: 0, target: '//a', elapsed_time: 5, current_url: '/' },
  ]
  return Buffer.from(
    JSON.stringify({
      version: 1,
      app,
      device_id: `d${n}`,
      received_at: at + n,
      context,
      events,
      rejected: [{ reason: 'too_old' }],
    }),
  )
}
const garbage = [Buffer.from('no JSON \u001b[2J'), Buffer.from([0xff, 0xfe]), Buffer.from('')]
const late: App = { id: 'late', organization: 'acme', name: 'late', timezone: 'UTC', origins: [], keep_parameters: [] }

async function lettersOf(storage: Storage, query: LetterQuery = {}): Promise<FoundLetter[]> {
  const found: FoundLetter[] = []
  for await (const letter of findLetters(storage, query)) found.push(letter)
  return found
}

const replayAll = (storage: Storage, query: LetterQuery = {}): ReturnType<typeof replayLetters> =>
  replayLetters(storage, query, () => undefined)

async function fatesOf({ reader }: Storage): Promise<Record<string, number>> {
  const rows = await reader.counters('fates_by_date', 'late', ['2026-03-29', '2026-03-30'])
  return Object.fromEntries(rows.map(({ key, counters }) => [key.join(' '), counters[0]!]))
}

it('lists dead letters in order, by app, reason, lane and position, without terminal control characters', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  const messages = [...Array.from({ length: 250 }, (_, n) => early(n)), ...garbage, early(1, 'other')]
  await storage.log.appendMessages(messages.map((value, n) => ({ lane: n % 2, value })))
  await installation.count()
  const all = await lettersOf(storage)
  expect(all).toHaveLength(messages.length)
  expect(all.map(({ lane, position }) => [lane, position])).toEqual(
    [0, 1].flatMap((lane) => Array.from({ length: 127 }, (_, position) => [lane, position])),
  )
  expect(await lettersOf(storage, { app: 'late' })).toHaveLength(250)
  expect(await lettersOf(storage, { reason: 'unknown_app' })).toHaveLength(251)
  expect((await lettersOf(storage, { app: 'late', lane: 1, from: 100 })).map(({ position }) => position)).toEqual(
    Array.from({ length: 25 }, (_, n) => 100 + n),
  )
  expect(
    (await lettersOf(storage, { places: [{ lane: 1, position: 3 }] })).map(({ received_at }) => received_at),
  ).toEqual([at + 7])
  const shown = all.map(describeLetter).join('')
  expect(/[\u0000-\u001f]/.test(shown)).toBe(false)
  expect(shown).toContain('received 2026-03-29T12:00:00.007Z')
  expect(all.map((letter) => jsonOfLetter(letter, true))).toContainEqual(
    expect.objectContaining({ base64: '//4=', app: null, received_at: null, bytes: 2 }),
  )
})

it('replays each countable letter once, leaves the rest, and never counts twice when repeated', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  await storage.log.appendMessages(
    [...Array.from({ length: 20 }, (_, n) => early(n)), ...garbage].map((value, n) => ({ lane: n % 2, value })),
  )
  await installation.count()
  expect(await replayAll(storage)).toEqual({ replayed: 0, left: 23 })
  await storage.registry.apps.put('acme', 'late', late)
  expect(await replayAll(storage, { places: [{ lane: 0, position: 0 }] })).toEqual({ replayed: 1, left: 0 })
  expect(await replayAll(storage, { reason: 'undecodable' })).toEqual({ replayed: 0, left: 3 })
  expect(await replayAll(storage, { app: 'late' })).toEqual({ replayed: 19, left: 0 })
  expect(await replayAll(storage)).toEqual({ replayed: 0, left: 3 })
  await countAll(storage)
  expect(await fatesOf(storage)).toEqual({ 'accepted new': 20, 'rejected too_old': 20 })
  expect(await storage.reader.deadLetters()).toBe(3)
  expect(await storage.registry.imports.list('')).toEqual([])
  expect(await installation.audit()).toEqual([])
})

it('keeps fates that match an audit before and after each replay, and a rebuild', async () => {
  await using installation = await makeInstallation()
  const { storage, dir } = installation
  await storage.log.appendMessages(Array.from({ length: 20 }, (_, n) => ({ lane: n % 2, value: early(n) })))
  await installation.count()
  await storage.registry.apps.put('acme', 'late', late)
  // The reason is gone, but nothing has counted them yet.
  expect(await installation.audit()).toEqual([])
  // Some of them arrive again meanwhile, so the replay produces duplicates.
  await storage.log.appendMessages([early(3), early(4)].map((value, lane) => ({ lane, value })))
  await installation.count()
  for (let n = 0; n < 5; n++) {
    await replayAll(storage, { places: [{ lane: n % 2, position: n }] })
    expect(await installation.audit()).toEqual([])
    await installation.count()
    expect(await installation.audit()).toEqual([])
  }
  await replayAll(storage)
  expect(await installation.audit()).toEqual([])
  await installation.count()
  expect(await installation.audit()).toEqual([])
  const fates = await fatesOf(storage)
  expect(fates['rejected too_old']).toBe(22)
  expect(fates['accepted new']! + (fates['duplicate repeated_id'] ?? 0)).toBe(22)
  await storage.close()
  const config = readConfig(settingsOf.installation, { data: dir, lanes: '2' }, {})
  const report = { logger: createLogger('silent', 'rebuild'), progress: () => undefined }
  await rebuildInstallation(config, undefined, report)
  const rebuilt = await openEmbedded({ dir, lanes: 2 })
  expect(await fatesOf(rebuilt)).toEqual(fates)
  expect(await auditOf(rebuilt)).toEqual([])
  await rebuilt.close()
})

it('appends a letter once, wherever the replay is interrupted', async () => {
  for (const how of ['before the append', 'after the append', 'before the removal'] as const) {
    await using installation = await makeInstallation()
    const { storage } = installation
    await storage.log.appendMessages(Array.from({ length: 4 }, (_, n) => ({ lane: n % 2, value: early(n) })))
    await installation.count()
    await storage.registry.apps.put('acme', 'late', late)
    let left = 2
    const fails = (): void => {
      if (left-- === 0) throw new Error('interrupted')
    }
    const log = withOverrides(storage.log, {
      appendMessages: async (messages) => {
        if (how === 'before the append') fails()
        const appended = await storage.log.appendMessages(messages)
        if (how === 'after the append') fails()
        return appended
      },
    })
    const writer = withOverrides(storage.writer, {
      removeDeadLetters: async (...args) => {
        if (how === 'before the removal') fails()
        await storage.writer.removeDeadLetters(...args)
      },
    })
    await expect(replayAll({ ...storage, log, writer })).rejects.toThrow('interrupted')
    expect((await replayAll(storage)).left).toBe(0)
    expect((await storage.log.ends()).reduce((sum, end) => sum + end)).toBe(8)
    await countAll(storage)
    expect(await fatesOf(storage)).toEqual({ 'accepted new': 4, 'rejected too_old': 4 })
  }
})

it('counts a corrected letter in its place, once, also when the replay was interrupted', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  const broken = Buffer.from(early(0).toString().replace('"d0"', '7'))
  await storage.log.appendMessages([{ lane: 0, value: broken }])
  await installation.count()
  await storage.registry.apps.put('acme', 'late', late)
  const letter = (await letterAt(storage.reader, 0, 0))!
  expect(await replayLetter(storage, letter)).toContain('still cannot be counted')
  const log = withOverrides(storage.log, {
    appendMessages: async (messages) => {
      await storage.log.appendMessages(messages)
      throw new Error('interrupted')
    },
  })
  await expect(replayLetter({ ...storage, log }, letter, early(0))).rejects.toThrow('interrupted')
  expect(await replayLetter(storage, letter, early(1))).toContain('with other content, was interrupted')
  expect(await replayLetter(storage, letter, early(0))).toBeUndefined()
  await countAll(storage)
  expect(await fatesOf(storage)).toEqual({ 'accepted new': 1, 'rejected too_old': 1 })
  expect(await storage.reader.deadLetters()).toBe(0)
  expect(await installation.audit()).toEqual([])
})

it('replays letters, as they are or corrected, without the events of a person who was forgotten', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  await storage.log.appendMessages([early(1), early(2), garbage[0]!].map((value) => ({ lane: 0, value })))
  await installation.count()
  const { registry } = storage
  await registry.apps.put('acme', 'late', late)
  const request = { id: 'f', app: 'late', kind: 'device' as const, requested_at: at + 1_000, ends: [] }
  await registry.forgets.put('late', 'f', { ...request, digest: personDigest('late', 'device', 'd1') })
  const devices = [{ device: deviceDigest('late', 'd1'), whole: true, ranges: [] }]
  const decided = { forget: 'f', step: 'done' as const, requested_at: at + 1_000, mark: 0, devices, tally: emptyTally }
  for (let lane = 0; lane < storage.log.lanes; lane++)
    await registry.forgetParts.put('late', `f ${lane}`, { ...decided, lane })
  const first = await storage.log.ends()
  expect(await replayAll(storage, { app: 'late' })).toEqual({ replayed: 2, left: 0 })
  const [broken] = await lettersOf(storage)
  expect(await replayLetter(storage, broken!, early(1))).toBe(undefined)
  const added = await Promise.all(first.map((from, lane) => storage.log.read(lane, from, 10)))
  const messages = added.flat().map(({ value }) => decodeEnvelope(value))
  expect(messages.map(({ device_id, events }) => [device_id, events.length]).sort()).toEqual([
    ['', 0],
    ['', 0],
    ['d2', 1],
  ])
  expect(messages.filter(({ rejected }) => rejected)).toHaveLength(1)
})
