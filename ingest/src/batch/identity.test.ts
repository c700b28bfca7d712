import type { EventsAnswer } from '@hopper/contracts'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const at = '2026-02-28T09:30:00Z'
const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const version8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const sale = { type: 'custom', name: 'sale', data: { amount: 5 } }

let ingest: IngestServer
let clock = now
beforeAll(async () => {
  ingest = await openIngest({ clock: () => clock })
})
afterAll(() => ingest[Symbol.asyncDispose]())
beforeEach(() => void (clock = now))

let next = 0
const newDevice = (): string => `till-${next++}`
async function send(body: object): Promise<EventsAnswer> {
  const answer = await ingest.post(body)
  expect(answer.status).toBe(202)
  return answer.body
}
/** Returns the ids of a device's events, in the order of the log. */
async function idsOf(device: string): Promise<string[]> {
  return (await ingest.envelopes())
    .filter(({ device_id }) => device_id === device)
    .flatMap(({ events }) => events.map(({ event_id }) => event_id))
}
async function distinct(device: string): Promise<number> {
  return new Set(await idsOf(device)).size
}

describe('an event without an id', () => {
  it('is always new when it has no time either', async () => {
    const device_id = newDevice()
    for (const times of [1, 2]) {
      clock = now + times * 1_000
      await send({ device_id, events: [sale, sale, sale] })
    }
    expect(await distinct(device_id)).toBe(6)
    for (const id of await idsOf(device_id)) expect(id).toMatch(version4)
  })

  it('with a time is identified by its content and the number of equal events before it in the request', async () => {
    const device_id = newDevice()
    const row = { ...sale, timestamp: at }
    for (let times = 0; times < 3; times++)
      await send({ device_id, events: [row, { ...row, data: { amount: 6 } }, row] })
    const ids = await idsOf(device_id)
    expect(ids).toHaveLength(9)
    expect(new Set(ids).size).toBe(3)
    expect([ids.slice(3, 6), ids.slice(6)]).toEqual([ids.slice(0, 3), ids.slice(0, 3)])
    for (const id of ids) expect(id).toMatch(version8)
  })

  it.each([
    ['a value of data', { data: { amount: 5.5 } }],
    ['the type of a value', { data: { amount: '5' } }],
    ['one more key', { data: { amount: 5, till: 2 } }],
    ['a user', { user_id: 'ann' }],
    ['a session', { session_id: 's' }],
    ['a place in the session', { seq: 7 }],
    ['another time', { timestamp: now - 1 }],
    ['a field that is not of the schema', { properties: { order: 17 } }],
    ['the name', { name: 'refund' }],
  ])('is a different one when it differs by %s', async (_name, more) => {
    const device_id = newDevice()
    await send({
      device_id,
      events: [
        { ...sale, timestamp: at },
        { ...sale, timestamp: at, ...more },
      ],
    })
    expect(await distinct(device_id)).toBe(2)
  })

  it('is the same in any notation', async () => {
    const device_id = newDevice()
    const named = { type: 'custom', name: 'sale', timestamp: Date.parse(at), data: { a: 1, b: 2 } }
    await send({ device_id, session_id: 's', events: [named] })
    await send({
      events: [
        {
          data: { b: 2, a: 1 },
          timestamp: '2026-02-28T10:30:00+01:00',
          name: 'sale',
          type: 0,
          session_id: 's',
          device_id,
        },
      ],
    })
    expect(await idsOf(device_id)).toHaveLength(2)
    expect(await distinct(device_id)).toBe(1)
  })

  it("is the same when the sender's clock is corrected differently", async () => {
    const device_id = newDevice()
    const events = [{ ...sale, timestamp: now - 3_600_000 }]
    await send({ device_id, sent_at: now - 1_800_000, events })
    clock = now + 60_000
    await send({ device_id, sent_at: now - 1_600_000, events })
    await send({ device_id, events })
    expect(await idsOf(device_id)).toHaveLength(3)
    expect(await distinct(device_id)).toBe(1)
  })

  it('is numbered among equal events of the same device only', async () => {
    const [a, b] = [newDevice(), newDevice()]
    const row = { ...sale, timestamp: at }
    const eventsOf = (...devices: string[]): object => ({ events: devices.map((device_id) => ({ ...row, device_id })) })
    await send(eventsOf(a, b, a, b))
    await send(eventsOf(b, b, a, a))
    for (const device of [a, b]) expect(await distinct(device)).toBe(2)
    expect(new Set([...(await idsOf(a)), ...(await idsOf(b))]).size).toBe(4)
  })

  it('has the same id in any request with the same number of equal events before it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(3), { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        async (requests) => {
          const device_id = newDevice()
          for (const amounts of requests)
            await send({ device_id, events: amounts.map((amount) => ({ ...sale, timestamp: at, data: { amount } })) })
          const most = [0, 1, 2, 3].map((amount) =>
            Math.max(...requests.map((amounts) => amounts.filter((each) => each === amount).length)),
          )
          expect(await distinct(device_id)).toBe(most.reduce((sum, each) => sum + each, 0))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('keeps the id that is in the log', async () => {
    const device_id = newDevice()
    await send({ device_id, events: [sale] })
    expect(await idsOf(device_id)).toEqual(await idsOf(device_id))
  })
})

describe('an event without a device', () => {
  it('is rejected with its reason, and spoils no message of the log', async () => {
    const answer = await send({
      events: [
        { type: 'custom', name: 'x' },
        { ...sale, device_id: 'kiosk' },
        { type: 'custom', name: 'y', session_id: 's' },
      ],
    })
    expect([answer.accepted, answer.rejected.map(({ index, reason }) => [index, reason])]).toEqual([
      1,
      [
        [0, 'no_device'],
        [2, 'no_device'],
      ],
    ])
    const refused = (await ingest.envelopes()).filter(({ rejected }) =>
      rejected?.some(({ reason }) => reason === 'no_device'),
    )
    expect(refused.map(({ device_id, rejected }) => [device_id, rejected!.length])).toEqual([['kiosk', 2]])
  })

  it('gets one derived from its user: always the same, and different for each user', async () => {
    const devicesOf = async (user_id: string): Promise<string[]> => {
      expect(
        await send({
          events: [
            { ...sale, user_id },
            { type: 'identify', user_id },
          ],
        }),
      ).toEqual({ accepted: 2, rejected: [] })
      const all = (await ingest.envelopes()).filter(({ events }) => events.some((event) => event.user_id === user_id))
      return all.map(({ device_id }) => device_id)
    }
    const [first] = await devicesOf('ann alone')
    expect(first).toMatch(version8)
    expect(await devicesOf('ann alone')).toEqual([first, first])
    expect(await devicesOf('bob alone')).not.toContain(first)
  })
})
