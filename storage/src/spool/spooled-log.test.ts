import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HopperError, laneOf } from '@hopper/contracts'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventLogContract } from '../contract/event-log.contract.ts'
import { openEmbedded } from '../embedded/embedded.ts'
import { EmbeddedEventLog } from '../embedded/log/event-log.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Storage } from '../ports/storage.ts'
import { withOverrides } from '../with-overrides.ts'
import { firstSeen, numbered, upTo } from './numbered.fixture.ts'
import { SpooledLog, spoolDefaults, type SpoolSettings } from './spooled-log.ts'
import { behaviours, unsteady, type UnsteadyLog } from './unsteady-log.fixture.ts'
import { repetitions } from '../contract/repetitions.ts'

const LANES = 4
const DRAINED_MS = 15_000
const dirs: string[] = []
const makeDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-spool-'))
  dirs.push(dir)
  return dir
}
afterEach(() => dirs.splice(0).forEach((dir) => rmSync(dir, { recursive: true })))

interface Opened {
  readonly main: UnsteadyLog
  readonly spooled: SpooledLog
}

/** Opens a spool over a main log with a given failure mode; `dir` contains both, as after a restart. */
async function open(
  dir: string,
  behaviour: UnsteadyLog['behaviour'] = 'takes',
  settings: Partial<SpoolSettings> = {},
): Promise<Opened> {
  const main = unsteady(new EmbeddedEventLog(dir, LANES))
  main.behaviour = behaviour
  const options = {
    ...spoolDefaults,
    dir: join(dir, 'spool'),
    lanes: LANES,
    patienceMs: 500,
    drainPatienceMs: 5_000,
    ...settings,
  }
  return { main, spooled: await SpooledLog.open(options, async () => main) }
}

/** Time limit of appends that must reach the main log even on a busy machine. */
const patient = { patienceMs: 15_000 }
const isDirect = (spooled: SpooledLog): Promise<void> =>
  vi.waitFor(() => expect(spooled.depth.direct).toBe(true), DRAINED_MS)

const contractDir = mkdtempSync(join(tmpdir(), 'hopper-spool-'))
eventLogContract('a spool over SQLite', async (): Promise<Storage> => {
  const rest = await openEmbedded({ dir: join(contractDir, 'rest'), lanes: LANES })
  const { spooled: log } = await open(contractDir, 'takes', patient)
  const close = async (): Promise<void> => {
    await log.close()
    await rest.close()
  }
  return { ...rest, log, close }
})

describe('a spool', () => {
  it('takes messages that the main log refuses, and sends them in order once it is back', async () => {
    const { main, spooled } = await open(makeDir(), 'takes', patient)
    const [first] = await spooled.append([numbered('d', 0)])
    main.behaviour = 'refuses'
    for (const n of [1, 2, 3])
      expect(await spooled.append([numbered('d', n)])).toEqual([{ lane: laneOf('a', 'd', LANES), position: -1 }])
    expect(spooled.depth).toMatchObject({ direct: false, messages: 3 })
    expect(spooled.depth.since).toBeGreaterThan(Date.now() - 60_000)
    expect(await spooled.health()).toMatchObject({
      healthy: true,
      detail: expect.stringContaining('3 messages wait') as string,
    })
    main.behaviour = 'takes'
    await isDirect(spooled)
    const [last] = await spooled.append([numbered('d', 4)])
    expect(last!.position).toBeGreaterThan(first!.position)
    expect(await firstSeen(main)).toEqual(new Map([['d', upTo(5)]]))
    expect(spooled.depth).toEqual({ direct: true, messages: 0, bytes: 0 })
    await spooled.close()
  })

  it('does not try a main log that is unavailable for each append: only the drain does', async () => {
    const { main, spooled } = await open(makeDir(), 'takes', { patienceMs: 200, drainPatienceMs: 60_000 })
    main.behaviour = 'hangs'
    await Promise.all(upTo(20).map((n) => spooled.append([numbered(`d${n}`, n)])))
    const appendCalls = main.appendCalls
    const started = performance.now()
    for (const n of upTo(50)) await spooled.append([numbered('later', n)])
    // 50 times the patience would be 10 s.
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(main.appendCalls - appendCalls).toBeLessThanOrEqual(1)
    main.behaviour = 'takes'
    await isDirect(spooled)
    expect((await firstSeen(main)).get('later')).toEqual(upTo(50))
    await spooled.close()
  })

  it('first drains the messages of a former process, and starts while the main log is unavailable', async () => {
    const dir = makeDir()
    const { spooled: former } = await open(dir, 'refuses')
    for (const n of upTo(5)) await former.append([numbered('d', n)])
    await former.close()
    const main = new EmbeddedEventLog(dir, LANES)
    let isUnavailable = true
    const connect = async (): Promise<EmbeddedEventLog> => {
      if (isUnavailable) throw new HopperError('HOP_LOG_UNAVAILABLE')
      return main
    }
    const spooled = await SpooledLog.open(
      { ...spoolDefaults, dir: join(dir, 'spool'), lanes: LANES, patienceMs: 50 },
      connect,
    )
    expect(spooled.depth).toMatchObject({ direct: false, messages: 5, since: 0 })
    await spooled.append([numbered('d', 5)])
    await expect(spooled.ends()).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' })
    isUnavailable = false
    await isDirect(spooled)
    await spooled.append([numbered('d', 6)])
    expect(await firstSeen(main)).toEqual(new Map([['d', upTo(7)]]))
    await spooled.close()
  })

  it('closes a main log once that connects while the spool is being closed, or after it', async () => {
    const dir = makeDir()
    const real = new EmbeddedEventLog(dir, LANES)
    let closes = 0
    const main = withOverrides<EventLog>(real, {
      close: async () => void closes++,
    })
    const connected = Promise.withResolvers<EventLog>()
    const settings = { ...spoolDefaults, dir: join(dir, 'spool'), lanes: LANES, patienceMs: 50 }
    const spooled = await SpooledLog.open(settings, () => connected.promise)
    await spooled.append([numbered('d', 0)])
    const closing = spooled.close()
    connected.resolve(main)
    await closing
    // anything else that could close it would have happened before `closing` was over
    await vi.waitFor(() => expect(closes).toBe(1))
    await real.close()
  })

  it('hands over under load that never pauses', async () => {
    const { main, spooled } = await open(makeDir())
    main.behaviour = 'refuses'
    let sending = true
    const sent = new Map<string, number>()
    const senders = upTo(20).map(async (device) => {
      for (let n = 0; sending; n++) {
        await spooled.append([numbered(`d${device}`, n)])
        sent.set(`d${device}`, n + 1)
      }
    })
    await vi.waitFor(() => expect(spooled.depth.messages).toBeGreaterThan(500), DRAINED_MS)
    main.behaviour = 'takes'
    await isDirect(spooled)
    sending = false
    await Promise.all(senders)
    await isDirect(spooled)
    expect(await firstSeen(main)).toEqual(new Map([...sent].map(([device, count]) => [device, upTo(count)])))
    await spooled.close()
  })

  it('refuses at its limit, and accepts again when it has drained', async () => {
    const { main, spooled } = await open(makeDir(), 'refuses', { bytesMax: 200_000 })
    const bulky = (n: number) => ({
      ...numbered('d', n),
      context: {
        device: 'unknown' as const,
        browser: '',
        os: '',
        referrer: crypto.getRandomValues(Buffer.alloc(4_000)).toString('base64'),
      },
    })
    let taken = 0
    const fill = async (): Promise<void> => {
      for (; taken < 1_000; taken++) await spooled.append([bulky(taken)])
    }
    await expect(fill()).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' })
    expect(taken).toBeGreaterThan(20)
    expect(spooled.depth.bytes).toBeLessThan(250_000)
    expect(await spooled.health()).toMatchObject({ healthy: false })
    main.behaviour = 'takes'
    await isDirect(spooled)
    expect(await firstSeen(main)).toEqual(new Map([['d', upTo(taken)]]))
    const [next] = await spooled.append([numbered('d', taken)])
    expect(next!.position).toBeGreaterThanOrEqual(taken)
    await spooled.close()
  })

  it('gives each process that shares the directory its own place, and a free place to the next process', async () => {
    const dir = makeDir()
    const settings = { ...spoolDefaults, dir: join(dir, 'spool'), lanes: LANES }
    const unavailable = async (): Promise<never> => Promise.reject(new Error('unavailable'))
    const [one, other] = [await SpooledLog.open(settings, unavailable), await SpooledLog.open(settings, unavailable)]
    await one.append([numbered('d', 0)])
    expect([one.depth.messages, other.depth.messages]).toEqual([1, 0])
    await one.close()
    const again = await SpooledLog.open(settings, unavailable)
    expect(again.depth.messages).toBe(1)
    await Promise.all([other.close(), again.close()])
  })

  it('reports what is wrong with the main log', async () => {
    const dir = makeDir()
    const wrong = SpooledLog.open({ ...spoolDefaults, dir: join(dir, 'spool'), lanes: LANES }, async () =>
      Promise.reject(new HopperError('HOP_CONFIG', 'lanes')),
    )
    await expect(wrong).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  })
})

/** States of the main log while devices send, each its next envelope when the previous one was acknowledged. */
const outages = fc.array(
  fc.record({
    behaviour: fc.constantFrom(...behaviours),
    after: fc.integer({ min: 1, max: 12 }),
    restart: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)
type Outage = { behaviour: UnsteadyLog['behaviour']; after: number; restart: boolean }

/**
 * Sends through all outages. Returns the number of acknowledged envelopes of each device, and the content of the main
 * log at the end.
 */
async function endure(
  steps: readonly Outage[],
): Promise<{ acknowledged: Map<string, number>; seen: Map<string, number[]> }> {
  const dir = makeDir()
  let opened = await open(dir, 'takes', { patienceMs: 20, drainPatienceMs: 200 })
  const acknowledged = new Map<string, number>()
  for (const { behaviour, after, restart } of steps) {
    opened.main.behaviour = behaviour
    await Promise.all(
      ['d0', 'd1', 'd2'].map(async (device, index) => {
        for (let i = 0; i < after + index; i++) {
          const n = acknowledged.get(device) ?? 0
          await opened.spooled.append([numbered(device, n)])
          acknowledged.set(device, n + 1)
        }
      }),
    )
    if (!restart) continue
    // A hanging main log would block the close too.
    opened.main.behaviour = 'refuses'
    await opened.spooled.close()
    opened = await open(dir, behaviour, { patienceMs: 20, drainPatienceMs: 200 })
  }
  opened.main.behaviour = 'takes'
  await isDirect(opened.spooled)
  const seen = await firstSeen(opened.main)
  await opened.spooled.close()
  return { acknowledged, seen }
}

it('property: whatever the main log does, everything acknowledged arrives, each device in order', async () => {
  await fc.assert(
    fc.asyncProperty(outages, async (steps) => {
      const { acknowledged, seen } = await endure(steps)
      expect(seen).toEqual(new Map([...acknowledged].map(([device, count]) => [device, upTo(count)])))
    }),
    { numRuns: repetitions(8) },
  )
}, 120_000)

it('control: without a spool the same outage refuses appends', async () => {
  const main = unsteady(new EmbeddedEventLog(makeDir(), LANES))
  main.behaviour = 'refuses'
  await expect(main.append([numbered('d', 0)])).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' })
  await main.close()
})
