import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { App, Event, Forget, ForgottenKind } from '@hopper/contracts'
import { rejectedPartition, requestForget, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { AggregatorOptions } from '../aggregator-options.ts'
import { Aggregator } from '../aggregator.ts'
import { envelopesOf, failingAfter, sentMessages, withoutPerson } from '../testing/forget.fixture.ts'
import { envelopeOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { recount, type Placed } from '../testing/recount.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

/** Long, for a busy machine. */
const WAIT_MS = 60_000
const engines = inject('engines')
const person = fc.constantFrom<readonly [ForgottenKind, string]>(
  ['user', 'ann'],
  ['user', 'bob'],
  ['device', 'device-0'],
  ['device', 'device-1'],
  ['user', 'nobody'],
)
/** Calls of storage until each process is gone: the first goes soon after its start, most others before the end. */
const callsOfLives = fc.array(fc.integer({ min: 8, max: 180 }), { maxLength: 4 }).map((later) => [10, ...later])

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, runs: number): void {
  let lane: LaneStore
  beforeAll(async () => void (lane = await openLane(open)))
  afterAll(() => lane[Symbol.asyncDispose]())

  const start = async (options: Partial<AggregatorOptions> = {}): Promise<Aggregator> => {
    const { scrub } = lane.storage
    const forgets = { checkMs: 1, ...(scrub ? { scrub } : {}) }
    const aggregator = new Aggregator({ ...lane.storage, owner: 'test', archiveBacklogMs: 0, forgets, ...options })
    await aggregator.start()
    return aggregator
  }
  const counted = (): Promise<void> => until(() => lane.isCounted(), WAIT_MS)
  /** With a request time of 0, only places decide which events are forgotten. */
  const request = ({ id: app }: App, [kind, id]: readonly [ForgottenKind, string], requestedAt = 0): Promise<Forget> =>
    requestForget(lane.storage, { app, kind, person: id, requestedAt })
  /** Waits until a request is finished, and returns the position up to which the lane has forgotten. */
  const finished = async ({ app, id }: Forget, work?: () => Promise<void>): Promise<number> => {
    const { forgets, forgetParts } = lane.storage.registry
    await until(async () => {
      await work?.()
      return (await forgets.get(app, id))?.finished_at !== undefined
    }, WAIT_MS)
    const part = await forgetParts.get(app, `${id} 0`)
    return part!.mark!
  }

  it('leaves every table as if the person had never sent anything before', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(sentMessages, sentMessages, person, async (before, after, who) => {
          const app = await lane.app(randomUUID(), 'UTC', ['ref'])
          const log = await lane.append(envelopesOf(app.id, before))
          await counted()
          const forget = await request(app, who)
          log.push(...(await lane.append(envelopesOf(app.id, after, 'second'))))
          const mark = await finished(forget, () => aggregator.forget())
          await counted()
          const expected = withoutPerson(log, { kind: who[0], id: who[1], before: mark })
          expect(await lane.tables(app.id)).toEqual(recount(app, expected))
        }),
        { numRuns: runs, endOnFailure: true },
      )
    } finally {
      await aggregator.close()
    }
  })

  it('continues wherever it is interrupted, and subtracts nothing twice', async () => {
    let interrupted = 0
    await fc.assert(
      fc.asyncProperty(sentMessages, person, callsOfLives, async (sent, who, lives) => {
        const app = await lane.app(randomUUID(), 'UTC', ['ref'])
        const counting = await start()
        const log = await lane.append(envelopesOf(app.id, sent))
        await counted()
        await counting.close()
        const forget = await request(app, who)
        for (const calls of lives) {
          const storage = failingAfter(lane.storage, calls)
          const aggregator = await start(storage)
          await until(async () => {
            await aggregator.forget()
            const known = await lane.storage.registry.forgets.get(app.id, forget.id)
            return storage.isDead() || known?.finished_at !== undefined
          }, WAIT_MS)
          await aggregator.close()
          if (storage.isDead()) interrupted++
        }
        const aggregator = await start()
        const mark = await finished(forget, () => aggregator.forget())
        await counted()
        await aggregator.close()
        const expected = withoutPerson(log, { kind: who[0], id: who[1], before: mark })
        expect(await lane.tables(app.id)).toEqual(recount(app, expected))
      }),
      { numRuns: runs, endOnFailure: true },
    )
    expect(interrupted).toBeGreaterThanOrEqual(runs)
  })

  it('counts an event that is sent again as a duplicate, and a new one as new', async () => {
    const app = await lane.app(randomUUID())
    const aggregator = await start()
    const at = Date.parse('2026-06-15T12:00:00Z')
    const event = (id: string): Event => ({
      type: 'custom',
      name: 'note',
      event_id: id,
      timestamp: at,
      seq: 0,
      user_id: 'ann',
    })
    const send = (...ids: string[]): Promise<Placed[]> =>
      lane.append([envelopeOf(app.id, { device_id: 'phone', events: ids.map(event) })])
    await send('a', 'b', 'a')
    await counted()
    await finished(await request(app, ['user', 'ann']), () => aggregator.forget())
    expect(await lane.fates(app.id)).toEqual({})
    await send('b', 'c')
    await counted()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1, duplicate: 1 })
    expect(await lane.storage.reader.devicesOf(app.id, 'ann', 9)).toEqual(['phone'])
    await finished(await request(app, ['device', 'phone']), () => aggregator.forget())
    await send('a', 'b', 'c', 'd')
    await counted()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1, duplicate: 3 })
    await aggregator.close()
  })

  it('removes the ids of rejected events, and no others', async () => {
    const app = await lane.app(randomUUID())
    const aggregator = await start()
    const received_at = Date.parse('2026-06-15T12:00:00Z')
    const send = (device_id: string, ...ids: string[]): Promise<Placed[]> => {
      const rejected = ids.map((event_id) => ({ event_id, reason: 'too_old' as const }))
      return lane.append([envelopeOf(app.id, { device_id, events: [], rejected, received_at })])
    }
    await send('phone', 'a', 'b', 'a')
    await send('tablet', 'c', 'b')
    await send('phone', 'c', 'd')
    await counted()
    const known = async (): Promise<string[]> => {
      const partition = rejectedPartition(app.id, '2026-06-15')
      return [...(await lane.storage.reader.seen(0, partition, ['a', 'b', 'c', 'd'])).keys()].sort()
    }
    expect(await known()).toEqual(['a', 'b', 'c', 'd'])
    await finished(await request(app, ['device', 'phone']), () => aggregator.forget())
    expect(await known()).toEqual(['c'])
    expect(await lane.fates(app.id)).toEqual({ rejected: 2 })
    await aggregator.close()
  })

  it('leaves out events that reach the log later but were received before the request', async () => {
    const app = await lane.app(randomUUID())
    const aggregator = await start()
    const at = Date.parse('2026-06-15T12:00:00Z')
    let ids = 0
    const send = (device_id: string, received_at: number, ...users: (string | undefined)[]): Promise<Placed[]> => {
      const events = users.map((user_id): Event => {
        const identity = user_id === undefined ? {} : { user_id }
        return { type: 'custom', name: 'n', event_id: `${ids++}`, timestamp: at, seq: 0, ...identity }
      })
      return lane.append([envelopeOf(app.id, { device_id, events, received_at })])
    }
    await send('own', at, 'ann')
    await send('shared', at, 'bob')
    await send('shared', at, 'ann')
    await counted()
    await finished(await request(app, ['user', 'ann'], at + 1_000), () => aggregator.forget())
    expect(await lane.fates(app.id)).toEqual({ accepted: 1 })
    await send('own', at + 500, undefined, 'ann')
    await send('shared', at + 500, undefined, 'ann', undefined, 'bob')
    await send('other', at + 500, 'cleo')
    await counted()
    expect(await lane.fates(app.id)).toEqual({ accepted: 4 })
    await send('own', at + 1_000, 'ann')
    await send('shared', at + 1_000, 'ann')
    await counted()
    expect(await lane.fates(app.id)).toEqual({ accepted: 6 })
    await aggregator.close()
  })
}

describe('on SQLite', () => suite(openEmbedded, repetitions(8)))
describe.skipIf(!engines)('on Cassandra', () => {
  if (engines) suite(overCassandra(engines), repetitions(6))
})
