import { withOverrides } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { Aggregator } from '../../aggregator.ts'
import { envelopeOf, openLane } from '../../testing/lane.fixture.ts'

it('records how far the other apps are while one is deferred, and how far that one is', async () => {
  await using lane = await openLane(openEmbedded)
  await Promise.all(['heavy', 'light'].map((id) => lane.app(id)))
  const { storage } = lane
  const event = (event_id: string): object => ({
    type: 'custom',
    name: 'n',
    event_id,
    timestamp: 1_780_000_000_000,
    seq: 0,
  })
  const apps = ['light', 'heavy', 'light', 'heavy', 'light']
  await storage.log.append(apps.map((app, index) => envelopeOf(app, { events: [event(`${app}-${index}`)] } as never)))
  const messages = await storage.log.read(0, 0, 10)
  let isFailing = true
  const writer = withOverrides(storage.writer, {
    apply: async (lease, batch) => {
      if (isFailing && batch.counters.some(({ app }) => app === 'heavy')) throw new Error('the store is unavailable')
      return storage.writer.apply(lease, batch)
    },
  })
  const make = (): Aggregator =>
    new Aggregator({
      ...storage,
      writer,
      owner: 'one',
      chooseDeferred: ({ bytes }) => (bytes.has('heavy') ? ['heavy'] : []),
    })
  const aggregator = make()
  await aggregator.assigned(0)
  await aggregator.batch(0, messages.slice(0, 1))
  await aggregator.batch(0, messages.slice(1))
  await aggregator.catchUp()
  await aggregator.revoked(0)
  expect(await storage.lanes.positions()).toEqual([1])
  expect(await storage.registry.ahead.list('')).toEqual([{ lane: 0, position: 1, ahead: 5, behind: { heavy: 1 } }])
  expect(await lane.fates('light')).toEqual({ accepted: 3 })

  isFailing = false
  const next = make()
  const from = await next.assigned(0)
  await next.batch(0, messages.slice(from))
  await next.catchUp()
  await next.revoked(0)
  expect(await storage.lanes.positions()).toEqual([5])
  expect(await lane.fates('heavy')).toEqual({ accepted: 2 })
  expect(await lane.fates('light')).toEqual({ accepted: 3 })
})
