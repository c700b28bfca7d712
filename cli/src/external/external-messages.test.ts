import { OfflineIntake } from '@hopper/ingest'
import { expect, it } from 'vitest'
import { findLetters } from '@hopper/storage'
import { makeExternal, type ExternalSetup } from './external.fixture.ts'
import { takeMessages, type ExternalMessage } from './external-messages.ts'

const at = Date.now() - 3_600_000
let next = 0

function message(value: unknown, more: Partial<ExternalMessage> = {}): ExternalMessage {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return { key: 'shop', value: bytes, partition: 0, offset: String(next++), timestamp: at, ...more }
}

function take({ storage }: ExternalSetup, ...messages: ExternalMessage[]): Promise<void> {
  const { log, registry } = storage
  return takeMessages({ log, registry, intake: new OfflineIntake(), topic: 't', count: () => undefined }, messages)
}

const event = (n: number, more: object = {}): object => ({ type: 'custom', name: 'n', device_id: `d${n}`, ...more })

it('accepts an event or a list of them, of the app that they or their key name', async () => {
  await using external = await makeExternal()
  await take(
    external,
    message(event(0)),
    message([event(1, { app: 'shop' }), event(2, { app: 'shop', timestamp: at + 5 })], { key: undefined }),
  )
  expect((await external.events()).map(({ device_id, timestamp }) => [device_id, timestamp - at]).sort()).toEqual([
    ['d0', 0],
    ['d1', 0],
    ['d2', 5],
  ])
})

it('counts messages once that come again, and events with a time once that are sent again', async () => {
  await using external = await makeExternal()
  const untimed = [event(0), event(0)]
  const timed = event(1, { timestamp: at, data: { a: 1 } })
  const messages = [message(untimed), message(timed), message([timed, timed]), message(event(2, { event_id: 'own' }))]
  await take(external, ...messages)
  // Equal events without a time are always two events; with a time, only within one message.
  expect(await external.fates()).toEqual({ accepted: 5, duplicate: 1, letters: 0 })
  await take(external, ...messages)
  expect(await external.fates()).toEqual({ accepted: 5, duplicate: 7, letters: 0 })
  await take(external, message(event(0)))
  expect((await external.fates())['accepted']).toBe(6)
})

it('turns values that are not events into dead letters, with the place in the topic', async () => {
  await using external = await makeExternal()
  const long = Array.from({ length: 1_500 }, (_, n) => event(n % 5, { event_id: `e${n}` }))
  await take(
    external,
    message('{"name"'),
    message([7, event(0, { name: undefined }), event(1)]),
    message(event(0, { app: 'nobody' })),
    message(event(0), { key: undefined }),
    message(long),
  )
  expect(await external.fates()).toEqual({ accepted: 1_501, letters: 5 })
  const found: object[] = []
  for await (const { value } of findLetters(external.storage, {}))
    found.push(JSON.parse(Buffer.from(value).toString()) as object)
  expect(found).toHaveLength(5)
  expect(found).toContainEqual(
    expect.objectContaining({
      app: 'nobody',
      external: expect.objectContaining({
        source: 't',
        reason: 'unknown_app',
        record: JSON.stringify(event(0)),
      }) as object,
    }),
  )
})
