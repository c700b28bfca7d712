import type { Envelope, EventsAnswer } from '@hopper/contracts'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { rawMembers } from './raw-members.ts'

let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest()
})
afterAll(() => ingest[Symbol.asyncDispose]())

interface Answer {
  readonly status: number
  readonly body: EventsAnswer
}

async function send(method: 'POST' | 'PUT', url: string, body: unknown): Promise<Answer> {
  const answer = await ingest.server.inject({
    method,
    url,
    payload: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-api-key': keys.write },
  })
  return { status: answer.statusCode, body: answer.json() }
}

/** Events in the log by their id, with the device of each. */
async function stored(): Promise<Map<string, Record<string, unknown>[]>> {
  const events = (await ingest.envelopes()).flatMap((envelope: Envelope) =>
    envelope.events.map((event) => ({ ...event, device: envelope.device_id })),
  )
  return Map.groupBy(events, ({ event_id }) => String(event_id))
}

describe('PUT /events', () => {
  const message = (more: object = {}): object => ({
    message_id: 'm-1',
    timestamp: '1760000000123456789',
    event_type: 'order_paid',
    payload: { total: 12.5, items: { first: 'tea' } },
    ...more,
  })

  it('stores each message with its digits, its payload as it was sent, and the keys of the payload', async () => {
    const payload = '{ "total": 1.50, "a":"\\u00e9",\n "items": {"first":"tea"} }'
    const head = '"message_id":"exact","timestamp":"1760000000123456789","event_type":"order_paid"'
    const body = `[{${head},"payload": ${payload} }]`
    expect(await send('PUT', '/events', body)).toEqual({ status: 200, body: { accepted: 1, rejected: [] } })
    const [event] = (await stored()).get('exact')!
    expect(event).toMatchObject({
      type: 'custom',
      name: 'order_paid',
      timestamp: 1_760_000_000_123,
      timestamp_ns: '1760000000123456789',
      payload,
      data: { total: 1.5, a: 'é', 'items.first': 'tea' },
    })
  })

  it('keeps a payload that is text, JSON in a text, a list, a number or missing', async () => {
    const payloads = ['"plain text"', '"{\\"sku\\": \\"a\\"}"', '[1, 2]', '7.0', 'null']
    const open = (id: string): string => `{"message_id":"${id}","timestamp":1760000000000,"event_type":"e"`
    const body = `[${payloads.map((each, i) => `${open(`p${i}`)},"payload":${each}}`).join()}, ${open('p5')}}]`
    expect((await send('PUT', '/events', body)).body).toMatchObject({ accepted: 6 })
    const events = await stored()
    expect([...payloads.keys(), 5].map((i) => events.get(`p${i}`)![0]!['payload'])).toEqual([...payloads, 'null'])
    expect(events.get('p1')![0]!['data']).toEqual({ sku: 'a' })
    expect(events.get('p0')![0]!['data']).toBeUndefined()
  })

  it('gives a message the same device, however often it is sent and with any content', async () => {
    for (const more of [{}, {}, { payload: 'other' }, { timestamp: 1_760_000_000_500 }])
      expect((await send('PUT', '/event', message({ message_id: 'again', ...more }))).status).toBe(200)
    const events = (await stored()).get('again')!
    expect(events).toHaveLength(4)
    expect(new Set(events.map(({ device }) => device)).size).toBe(1)
  })

  it('takes an id that is a number as its text, and times in ms as number or text', async () => {
    await send('PUT', '/event', message({ message_id: 77, timestamp: '1760000000001' }))
    expect((await stored()).get('77')![0]).toMatchObject({ timestamp: 1_760_000_000_001 })
    expect((await stored()).get('77')![0]).not.toHaveProperty('timestamp_ns')
  })

  it('distinguishes ids that differ only in a digit that no double can hold, in payloads too', async () => {
    const at = (id: string): string =>
      `{"message_id":${id},"timestamp":1760000000123456789,"event_type":"order_paid","payload":{"order":${id}}}`
    const { body } = await send('PUT', '/events', `[${at('9007199254740993')},${at('9007199254740992')}]`)
    expect(body).toMatchObject({ accepted: 2, rejected: [] })
    const events = await stored()
    expect(events.get('9007199254740993')).toMatchObject([
      {
        payload: '{"order":9007199254740993}',
        timestamp_ns: '1760000000123456789',
        data: { order: '9007199254740993' },
      },
    ])
    expect(events.get('9007199254740992')).toMatchObject([{ data: { order: 9007199254740992 } }])
  })

  it('rejects values that are not messages by index, and keeps the others', async () => {
    const bad = [7, message({ event_type: undefined }), message({ timestamp: 'soon' }), message({ message_id: 'good' })]
    const { status, body } = await send('PUT', '/events', bad)
    expect([status, body.accepted, body.rejected.map(({ index, reason }) => [index, reason])]).toEqual([
      200,
      1,
      [
        [0, 'not_an_object'],
        [1, 'missing_field'],
        [2, 'invalid_field'],
      ],
    ])
    const large = await send('PUT', '/event', message({ payload: 'x'.repeat(33_000) }))
    expect(large.body.rejected[0]!.reason).toBe('too_large')
  })

  it('keeps a payload that is nested deeper than any parser should follow', async () => {
    const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`
    await send('PUT', '/event', `{"message_id":"deep","timestamp":1760000000000,"event_type":"e","payload":${deep}}`)
    expect((await stored()).get('deep')![0]!['payload']).toBe(deep)
  })
})

describe('POST /events', () => {
  it('stores samples with their weight; one without a device is a device of its own', async () => {
    const events = [
      { ts: 1_760_000_000_000, samplerate: 10, data: { event_tag: 'product_view', sku: 'a' }, event_id: 's1' },
      { ts: '2025-10-09T08:53:20Z', data: { event_tag: 'product_view' }, event_id: 's2', user_id: 'u', name: 'view' },
    ]
    expect(await send('POST', '/events', { events })).toEqual({ status: 200, body: { accepted: 2, rejected: [] } })
    const found = await stored()
    expect(found.get('s1')![0]).toMatchObject({
      type: 'custom',
      name: 'event',
      samplerate: 10,
      timestamp: 1_760_000_000_000,
      data: { event_tag: 'product_view', sku: 'a' },
    })
    expect(found.get('s2')![0]).toMatchObject({ name: 'view', user_id: 'u', timestamp: 1_760_000_000_000 })
  })

  it('derives the same ids for a request that is sent again, and different ones for equal events in it', async () => {
    const twins = { events: [1, 1].map(() => ({ ts: 1_760_000_000_009, data: { twin: true } })) }
    await send('POST', '/events', twins)
    await send('POST', '/events', twins)
    const found = [...(await stored())].filter(([, [event]]) => (event!['data'] as { twin?: true })?.twin)
    expect(found.map(([, events]) => events.length)).toEqual([2, 2])
  })

  it('is 400 for another shape', async () => {
    for (const body of ['[]', '{}', '7', '{"events":{}}'])
      expect(await send('POST', '/events', body)).toMatchObject({
        status: 400,
        body: { error: { code: 'HOP_BODY_INVALID' } },
      })
  })
})

it('raw members are the text of what JSON.parse finds, for any JSON', () => {
  const item = fc.oneof(
    fc.dictionary(fc.oneof(fc.constant('payload'), fc.string()), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  fc.assert(
    fc.property(fc.array(item, { maxLength: 5 }), fc.constantFrom(0, 1, '\t'), (items, indent) => {
      const found = rawMembers(JSON.stringify(items, null, indent), 'payload')
      const expected = items.flatMap((each, index) =>
        typeof each === 'object' && each !== null && !Array.isArray(each) && Object.hasOwn(each, 'payload')
          ? [[index, JSON.stringify((each as Record<string, unknown>)['payload'])] as const]
          : [],
      )
      expect([...found].map(([index, text]) => [index, JSON.stringify(JSON.parse(text))])).toEqual(expected)
      for (const [, text] of found) expect(text).toBe(text.trim())
    }),
    { numRuns: 500 },
  )
})
