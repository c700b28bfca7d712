import { decodeEnvelope, encodeEnvelope, type App, type Envelope, type EventsAnswer } from '@hopper/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readBatch } from './batch/batch.ts'
import { envelopesOf } from './batch/envelopes.ts'
import { openIngest } from './ingest-server.fixture.ts'
import { incomingOf } from './batch/incoming.ts'
import { Pipeline } from './pipeline.ts'

const now = Date.UTC(2026, 10, 21)
const app: App = { id: 'a', organization: 'o', name: 'A', timezone: 'UTC', origins: [], keep_parameters: [] }
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
const plain = fc.record(
  {
    event_id: text,
    seq: fc.nat(),
    timestamp: fc.integer({ min: now - 1_000_000, max: now }),
    type: fc.constantFrom(1, 'click'),
    target: text,
    elapsed_time: fc.nat(1_000),
    current_url: text,
    session_id: text,
    user_id: text,
  },
  { requiredKeys: ['event_id', 'seq', 'timestamp', 'type', 'target', 'elapsed_time', 'current_url'] },
)
/** Fields that the log does not keep, or stores differently. */
const odd = fc.oneof(
  fc.record({ device_id: fc.constant('other') }),
  fc.record({ unknown: fc.jsonValue() }),
  fc.record({ timestamp: fc.constant(new Date(now).toISOString()) }),
  fc.record({ seq: fc.constant(undefined) }),
)
const event = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 1, arbitrary: fc.tuple(plain, odd).map(([fields, more]) => ({ ...fields, ...more })) },
)
const body = fc.record({
  device_id: text,
  session_id: fc.option(text, { nil: undefined }),
  historical: fc.constantFrom(undefined, true, false),
  sent_at: fc.constantFrom(undefined, now, now - 60_000),
  source: fc.constantFrom(
    undefined,
    {},
    { referrer: 'https://news.example/', utm_source: 'news' },
    { referrer: 'https://news.example/?q="events":', landing_page: 'https://shop.example/a?b=ä#c' },
  ),
  language: fc.constantFrom(undefined, 'de-AT'),
  events: fc.array(event, { minLength: 1, maxLength: 5 }),
})

function envelopesFor(value: unknown, indent: number): Envelope[] {
  const bytes = Buffer.from(JSON.stringify(value, null, indent))
  const { batch, sent } = readBatch(
    { value: JSON.parse(bytes.toString()), bytes, exact: true, isUnicode: true },
    app,
    now,
  )
  const results = new Pipeline().run(sent.map((each, index) => incomingOf(batch, index, each)))
  return envelopesOf(batch, sent, results, { agentOf: () => ({ device: 'desktop', browser: 'B', os: 'O' }) })
}

it('a body that is stored as it was sent reads the same as one that is encoded again', () => {
  let asSent = 0
  fc.assert(
    fc.property(body, fc.constantFrom(0, 2), (value, indent) => {
      for (const envelope of envelopesFor(value, indent)) {
        if (envelope.sent) asSent++
        expect(envelope.context.historical).toBe(value.historical === true ? true : undefined)
        const rewritten = { ...envelope, sent: undefined } as unknown as Envelope
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(decodeEnvelope(encodeEnvelope(rewritten)))
      }
    }),
    { numRuns: 500 },
  )
  expect(asSent).toBeGreaterThan(50)
})

it('the log contains only fields of the schema', () => {
  const sent = { event_id: 'e', seq: 1, timestamp: now, type: 1, target: '//a', elapsed_time: 1, current_url: '/' }
  expect(envelopesFor({ device_id: 'd', events: [sent] }, 0)[0]!.sent).toBeDefined()
  for (const more of ['"unknown":1', '"name":"of another kind"', '"__proto__":1']) {
    const value: unknown = JSON.parse(`{"device_id":"d","events":[${JSON.stringify(sent).replace('}', `,${more}}`)}]}`)
    const [envelope] = envelopesFor(value, 0)
    expect(envelope!.sent).toBeUndefined()
    expect(Object.keys(decodeEnvelope(encodeEnvelope(envelope!)).events[0]!).sort()).toEqual(Object.keys(sent).sort())
  }
  expect(envelopesFor({ device_id: 'd', more: 1, events: [sent] }, 0)[0]!.sent).toBeUndefined()
})

it('ingest keeps half a surrogate pair out of the log, even if the rest is stored as it was sent', async () => {
  await using ingest = await openIngest()
  const json =
    `{"device_id":"d","events":[{"event_id":"e","seq":0,"timestamp":${Date.now()},"type":1,` +
    `"target":"\\ud800","elapsed_time":0,"current_url":"/"}]}`
  expect(((await ingest.post(json)).body as EventsAnswer).accepted).toBe(1)
  expect((await ingest.envelopes())[0]!.events[0]).toMatchObject({ target: '\ufffd' })
})
