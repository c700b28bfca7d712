import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { deviceDigest, retentionPartId, seenDateOf, type App } from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { AggregatorOptions } from '../aggregator-options.ts'
import { Aggregator } from '../aggregator.ts'
import { envelopesOf, failingAfter, sentMessages } from '../testing/forget.fixture.ts'
import { envelopeOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { recount, type Placed } from '../testing/recount.fixture.ts'
import { afterExpiry, devicesLeft } from '../testing/retention.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

/** Long, for a busy machine. */
const WAIT_MS = 60_000
const engines = inject('engines')
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }
/** The events are of 15 to 18 June; some are received nine days later. */
const keptFrom = '2026-06-17'
const now = (): number => Date.parse('2026-06-20T12:00:00Z')
const DAYS = 3
/** Calls of storage until each process is gone: the first goes soon after its start, most others before the end. */
const callsOfLives = fc.array(fc.integer({ min: 8, max: 80 }), { maxLength: 4 }).map((later) => [10, ...later])

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, runs: number): void {
  let lane: LaneStore
  beforeAll(async () => void (lane = await openLane(open)))
  afterAll(() => lane[Symbol.asyncDispose]())

  const start = async (options: Partial<AggregatorOptions> = {}): Promise<Aggregator> => {
    const retention = { checkMs: 1, settleMs: 0, now }
    const aggregator = new Aggregator({ ...lane.storage, owner: 'test', archiveBacklogMs: 0, retention, ...options })
    await aggregator.start()
    return aggregator
  }
  const counted = (): Promise<void> => until(() => lane.isCounted(), WAIT_MS)
  const limit = async (app: App, retention_days: number | null = DAYS): Promise<void> =>
    lane.storage.registry.apps.put('acme', app.id, { ...app, retention_days })
  const isFinished = async ({ id }: App, date = keptFrom): Promise<boolean> => {
    const known = await lane.storage.registry.retentions.get('', id)
    return known?.kept_from === date && known.finished_at !== undefined
  }
  /** Events of another app: nothing expires by the clock alone. */
  const received = async (at: number, times = 1): Promise<void> => {
    const { id } = await lane.app('elsewhere')
    const event = { type: 'custom', name: 'n', event_id: randomUUID(), timestamp: at, seq: 0 } as const
    await lane.append(Array.from({ length: times }, () => envelopeOf(id, { events: [event], received_at: at })))
  }
  const expired = async (app: App, aggregator: Aggregator): Promise<void> => {
    await received(now())
    await until(async () => {
      await aggregator.expire()
      return isFinished(app)
    }, WAIT_MS)
  }
  const archivedBefore = async (app: App): Promise<number> => {
    const chunks = await lane.storage.archive!.list({ app: app.id, ...ALL })
    return chunks.filter(({ min_time }) => min_time < Date.parse(keptFrom)).length
  }
  /** Ids of old events that are known, and devices that are known as somebody's without having an event left. */
  const traces = async (app: App, log: readonly Placed[]): Promise<string[]> => {
    const { reader } = lane.storage
    const left = devicesLeft(log, keptFrom)
    const found: string[] = []
    for (const { envelope } of log) {
      for (const event of envelope.events) {
        const date = seenDateOf(event)
        if (date < keptFrom && (await reader.seen(0, { app: app.id, date }, [event.event_id])).size > 0)
          found.push(event.event_id)
        const session = await reader.session(app.id, event.session_id!)
        if (session && session.start < Date.parse(keptFrom)) found.push(event.session_id!)
      }
      const { device_id } = envelope
      if (!left.has(device_id) && (await reader.identitiesOf(app.id, device_id)).length > 0) found.push(device_id)
    }
    return found
  }

  it('leaves the tables of the dates that are kept, where later events still count', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(sentMessages, sentMessages, async (before, after) => {
          const app = await lane.app(randomUUID(), 'UTC', ['ref'])
          const first = await lane.append(envelopesOf(app.id, before))
          await counted()
          await limit(app)
          await expired(app, aggregator)
          expect(await lane.tables(app.id)).toEqual(afterExpiry(app, keptFrom, first, []))
          expect(await archivedBefore(app)).toBe(0)
          expect(await traces(app, first)).toEqual([])
          const later = await lane.append(envelopesOf(app.id, after, 'second'))
          await counted()
          expect(await lane.tables(app.id)).toEqual(afterExpiry(app, keptFrom, first, later))
        }),
        { numRuns: runs, endOnFailure: true },
      )
    } finally {
      await aggregator.close()
    }
  })

  it('continues wherever it was interrupted', async () => {
    let interrupted = 0
    await fc.assert(
      fc.asyncProperty(sentMessages, callsOfLives, async (sent, lives) => {
        const app = await lane.app(randomUUID(), 'UTC', ['ref'])
        const counting = await start()
        const log = await lane.append(envelopesOf(app.id, sent))
        await counted()
        await counting.close()
        await limit(app)
        await received(now())
        for (const calls of lives) {
          const storage = failingAfter(lane.storage, calls)
          const aggregator = await start(storage)
          await until(async () => {
            await aggregator.expire()
            return storage.isDead() || (await isFinished(app))
          }, WAIT_MS)
          await aggregator.close()
          if (storage.isDead()) interrupted++
        }
        const aggregator = await start()
        await expired(app, aggregator)
        await aggregator.close()
        expect(await lane.tables(app.id)).toEqual(afterExpiry(app, keptFrom, log, []))
        expect(await traces(app, log)).toEqual([])
      }),
      { numRuns: runs, endOnFailure: true },
    )
    expect(interrupted).toBeGreaterThanOrEqual(runs)
  })

  it('judges a partly written batch as before, whatever has been decided since', async () => {
    const app = await lane.app(randomUUID(), 'UTC', ['ref'])
    const { writer, archive, registry } = lane.storage
    let refused = 0
    const apply: typeof writer.apply = async (lease, batch) => {
      await writer.apply(lease, { ...batch, counters: [] })
      refused++
      throw new Error('killed before the counters')
    }
    const killed = await start({
      writer: withOverrides(writer, { apply }),
      archive: withOverrides(archive!, { append: async () => undefined }),
    })
    const [sent] = fc.sample(sentMessages, { numRuns: 20, seed: 3 }).filter((each) => each.length > 10)
    const log = await lane.append(envelopesOf(app.id, sent!))
    await until(async () => refused > 0, WAIT_MS)
    await killed.close()
    expect(await traces(app, log)).not.toEqual([])
    await limit(app)
    await registry.retentions.put('', app.id, { app: app.id, kept_from: keptFrom, decided_at: now() })
    const aggregator = await start()
    await expired(app, aggregator)
    await aggregator.close()
    expect(await traces(app, log)).toEqual([])
    expect(await lane.tables(app.id)).toEqual(afterExpiry(app, keptFrom, log, []))
  })

  it('keeps everything without a limit (control)', async () => {
    const app = await lane.app(randomUUID(), 'UTC', ['ref'])
    const aggregator = await start()
    const [sent] = fc.sample(sentMessages, { numRuns: 20, seed: 3 }).filter((each) => each.length > 10)
    const log = await lane.append(envelopesOf(app.id, sent!))
    await counted()
    await aggregator.expire()
    await aggregator.close()
    expect(await lane.tables(app.id)).toEqual(recount(app, log))
    expect(recount(app, log)).not.toEqual(afterExpiry(app, keptFrom, log, []))
    expect(await traces(app, log)).not.toEqual([])
  })

  it('removes nothing because a clock has jumped ahead', async () => {
    const app = await lane.app(randomUUID(), 'UTC', ['ref'])
    const ahead = (): number => now() + 20 * 365 * 86_400_000
    const event = { type: 'custom', name: 'n', event_id: randomUUID(), timestamp: now() - 86_400_000, seq: 0 } as const
    const aggregator = await start({ retention: { checkMs: 1, settleMs: 0, now: ahead } })
    await lane.append([envelopeOf(app.id, { events: [event], received_at: now() - 86_400_000 })])
    await received(now(), 100)
    await counted()
    await limit(app)
    await until(async () => {
      await aggregator.expire()
      return isFinished(app, keptFrom)
    }, WAIT_MS)
    await aggregator.close()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1 })
    expect((await lane.storage.registry.app(app.id))!.kept_from).toBe(keptFrom)
  })

  it('never moves back, and rejects older events with the reason `expired`, whenever they were received', async () => {
    const app = await lane.app(randomUUID(), 'Europe/Berlin')
    const aggregator = await start()
    await limit(app)
    await expired(app, aggregator)
    await limit(app, null)
    const send = (id: string, iso: string, received = iso): Promise<Placed[]> => {
      const event = { type: 'custom', name: 'n', event_id: id, timestamp: Date.parse(iso), seq: 0 } as const
      return lane.append([envelopeOf(app.id, { events: [event], received_at: Date.parse(received) })])
    }
    // The date begins in Berlin while it is the 16th in UTC.
    await send('before', '2026-06-16T21:59:59.999Z')
    await send('first', '2026-06-16T22:00:00Z')
    await send('old', '2026-05-01T12:00:00Z', '2026-06-18T12:00:00Z')
    await send('old', '2026-05-01T12:00:00Z', '2026-06-18T12:00:00Z')
    await send('old and received then', '2026-05-01T12:00:00Z')
    await counted()
    await aggregator.expire()
    await aggregator.close()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1, rejected: 3 })
    const known = await lane.storage.registry.app(app.id)
    expect([known!.kept_from, known!.retention_days]).toEqual([keptFrom, null])
  })

  it('recognizes a device that returns after all its events have expired, however often', async () => {
    const app = await lane.app(randomUUID(), 'UTC')
    let today = now()
    const aggregator = await start({ retention: { checkMs: 1, settleMs: 0, now: () => today } })
    await limit(app, 1)
    const send = (user_id?: string): Promise<Placed[]> => {
      const event = { type: 'custom', name: 'n', event_id: randomUUID(), timestamp: today, seq: 0 } as const
      return lane.append([envelopeOf(app.id, { events: [{ ...event, ...(user_id ? { user_id } : {}) }] })])
    }
    const { reader, registry } = lane.storage
    const persons = async (): Promise<number> => {
      const dates = [new Date(today).toISOString().slice(0, 10)]
      const query = { table: 'users_by_date' as const, app: app.id, dates, prefix: [-1], groupBy: [] }
      return (await reader.uniques({ ...query, countBy: 'person' }))[0]?.users ?? 0
    }
    const users = async (): Promise<string[]> => (await reader.identitiesOf(app.id, 'd')).map(({ user }) => user)
    for (const user of ['ann', 'bob', 'cleo']) {
      await send()
      await send(user)
      await counted()
      expect([await users(), await persons()]).toEqual([[user], 1])
      today += 2 * 86_400_000
      await received(today)
      const date = new Date(today - 86_400_000).toISOString().slice(0, 10)
      await until(async () => {
        await aggregator.expire()
        return isFinished(app, date)
      }, WAIT_MS)
      expect([await users(), await reader.devicesOf(app.id, user, 5)]).toEqual([[], []])
    }
    const part = await registry.retentionParts.get(app.id, retentionPartId({ app: app.id, lane: 0 }))
    expect(part).toMatchObject({ step: 'done', tally: { devices: 1, events: 2 } })
    expect(JSON.stringify(part)).not.toContain(deviceDigest(app.id, 'd'))
    await aggregator.close()
  })
}

describe('on SQLite', () => suite(openEmbedded, repetitions(6)))
describe.skipIf(!engines)('on Cassandra', () => {
  if (engines) suite(overCassandra(engines), repetitions(4))
})
