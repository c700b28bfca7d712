import { setTimeout as pause } from 'node:timers/promises'
import type { Envelope, Event } from '@hopper/contracts'
import { withOverrides, type Lease } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AggregatorOptions } from '../aggregator-options.ts'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, messagesOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'

const noon = Date.parse('2026-06-15T12:00:00Z')
const view = (event_id: string, fields: object = {}): Event => ({
  type: 'url_change',
  event_id,
  timestamp: noon,
  seq: 0,
  from: '',
  to: '/',
  elapsed_time: 0,
  ...fields,
})

let lane: LaneStore
let running: Aggregator | undefined
beforeEach(async () => {
  lane = await openLane(openEmbedded)
  await lane.app('shop')
})
afterEach(async () => {
  await running?.close()
  running = undefined
  await lane[Symbol.asyncDispose]()
})

const make = (options: Partial<AggregatorOptions> = {}): Aggregator =>
  new Aggregator({ ...lane.storage, owner: 'test', ...options })
async function start(options: Partial<AggregatorOptions> = {}): Promise<Aggregator> {
  running = make(options)
  await running.start()
  return running
}
const send = (...envelopes: Envelope[]): Promise<unknown> => lane.storage.log.append(envelopes)
const whenFate = (fate: string, events: number, app = 'shop'): Promise<void> =>
  until(async () => (await lane.fates(app))[fate] === events)

it('counts an event that is sent again once, also after a restart', async () => {
  const first = envelopeOf('shop', { events: [view('a'), view('b'), view('a')] })
  const aggregator = await start()
  await send(first)
  await send(first)
  await whenFate('duplicate', 4)
  await aggregator.close()
  await start()
  await send(first)
  await whenFate('duplicate', 7)
  expect(await lane.fates('shop')).toEqual({ accepted: 2, duplicate: 7 })
  expect((await lane.tables('shop')).counters['page_views_by_date|2026-06-15|/']).toEqual([2, 0, 0])
})

it('commits the position on close, so that the next start reads nothing again', async () => {
  const aggregator = await start()
  await send(envelopeOf('shop', { events: [view('a')] }), envelopeOf('shop', { events: [view('b')] }))
  await whenFate('accepted', 2)
  await aggregator.close()
  expect(await lane.storage.lanes.positions()).toEqual(await lane.storage.log.ends())
  expect(await make().assigned(0)).toBe(2)
})

it('writes messages that it cannot count to the dead letters and continues', async () => {
  await start()
  const poison = [
    { version: 2 },
    { events: [null] },
    { events: [view('x', { to: undefined })] },
    { events: [view('y', { to: 7 })] },
    { events: [view('z', { timestamp: 1e17 })] },
    { events: [view('w', { type: 'toString' })] },
    { received_at: 9e15 },
    { context: { device: 'desktop', browser: {}, os: '' } },
    { rejected: [{ reason: 'because' }] },
  ]
  await send(
    ...poison.map((fields) => envelopeOf('shop', fields as unknown as Partial<Envelope>)),
    envelopeOf('nobody', { events: [view('n')] }),
  )
  await send(envelopeOf('shop', { events: [view('good')] }))
  await whenFate('accepted', 1)
  expect(await lane.storage.reader.deadLetters()).toBe(poison.length + 1)
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
  expect((await lane.tables('nobody')).counters).toEqual({})
})

it('counts the other messages of a batch with a poison message, and names the reason', async () => {
  const letters: string[] = []
  const { writer } = lane.storage
  const watching = withOverrides(writer, {
    apply: async (lease, batch) => {
      await writer.apply(lease, batch)
      letters.push(...batch.deadLetters.map(({ position, reason }) => `${position} ${reason}`))
    },
  })
  const aggregator = make({ writer: watching })
  await aggregator.assigned(0)
  const [good] = messagesOf([{ position: 9, envelope: envelopeOf('shop', { events: [view('good')] }) }])
  const values = [
    '{',
    '\xff',
    'null',
    '{"version":2}',
    JSON.stringify(envelopeOf('nobody', {})),
    JSON.stringify({ ...envelopeOf('shop', {}), events: [{}] }),
  ]
  await aggregator.batch(0, [
    ...values.map((value, position) => ({ position, value: Buffer.from(value, 'latin1') })),
    good!,
  ])
  expect(letters).toEqual([
    '0 undecodable',
    '1 undecodable',
    '2 unknown_version',
    '3 unknown_version',
    '4 unknown_app',
    '5 invalid_envelope',
  ])
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
})

it.each([new TypeError('a bug'), new SyntaxError('a record that is no JSON'), new RangeError('a bug')])(
  'stops the lane for a fault that is not in the message, logs it, and counts the message on redelivery (%s)',
  async (fault) => {
    const { registry } = lane.storage
    let faults = 3
    const logged: unknown[] = []
    const failing = withOverrides(registry, {
      app: async (id) => {
        if (faults-- > 0) throw fault
        return registry.app(id)
      },
    })
    const logger = {
      info: () => undefined,
      warn: () => undefined,
      error: ({ err }: { err?: unknown }) => void logged.push(err),
    }
    await start({ registry: failing, logger })
    await send(envelopeOf('shop', { events: [view('a')] }))
    await whenFate('accepted', 1)
    expect(new Set(logged)).toEqual(new Set([fault]))
    expect(await lane.storage.reader.deadLetters()).toBe(0)
  },
)

it("makes no dead letters of an app's messages when its registered time zone is invalid", async () => {
  const app = await lane.app('nowhere', 'Mars/Phobos')
  await start()
  await send(envelopeOf('nowhere', { events: [view('a')] }))
  await pause(300)
  expect(await lane.storage.reader.deadLetters()).toBe(0)
  await lane.storage.registry.apps.put('acme', 'nowhere', { ...app, timezone: 'UTC' })
  await whenFate('accepted', 1, 'nowhere')
})

it('counts events that ingest rejected for lack of a device, and no other events without one', async () => {
  await start()
  await send(
    envelopeOf('shop', { device_id: '', events: [], rejected: [{ reason: 'no_device' }, { reason: 'no_device' }] }),
  )
  await whenFate('rejected', 2)
  expect(await lane.storage.reader.deadLetters()).toBe(0)
  await send(envelopeOf('shop', { device_id: '', events: [view('a')] }), envelopeOf('shop', { events: [view('b')] }))
  await whenFate('accepted', 1)
  expect(await lane.storage.reader.deadLetters()).toBe(1)
  expect(await lane.fates('shop')).toEqual({ accepted: 1, rejected: 2 })
})

it('never mixes apps that share devices, ids and times', async () => {
  await lane.app('other', 'Asia/Kathmandu')
  await start()
  await send(
    envelopeOf('shop', { events: [view('a'), view('b')] }),
    envelopeOf('other', { events: [view('a', { user_id: 'ann' })] }),
  )
  await whenFate('accepted', 1, 'other')
  await whenFate('accepted', 2)
  expect((await lane.storage.writer.identities('shop', ['d'], Number.MAX_SAFE_INTEGER)).size).toBe(0)
  expect((await lane.tables('other')).persons).toMatchObject({ 'users_by_date|2026-06-15|17': 1 })
})

it('keeps its lease after a failed batch, so that the batch is counted on redelivery', async () => {
  const { writer, lanes } = lane.storage
  let failures = 2
  let takes = 0
  const failing = withOverrides(writer, {
    apply: async (lease, batch) => {
      if (failures-- > 0) throw new Error('the store is unavailable')
      return writer.apply(lease, batch)
    },
  })
  await start({
    writer: failing,
    lanes: withOverrides(lanes, { acquire: (...args) => (takes++, lanes.acquire(...args)) }),
  })
  await send(envelopeOf('shop', { events: [view('a')] }))
  await whenFate('accepted', 1)
  expect({ failures, takes }).toEqual({ failures: -1, takes: 1 })
})

it('writes nothing to a lane that another owner has taken, and takes it again when its lease expired', async () => {
  const { lanes } = lane.storage
  let lastsMs = 0
  const short = withOverrides(lanes, {
    acquire: async (...args) => ({ ...(await lanes.acquire(...args)), expiresAt: performance.now() + lastsMs }),
  })
  const messages = messagesOf([{ position: 0, envelope: envelopeOf('shop', { events: [view('a')] }) }])
  lastsMs = 60_000
  const fenced = make({ lanes: short })
  await fenced.assigned(0)
  await lanes.acquire(0, 'another')
  await expect(fenced.batch(0, messages)).rejects.toThrow('another owner')
  expect(await lane.fates('shop')).toEqual({})

  lastsMs = -1
  const expired = make({ lanes: short })
  await expired.assigned(0)
  await expect(expired.batch(0, messages)).rejects.toThrow('has run out')
  lastsMs = 60_000
  await expired.batch(0, messages)
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
})

it('renews a lease well before it expires, and only then', async () => {
  const { lanes } = lane.storage
  const renewals: number[] = []
  const lastsMs = 3_000
  const shortened = withOverrides(lanes, {
    acquire: async (...args) => ({ ...(await lanes.acquire(...args)), expiresAt: performance.now() + lastsMs }),
    renew: async (lease) => {
      renewals.push(lease.expiresAt - performance.now())
      return lanes.renew(lease)
    },
  })
  await start({ lanes: shortened })
  await until(async () => renewals.length > 0)
  expect(renewals[0]).toBeGreaterThan(lastsMs / 3)
  await send(envelopeOf('shop', { events: [view('a')] }))
  await whenFate('accepted', 1)
  await until(async () => (await lanes.positions())[0] === 1)
  // The renewed lease lasts long, so it is not renewed with every commit.
  expect(renewals).toHaveLength(1)
})

it('renews the lease while a batch and an archive write take longer than it lasts', async () => {
  const { lanes, writer, archive } = lane.storage
  const lastsMs = 2_500
  let takes = 0
  const short = withOverrides(lanes, {
    acquire: async (...args) => (
      takes++,
      { ...(await lanes.acquire(...args)), expiresAt: performance.now() + lastsMs }
    ),
    renew: async (lease) => ({ ...(await lanes.renew(lease)), expiresAt: performance.now() + lastsMs }),
  })
  const outlasting = async (lease: Lease): Promise<void> => {
    const first = lease.expiresAt
    await until(async () => performance.now() > first)
    if (performance.now() >= lease.expiresAt) throw new Error('the lease has run out')
  }
  const slowWriter = withOverrides(writer, {
    apply: async (lease, batch) => (await outlasting(lease), writer.apply(lease, batch)),
  })
  const slowArchive = withOverrides(archive!, {
    append: async (lease, chunks) => (await outlasting(lease), archive!.append(lease, chunks)),
  })
  await start({ lanes: short, writer: slowWriter, archive: slowArchive })
  await send(envelopeOf('shop', { events: [view('a')] }))
  await until(async () => (await lanes.positions())[0] === 1)
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
  expect(takes).toBe(1)
})

it('takes a lane with an expired lease again without further messages, and archives what it had read', async () => {
  const { lanes } = lane.storage
  let takes = 0
  let isUnavailable = true
  const failing = withOverrides(lanes, {
    acquire: async (...args) => ({
      ...(await lanes.acquire(...args)),
      expiresAt: performance.now() + (takes++ === 0 ? 1_500 : 60_000),
    }),
    renew: async (lease) =>
      isUnavailable ? Promise.reject(new Error('the store is unavailable')) : lanes.renew(lease),
    commit: async (...args) =>
      isUnavailable ? Promise.reject(new Error('the store is unavailable')) : lanes.commit(...args),
  })
  await start({ lanes: failing })
  await send(envelopeOf('shop', { events: [view('a')] }))
  await whenFate('accepted', 1)
  await until(async () => takes > 1)
  isUnavailable = false
  await until(async () => (await lanes.positions())[0] === 1)
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
})

it('does not acknowledge a batch whose lease expired while it was counted, and archives it on redelivery', async () => {
  const { lanes, writer, archive } = lane.storage
  let takes = 0
  const counted = Promise.withResolvers<void>()
  const slow = withOverrides(writer, {
    apply: async (...args) => {
      await writer.apply(...args)
      await counted.promise
    },
  })
  const short = withOverrides(lanes, {
    acquire: async (...args) => ({
      ...(await lanes.acquire(...args)),
      expiresAt: performance.now() + (takes++ === 0 ? 1_500 : 60_000),
    }),
    renew: () => Promise.reject(new Error('the store is unavailable')),
  })
  await start({ lanes: short, writer: slow })
  await send(envelopeOf('shop', { events: [view('a')] }))
  await until(async () => takes > 1)
  counted.resolve()
  await until(async () => (await lanes.positions())[0] === 1)
  const chunks = await archive!.list({ app: 'shop', from: 0, to: Number.MAX_SAFE_INTEGER })
  expect(chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(1)
  expect(await lane.fates('shop')).toEqual({ accepted: 1 })
})

it('stops cleanly when it cannot subscribe', async () => {
  const { log } = lane.storage
  const broken = make({ log: withOverrides(log, { subscribe: () => Promise.reject(new Error('no log')) }) })
  await expect(broken.start()).rejects.toThrow('no log')
  await broken.close()
})

it('starts without a lane that it cannot take, which is offered again, and stops cleanly meanwhile', async () => {
  const { lanes } = lane.storage
  let tries = 0
  const acquire = (): Promise<never> => {
    tries++
    return Promise.reject(new Error('no lanes'))
  }
  const waiting = make({ lanes: withOverrides(lanes, { acquire }) })
  await waiting.start()
  await until(async () => tries >= 3)
  await waiting.close()
})

it('exports the fates of events and the lag of each lane to Prometheus', async () => {
  const metrics = new Registry()
  const aggregator = make({ metrics })
  await aggregator.assigned(0)
  const events = [view('a'), view('a')]
  await send(
    envelopeOf('shop', { events }),
    envelopeOf('shop', { events: [view('b')], rejected: [{ reason: 'too_old' }] }),
    envelopeOf('nobody', {}),
  )
  await aggregator.batch(0, await lane.storage.log.read(0, 0, 2))
  const figures = await metrics.metrics()
  expect(figures).toContain('hopper_aggregator_events_total{fate="accepted",reason="new"} 2')
  expect(figures).toContain('hopper_aggregator_events_total{fate="duplicate",reason="repeated_id"} 1')
  expect(figures).toContain('hopper_aggregator_events_total{fate="rejected",reason="too_old"} 1')
  expect(figures).toContain('hopper_aggregator_lag{lane="0"} 1')
  await aggregator.batch(0, await lane.storage.log.read(0, 2, 1))
  expect(await metrics.metrics()).toMatch(
    /dead_letters_total\{reason="unknown_app"\} 1[^]*hopper_aggregator_lag\{lane="0"\} 0/,
  )
})
