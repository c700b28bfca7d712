import type { Event, RejectedEvent } from '@hopper/contracts'
import { rejectedPartition } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, openLane } from '../testing/lane.fixture.ts'

const noon = Date.parse('2026-06-15T12:00:00Z')
const event = (event_id: string): Event => ({ type: 'custom', name: 'n', event_id, timestamp: noon, seq: 0 })
const rejected = (...stubs: readonly RejectedEvent[]): object => ({ rejected: stubs, received_at: noon })

it('records a rejected id; the next event with this id counts, and further ones are duplicates', async () => {
  await using lane = await openLane(openEmbedded)
  await lane.app('shop')
  const { log, reader } = lane.storage
  await log.append([
    envelopeOf('shop', rejected({ event_id: 'e1', reason: 'too_old' }, { event_id: 'e2', reason: 'no_device' })),
    envelopeOf('shop', rejected({ event_id: 'e1', reason: 'too_large' }, { reason: 'unknown_type' })),
    envelopeOf('shop', { events: [event('e1')] }),
    envelopeOf('shop', rejected({ event_id: 'e1', reason: 'too_old' }, { event_id: 7 as never, reason: 'too_old' })),
    envelopeOf('shop', { events: [event('e1')] }),
  ])
  const messages = await log.read(0, 0, 10)
  // one at a time, as after restarts in between: each is judged from the store alone
  for (const message of messages) {
    const aggregator = new Aggregator({ ...lane.storage, owner: `o${message.position}` })
    await aggregator.assigned(0)
    await aggregator.batch(0, [message])
    await aggregator.revoked(0)
  }
  expect(await lane.fates('shop')).toEqual({ rejected: 6, accepted: 1, duplicate: 1 })
  const date = '2026-06-15'
  expect([...(await reader.seen(0, rejectedPartition('shop', date), ['e1', 'e2', 'e3']))]).toEqual([
    ['e1', { position: 0, fate: 'rejected', reason: 'too_old' }],
    ['e2', { position: 0, fate: 'rejected', reason: 'no_device' }],
  ])
  expect([...(await reader.seen(0, { app: 'shop', date }, ['e1', 'e2']))]).toEqual([
    ['e1', { position: 2, fate: 'accepted', reason: 'new' }],
  ])
})
