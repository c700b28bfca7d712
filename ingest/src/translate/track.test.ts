import type { EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest()
})
afterAll(() => ingest[Symbol.asyncDispose]())

type Answer = EventsAnswer & { readonly ids: readonly (string | null)[] }

async function send(url: string, body: unknown, status = 202): Promise<Answer> {
  const answer = await ingest.server.inject({
    method: 'POST',
    url,
    payload: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.write}` },
  })
  expect(answer.statusCode).toBe(status)
  return answer.json()
}

async function storedOf(id: string | null | undefined) {
  const envelope = (await ingest.envelopes()).find(({ events }) => events.some(({ event_id }) => event_id === id))!
  return { ...envelope, event: envelope.events.find(({ event_id }) => event_id === id)! }
}

describe('POST /v1/track', () => {
  it('stores an event with its name, person, time, producer and campaign, and returns its id', async () => {
    const { ids, accepted } = await send('/v1/track', {
      anonymousId: 'a-1',
      userId: 42,
      occurredAt: '2026-03-01T12:00:00Z',
      type: 'signed_up',
      data: { plan: 'pro', utm_source: 'mail' },
    })
    expect([accepted, ids.length]).toEqual([1, 1])
    expect(ids[0]).toMatch(/^evt_[0-9a-f]{32}$/)
    const { device_id, context, event } = await storedOf(ids[0])
    expect(device_id).toBe('a-1')
    expect(context).toMatchObject({ device: 'server', utm: { utm_source: 'mail' } })
    expect(event).toMatchObject({
      type: 'custom',
      name: 'signed_up',
      user_id: '42',
      timestamp: Date.parse('2026-03-01T12:00:00Z'),
      data: { plan: 'pro', utm_source: 'mail', producer: 'key …cdef' },
    })
  })

  it('accepts a list, keeps the valid events, and names the invalid ones by index', async () => {
    const answer = await send('/v1/track', [
      { anonymousId: 'a', type: 'one' },
      { anonymousId: 'a' },
      { type: 'nobody' },
      { userId: 'u', type: 'two' },
      7,
    ])
    expect(answer.accepted).toBe(2)
    expect(answer.ids.map((id) => id !== null)).toEqual([true, false, false, true, false])
    expect(answer.rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'missing_field'],
      [2, 'no_device'],
      [4, 'not_an_object'],
    ])
  })

  it('gives the same id to an event with a time that is sent again, and a new one to an event without', async () => {
    const timed = { anonymousId: 'again', type: 'x', occurredAt: 1_760_000_000_000 }
    expect((await send('/v1/track', timed)).ids).toEqual((await send('/v1/track', timed)).ids)
    const timeless = { anonymousId: 'again', type: 'x' }
    expect((await send('/v1/track', timeless)).ids).not.toEqual((await send('/v1/track', timeless)).ids)
  })

  it('splits a device into envelopes where its campaign changes, in the order of the events', async () => {
    const campaign = (source: string): object => ({ anonymousId: 'moves', type: source, utm: { source } })
    const { ids } = await send('/v1/track', [campaign('mail'), campaign('mail'), campaign('search'), campaign('mail')])
    const envelopes = (await ingest.envelopes()).filter(({ device_id }) => device_id === 'moves')
    expect(envelopes.map(({ context, events }) => [context.utm?.['utm_source'], events.length])).toEqual([
      ['mail', 2],
      ['search', 1],
      ['mail', 1],
    ])
    expect(envelopes.flatMap(({ events }) => events.map(({ event_id }) => event_id))).toEqual(ids)
  })

  it('is 400 for a body that is neither an object nor a list', async () => {
    await send('/v1/track', 'text', 400)
  })
})

describe('POST /v1/identify', () => {
  it('identifies the device as the user, with its traits', async () => {
    const { ids } = await send('/v1/identify', { anonymousId: 'a-2', userId: 'ann', traits: { plan: 'pro', age: 40 } })
    const { device_id, event } = await storedOf(ids[0])
    expect(device_id).toBe('a-2')
    expect(event).toMatchObject({ type: 'identify', user_id: 'ann', data: { plan: 'pro', age: 40 } })
  })

  it('is rejected without a user', async () => {
    expect((await send('/v1/identify', { anonymousId: 'a-3' })).rejected[0]).toMatchObject({ reason: 'missing_field' })
  })
})
