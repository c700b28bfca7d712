import { randomUUID } from 'node:crypto'
import type { Event } from '@hopper/contracts'
import { withOverrides, type LaneBatch } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, messagesOf, openLane } from '../testing/lane.fixture.ts'

const T0 = Date.parse('2026-06-15T12:00:00Z')
const DAY_MS = 86_400_000

it(
  'writes events of very many dates in bounded pieces, each event once, and archives them in few spans',
  { timeout: 60_000 },
  async () => {
    await using lane = await openLane(openEmbedded)
    const app = `p-${randomUUID()}`
    await lane.app(app)
    const on = (day: number, id: string): Event => ({
      type: 'custom',
      name: 'n',
      event_id: id,
      timestamp: T0 - day * DAY_MS,
      seq: 0,
    })
    const messages = messagesOf(
      Array.from({ length: 60 }, (_, position) => ({
        position,
        envelope: envelopeOf(app, {
          received_at: T0,
          events: Array.from({ length: 100 }, (_, index) =>
            on((position * 100 + index) % 3_000, `${position}-${index}`),
          ),
        }),
      })),
    )
    const written: LaneBatch[] = []
    const apply: typeof lane.storage.writer.apply = async (lease, batch) => {
      written.push(batch)
      await lane.storage.writer.apply(lease, batch)
    }
    for (const owner of ['first', 'second']) {
      const aggregator = new Aggregator({
        ...lane.storage,
        writer: withOverrides(lane.storage.writer, { apply }),
        owner: `${app}-${owner}`,
      })
      await aggregator.assigned(0)
      await aggregator.batch(0, messages)
      await aggregator.batch(0, messages)
      await aggregator.revoked(0)
    }
    expect(written.length).toBeGreaterThanOrEqual(3)
    for (const { counters } of written)
      expect(new Set(counters.map(({ date }) => date)).size).toBeLessThanOrEqual(2_000)
    expect(await lane.fates(app)).toEqual({ accepted: 16, late: 5_984 })
    const spans = await lane.storage.archive!.list({ app, from: 0, to: T0 * 2 })
    expect(spans.reduce((sum, { rows }) => sum + rows, 0)).toBe(6_000)
    expect(spans.length).toBeLessThan(220)
  },
)
