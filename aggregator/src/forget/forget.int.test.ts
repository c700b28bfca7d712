import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { App, Envelope, Forget, ForgottenKind } from '@hopper/contracts'
import { requestForget, type Storage } from '@hopper/storage'
import type { Engines } from '@hopper/storage/contract/engines'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { Aggregator, type AggregatorOptions } from '../aggregator.ts'
import { envelopesOf, mortal, sentMessages, withoutPerson } from '../testing/forget.fixture.ts'
import { openLane, until, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { recount, type Placed } from '../testing/recount.fixture.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

const engines = inject('engines') as Engines | undefined
const person = fc.constantFrom<readonly [ForgottenKind, string]>(
  ['user', 'ann'],
  ['user', 'bob'],
  ['device', 'device-0'],
  ['device', 'device-1'],
  ['user', 'nobody'],
)

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, runs: number): void {
  let lane: LaneStore
  beforeAll(async () => void (lane = await openLane(open)))
  afterAll(() => lane[Symbol.asyncDispose]())

  const start = async (options: Partial<AggregatorOptions> = {}): Promise<Aggregator> => {
    const { scrub } = lane.storage
    const forgets = { lookMs: 1, ...(scrub ? { scrub } : {}) }
    const aggregator = new Aggregator({ ...lane.storage, owner: 'test', forgets, logger: { info: () => undefined, warn: console.log, error: console.log } as never, ...options })
    await aggregator.start()
    return aggregator
  }
  const isCounted = async (): Promise<boolean> => {
    const [positions, ends] = await Promise.all([lane.storage.lanes.positions(), lane.storage.log.ends()])
    return positions[0] === ends[0]
  }
  const append = async (envelopes: readonly Envelope[]): Promise<Placed[]> => {
    const places = await lane.storage.log.append(envelopes)
    return places.map(({ position }, at) => ({ position, envelope: envelopes[at]! }))
  }
  const request = ({ id: app }: App, [kind, id]: readonly [ForgottenKind, string]): Promise<Forget> =>
    requestForget(lane.storage, { app, kind, person: id, requestedAt: Date.now() })
  /** Waits until a request is finished, and returns the position up to which the lane has forgotten. */
  const finished = async ({ app, id }: Forget, work?: () => Promise<void>): Promise<number> => {
    const { forgets, forgetParts } = lane.storage.registry
    await until(async () => {
      await work?.()
      return (await forgets.get(app, id))?.finished_at !== undefined
    })
    const part = await forgetParts.get(app, `${id} 0`)
    return part!.mark!
  }

  it('leaves every table as if the person had never sent anything before', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(sentMessages, sentMessages, person, async (before, after, who) => {
          const app = await lane.app(randomUUID(), 'UTC', ['ref'])
          const log = await append(envelopesOf(app.id, before))
          await until(isCounted)
          const forget = await request(app, who)
          log.push(...(await append(envelopesOf(app.id, after, 'second'))))
          const mark = await finished(forget, () => aggregator.forget())
          await until(isCounted)
          const expected = withoutPerson(log, { kind: who[0], id: who[1], before: mark })
          const found = await lane.tables(app.id)
          try {
            expect(found).toEqual(recount(app, expected))
          } catch (error) {
            const part = await lane.storage.registry.forgetParts.get(app.id, `${forget.id} 0`)
            console.log(JSON.stringify({ who, mark, received: part!.received, tally: part!.tally, devices: part!.devices }))
            const names = (e: Envelope): string => e.device_id + ' ' + (e.context.bot ?? '') + e.events.map((x) => `${x.event_id}@${new Date(x.timestamp).toISOString().slice(8, 10)}${x.user_id ?? ''}`).join(', ')
            const now = await lane.storage.log.read(0, log[0]!.position, 1000)
            for (const [at, { position, envelope }] of log.entries())
              console.log(position, envelope.received_at, names(envelope), '\n => ', names(expected[at]!.envelope), '\n => ', names(JSON.parse(Buffer.from(now[at]!.value).toString())))
            console.log(await lane.storage.reader.counters('fates_by_date', app.id, ['2026-06-01', '2026-07-30']))
            throw error
          }
        }),
        { numRuns: runs, endOnFailure: true },
      )
    } finally {
      await aggregator.close()
    }
  })
}

describe('on SQLite', () => suite(openEmbedded, 40))
describe.skipIf(!engines)('on Cassandra', () => {
  if (engines) suite(overCassandra(engines), 6)
})
