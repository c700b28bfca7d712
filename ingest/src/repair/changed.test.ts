import { changeReasons, eventTypes, limits, wireEvents, type EventChange, type EventsAnswer } from '@hopper/contracts'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest({ clock: () => now })
})
afterAll(() => ingest[Symbol.asyncDispose]())

let next = 0
/** Sends one event; returns the stored event, and the changes in the answer by path. */
async function sendAndRead(
  event: object,
  body: object = {},
): Promise<{ stored: Record<string, unknown>; device: string; changed: Record<string, string> }> {
  const session_id = `of-${next++}`
  const answer = await ingest.post({ device_id: 'd', session_id, ...body, events: [event] })
  const { rejected, accepted, changed = [] } = answer.body as EventsAnswer
  expect({ status: answer.status, accepted, rejected }).toEqual({ status: 202, accepted: 1, rejected: [] })
  const envelope = (await ingest.envelopes()).find((each) => each.session_id === session_id)!
  return {
    stored: envelope.events[0] as unknown as Record<string, unknown>,
    device: envelope.device_id,
    changed: Object.fromEntries(
      changed.map(({ path, reason, did_you_mean }) => [path, did_you_mean ? `${reason}: ${did_you_mean}` : reason]),
    ),
  }
}
const custom = (data: unknown, more: object = {}): object => ({ type: 'custom', name: 'x', data, ...more })
const click = (more: object = {}): object => ({ type: 1, target: '//a', elapsed_time: 5, current_url: '/', ...more })
const version8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('data', () => {
  it('loses a null and nothing else', async () => {
    const { stored, changed } = await sendAndRead(custom({ plan: null, n: 1 }))
    expect([stored.data, changed]).toEqual([{ n: 1 }, { 'data.plan': 'null_value' }])
  })

  it('is flattened, with lists as strings: an order in Segment format', async () => {
    const { stored, changed } = await sendAndRead(
      custom({
        order_id: 'o-7',
        total: 25,
        products: [{ id: 'a', price: 10 }, { id: 'b' }],
        address: { city: { name: 'Bonn', zip: 53111 }, lines: ['x', 2] },
        empty: {},
      }),
    )
    expect(stored.data).toEqual({
      order_id: 'o-7',
      total: 25,
      products: '[{"id":"a","price":10},{"id":"b"}]',
      'address.lines': '["x",2]',
      'address.city.name': 'Bonn',
      'address.city.zip': 53111,
    })
    expect(changed).toEqual({
      'data.products': 'made_text',
      'data.address': 'flattened',
      'data.address.city': 'flattened',
      'data.address.lines': 'made_text',
      'data.empty': 'flattened',
    })
  })

  it('prefers its own keys over those of inner objects', async () => {
    const { stored, changed } = await sendAndRead(custom({ a: { b: 'inner' }, 'a.b': 'own' }))
    expect([stored.data, changed['data.a.b']]).toEqual([{ 'a.b': 'own' }, 'key_taken'])
  })

  it('keeps 64 keys and lists the others', async () => {
    const { stored, changed } = await sendAndRead(
      custom(Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`k${index}`, index]))),
    )
    expect(Object.keys(stored.data as object)).toHaveLength(64)
    expect(changed).toEqual(
      Object.fromEntries([64, 65, 66, 67, 68, 69].map((index) => [`data.k${index}`, 'too_many_keys'])),
    )
  })

  it('limits keys and values, cut between characters', async () => {
    const { stored, changed } = await sendAndRead(
      custom({ ['k'.repeat(200)]: 1, v: '\u{1f600}'.repeat(3_000), fits: '\u{1f600}'.repeat(2_048), '': 'no key' }),
    )
    expect(stored.data).toEqual({ ['k'.repeat(128)]: 1, v: '\u{1f600}'.repeat(2_048), fits: '\u{1f600}'.repeat(2_048) })
    expect(changed).toEqual({ [`data.${'k'.repeat(95)}`]: 'shortened', 'data.v': 'shortened', 'data.': 'empty' })
  })

  it('accepts keys like __proto__ at any depth', async () => {
    const data: unknown = JSON.parse(
      '{"__proto__":{"__proto__":{"x":1},"y":2},"constructor":null,"toString":"t","7":true}',
    )
    const { stored, changed } = await sendAndRead(custom(data))
    expect(JSON.stringify(stored.data)).toBe('{"7":true,"toString":"t","__proto__.y":2,"__proto__.__proto__.x":1}')
    expect(changed).toEqual({
      'data.constructor': 'null_value',
      ['data.__proto__']: 'flattened',
      'data.__proto__.__proto__': 'flattened',
    })
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  it.each([
    ['text', 'x'],
    ['a number', 5],
    ['a list', [1]],
    ['true', true],
  ])('is dropped when it is not an object: %s', async (_name, data) => {
    const { stored, changed } = await sendAndRead(custom(data))
    expect([stored.data, changed]).toEqual([undefined, { data: 'wrong_type' }])
  })

  it('may be null: identify without traits', async () => {
    const { stored, changed } = await sendAndRead({ type: 'identify', user_id: 'ann', data: null })
    expect([stored.user_id, stored.data, changed]).toEqual(['ann', undefined, { data: 'null_value' }])
  })

  it('loses only the value that is nested deeper than the stack allows', async () => {
    const deep = `${'['.repeat(15_000)}${']'.repeat(15_000)}`
    const objects = `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`
    for (const json of [deep, objects]) {
      const answer = await ingest.post(
        `{"device_id":"deep","events":[{"type":0,"name":"n","data":{"n":1,"deep":${json}}}]}`,
      )
      expect(answer.body).toMatchObject({ accepted: 1, rejected: [] })
    }
  })
})

describe('numbers that JSON does not have', () => {
  it('become null, as Python writes them, and do not cost the body', async () => {
    const answer = await ingest.post(
      '{"device_id":"python","events":[{"type":0,"name":"NaN \\" Infinity",' +
        '"data":{"a":NaN,"b":-Infinity,"c":Infinity,"n":1}}]}',
    )
    expect(answer.body).toMatchObject({
      accepted: 1,
      changed: ['a', 'b', 'c'].map((key) => ({ index: 0, path: `data.${key}`, reason: 'null_value' })),
    })
    const stored = (await ingest.envelopes()).find(({ device_id }) => device_id === 'python')!
    expect(stored.events[0]).toMatchObject({ name: 'NaN " Infinity', data: { n: 1 } })
  })

  it('are dropped when they are out of range', async () => {
    const answer = await ingest.post('{"device_id":"d","events":[{"type":0,"name":"n","data":{"a":1e999,"n":1}}]}')
    expect(answer.body).toMatchObject({ accepted: 1, changed: [{ path: 'data.a', reason: 'out_of_range' }] })
  })

  it('do not make invalid JSON valid, whatever its size', async () => {
    expect((await ingest.post(`{"events":[NaN,}`)).status).toBe(400)
    const started = performance.now()
    expect((await ingest.post(`{"events":[NaN,"${'\\"'.repeat(400_000)}`)).status).toBe(400)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('a field', () => {
  it.each<[string, object, object, Record<string, string>]>([
    ['a user_id that is a number', { user_id: 42 }, { user_id: '42' }, { user_id: 'made_text' }],
    ['a user_id that is null', { user_id: null }, { user_id: undefined }, { user_id: 'null_value' }],
    ['a user_id that is empty', { user_id: '' }, { user_id: undefined }, { user_id: 'empty' }],
    ['a user_id that is a list', { user_id: ['a'] }, { user_id: undefined }, { user_id: 'wrong_type' }],
    ['a user_id that is true', { user_id: true }, { user_id: undefined }, { user_id: 'wrong_type' }],
    ['an event_id that is a number', { event_id: 7 }, { event_id: '7' }, { event_id: 'made_text' }],
    ['a negative time', { elapsed_time: -5 }, { elapsed_time: 0 }, { elapsed_time: 'out_of_range' }],
    ['an absurd time', { elapsed_time: 1e15 }, { elapsed_time: 0 }, { elapsed_time: 'out_of_range' }],
    ['a fraction', { elapsed_time: 12.5 }, { elapsed_time: 13 }, { elapsed_time: 'rounded' }],
    ['a number as text', { elapsed_time: '12' }, { elapsed_time: 12 }, { elapsed_time: 'made_number' }],
    ['a time that is no number', { elapsed_time: 'x' }, { elapsed_time: 0 }, { elapsed_time: 'wrong_type' }],
    ['a time that is null', { elapsed_time: null }, { elapsed_time: 0 }, { elapsed_time: 'null_value' }],
    [
      'a url that is too long',
      { current_url: `/${'u'.repeat(3_000)}` },
      { current_url: `/${'u'.repeat(2_047)}` },
      { current_url: 'shortened' },
    ],
    ['a url that is null', { current_url: null }, { current_url: '' }, { current_url: 'null_value' }],
    [
      'a target that is too long',
      { target: 't'.repeat(2_000) },
      { target: 't'.repeat(1_024) },
      { target: 'shortened' },
    ],
    ['a seq that is text', { seq: '3' }, { seq: 3 }, { seq: 'made_number' }],
    ['a seq that is negative', { seq: -3 }, { seq: 0 }, { seq: 'out_of_range' }],
    ['a type that is text', { type: '1' }, { type: 'click' }, {}],
  ])('is kept as far as possible: %s', async (_name, sent, stored, changed) => {
    const found = await sendAndRead(click(sent))
    const fields = Object.fromEntries(Object.keys(stored).map((name) => [name, found.stored[name]]))
    expect([fields, found.changed]).toEqual([stored, changed])
  })

  it('is shortened when it is a too long name, and a number is a name', async () => {
    expect((await sendAndRead(custom({}, { name: 'n'.repeat(300) }))).stored.name).toBe('n'.repeat(200))
    expect((await sendAndRead(custom({}, { name: 404 }))).stored.name).toBe('404')
  })

  it.each(['event_id', 'device_id', 'user_id', 'session_id'])(
    'with a too long id stores its hash, and other ids are unchanged: %s',
    async (field) => {
      const send = async (id: string): Promise<unknown> => {
        const { stored, device, changed } = await sendAndRead(
          click({ [field]: id, ...(field === 'session_id' && { user_id: 'u' }) }),
        )
        expect(changed).toEqual({ [field]: 'hashed' })
        return field === 'device_id' ? device : stored[field]
      }
      const [a, again, b] = [
        await send(`${'i'.repeat(300)}a`),
        await send(`${'i'.repeat(300)}a`),
        await send(`${'i'.repeat(300)}b`),
      ]
      expect(a).toMatch(version8)
      expect([again, b === a]).toEqual([a, false])
    },
  )

  it('that is unknown is listed, with a suggestion', async () => {
    const { stored, changed } = await sendAndRead(
      { type: 'custom', name: 'n', time: 5, properties: { a: 1 }, userId: 'ann', zzz: 1 },
      { sdk: 'x', sentAt: 5 },
    )
    expect(stored).toEqual({
      event_id: stored.event_id,
      timestamp: now,
      type: 'custom',
      seq: 0,
      session_id: stored.session_id,
      name: 'n',
    })
    expect(changed).toEqual({
      sdk: 'unknown_field',
      sentAt: 'unknown_field: sent_at',
      time: 'unknown_field: timestamp',
      properties: 'unknown_field: data',
      userId: 'unknown_field: user_id',
      zzz: 'unknown_field',
    })
  })

  it('of the body may be null, and is listed without an index', async () => {
    const answer = await ingest.post({
      device_id: 'body',
      session_id: null,
      sent_at: null,
      webdriver: 'yes',
      events: [click()],
    })
    expect(answer.body).toEqual({
      accepted: 1,
      rejected: [],
      changed: [
        ['session_id', 'null_value'],
        ['sent_at', 'null_value'],
        ['webdriver', 'wrong_type'],
      ].map(([path, reason]) => ({ index: null, path, reason })),
    })
  })
})

describe('a time', () => {
  const noon = Date.parse('2026-02-28T12:00:00Z')
  it.each<[unknown, number, string | undefined]>([
    ['2026-02-28T12:00:00Z', noon, undefined],
    ['2026-02-28 12:00:00Z', noon, undefined],
    ['2026-02-28T13:00+0100', noon, undefined],
    ['2026-02-28 13:00:00+01', noon, undefined],
    ['2026-02-28T12:00Z', noon, undefined],
    ['2026-02-28T12:00:00', noon, 'utc_assumed'],
    ['2026-02-28 12:00:00.000', noon, 'utc_assumed'],
    ['2026-02-28', noon - 43_200_000, 'utc_assumed'],
    [String(noon), noon, 'made_number'],
    [noon + 0.4, noon, 'rounded'],
    [null, now, 'null_value'],
  ])('%s is read', async (timestamp, instant, reason) => {
    const { stored, changed } = await sendAndRead(click({ timestamp }))
    expect([stored.timestamp, changed.timestamp]).toEqual([instant, reason])
  })

  it.each(['yesterday', '2026-02-30', '2026-02-30T12:00:00Z', '12:00', '', '28/02/2026', true, {}, [], 1e300])(
    '%s is rejected, since the time of receipt would be wrong',
    async (timestamp) => {
      const answer = await ingest.post({ device_id: 'd', events: [click({ timestamp })] })
      expect(answer.body).toMatchObject({ accepted: 0, rejected: [{ index: 0, reason: 'invalid_field' }] })
      expect(answer.body).not.toHaveProperty('changed')
    },
  )
})

it.each<[string, object, string]>([
  ['no name', { type: 0, data: {} }, 'missing_field'],
  ['a name that is null', { type: 0, name: null }, 'invalid_field'],
  ['an empty name', { type: 0, name: '' }, 'invalid_field'],
  ['no user to identify', { type: 5, user_id: null }, 'invalid_field'],
  ['an unknown action', { type: 3, target: '//a', action: 'hover', elapsed_time: 1 }, 'invalid_field'],
  ['a stage that is none', { type: 4, action: 'onClick', funnel: 'f', entered: -1, elapsed_time: 1 }, 'invalid_field'],
])('rejects an event without its essential fields: %s', async (_name, event, reason) => {
  const answer = await ingest.post({ device_id: 'd', events: [event, click({ elapsed_time: -1 })] })
  expect(answer.body).toMatchObject({
    accepted: 1,
    rejected: [{ index: 0, reason }],
    changed: [{ index: 1, path: 'elapsed_time' }],
  })
})

it('keeps an event that is too large only because of its too long strings', async () => {
  const { stored, changed } = await sendAndRead(
    custom({ page: 'p'.repeat(100_000), n: 1 }, { name: 'n'.repeat(40_000) }),
  )
  expect(changed).toEqual({ name: 'shortened', 'data.page': 'shortened' })
  expect(stored).toMatchObject({ name: 'n'.repeat(200), data: { page: 'p'.repeat(2_048), n: 1 } })
  const large = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, 'v'.repeat(2_000)]))
  expect((await ingest.post({ device_id: 'd', events: [custom(large)] })).body).toMatchObject({
    rejected: [{ reason: 'too_large' }],
  })
})

it('lists at most 100 changes and counts all', async () => {
  const events = Array.from({ length: 1_000 }, () => custom({ a: null, b: null }))
  const { changed, changed_total, accepted } = (await ingest.post({ device_id: 'many', events })).body as EventsAnswer
  expect([accepted, changed!.length, changed_total]).toEqual([1_000, limits.changesNamedMax, 2_000])
  const unknown = Array.from(
    { length: 1_000 },
    () =>
      Object.fromEntries([
        ['type', 0],
        ['name', 'n'],
        ...Array.from({ length: 100 }, (_, index) => [`u${index}`, 1]),
      ]) as object,
  )
  const started = performance.now()
  expect((await ingest.post({ device_id: 'many', events: unknown })).body).toMatchObject({
    accepted: 1_000,
    changed_total: 100_000,
  })
  expect(performance.now() - started).toBeLessThan(3_000)
})

it('leaves an event unchanged and unlisted next to changed ones', async () => {
  const answer = await ingest.post({
    device_id: 'd',
    events: [click({ event_id: 'a', seq: 1, timestamp: now }), click({ event_id: 'b', elapsed_time: -1 })],
  })
  expect((answer.body as EventsAnswer).changed).toEqual([
    { index: 1, path: 'elapsed_time', reason: 'out_of_range' } satisfies EventChange,
  ])
})

it('stores a valid event for any fields, and changes it in the same way when it is sent again', async () => {
  const checks = new Map<string, ReturnType<typeof Compile>>(
    eventTypes.map((type) => [type, Compile(wireEvents[type])]),
  )
  const field = fc.constantFrom(
    'event_id',
    'timestamp',
    'device_id',
    'session_id',
    'seq',
    'user_id',
    'data',
    'name',
    'target',
    'from',
    'to',
    'elapsed_time',
    'funnel',
    'samplerate',
    'x',
  )
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.integer(),
    fc.double(),
    fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
  )
  const base = {
    target: '//a',
    elapsed_time: 1,
    current_url: '/',
    from: '',
    to: '/',
    name: 'n',
    action: 'onClick',
    funnel: 'f',
    entered: 1,
    user_id: 'u',
  }
  const event = fc
    .tuple(fc.constantFrom(...eventTypes), fc.dictionary(field, value, { maxKeys: 6 }))
    .map(([type, fields]) => ({ type, ...base, ...fields }))
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 5 }), async (events) => {
      const device_id = `any-${next++}`
      const body = { device_id, events: events.map((each) => ({ ...each, device_id })) }
      const answers = [(await ingest.post(body)).body as EventsAnswer, (await ingest.post(body)).body as EventsAnswer]
      expect(answers[1]).toEqual(answers[0])
      const [first, second] = (await ingest.envelopes()).filter((each) => each.device_id === device_id)
      for (const stored of first?.events ?? []) expect(checks.get(stored.type)!.Errors(stored)).toEqual([])
      expect(second?.events.map(({ type }) => type)).toEqual(first?.events.map(({ type }) => type))
    }),
    { numRuns: 150 },
  )
})

it('lists every change reason in docs/ingest.md', () => {
  const page = readFileSync(new URL('../../../docs/ingest.md', import.meta.url), 'utf8')
  const listed = Object.fromEntries(
    [...page.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, reason, text]) => [reason, text]),
  )
  expect(listed).toEqual(changeReasons)
})

describe('messages of the event store', () => {
  const put = async (url: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'x-api-key': keys.write, 'content-type': 'application/json' }
    const { statusCode, body: text } = await ingest.server.inject({ method: 'PUT', url, headers, body })
    expect(statusCode).toBe(200)
    return JSON.parse(text) as Record<string, unknown>
  }
  const message = { message_id: 'm', timestamp: now, event_type: 'paid', payload: {} }

  it.each([
    [{ event_type: 'x'.repeat(limits.nameCharsMax + 1) }, 'event_type', 'shortened'],
    [{ event_type: '\ud800' }, 'event_type', 'not_unicode'],
    [{ message_id: 'x'.repeat(limits.idCharsMax + 1) }, 'message_id', 'hashed'],
    [{ timestamp: null }, 'timestamp', 'null_value'],
    [{ timestamp: now + 0.5 }, 'timestamp', 'rounded'],
    [{ timestamp: '2026-03-01 11:00:00' }, 'timestamp', 'utc_assumed'],
    [{ time: now }, 'time', 'unknown_field'],
    [{ user_id: { id: 7 } }, 'user_id', 'wrong_type'],
  ])('name what could not stand as it was sent: %j', async (sent, path, reason) => {
    for (const [url, body] of [
      ['/events', [message, { ...message, ...sent }]],
      ['/event', { ...message, ...sent }],
    ] as const) {
      const index = url === '/events' ? 1 : 0
      const { accepted, changed } = await put(url, body)
      expect({ accepted, changed }).toMatchObject({ accepted: index + 1, changed: [{ index, path, reason }] })
      expect(changed).toHaveLength(1)
    }
  })

  it('name nothing of a payload, which is kept as it was sent', async () => {
    const payload = { a: null, b: { c: [1] }, long: 'x'.repeat(limits.dataValueCharsMax + 1), ['\ud800']: '\ud800' }
    const many = Array.from({ length: 90 }, (_, n) => [`k${n}`, { n }] as const)
    expect(await put('/event', { ...message, payload: { ...payload, ...Object.fromEntries(many) } })).toEqual({
      accepted: 1,
      rejected: [],
    })
    expect(await put('/event', { ...message, event_type: 'x'.repeat(201), payload })).toMatchObject({
      changed: [{ index: 0, path: 'event_type', reason: 'shortened' }],
    })
  })
})
