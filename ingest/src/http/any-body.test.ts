import type { EventsAnswer } from '@hopper/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openIngest } from '../ingest-server.fixture.ts'

const field = fc.oneof(
  fc.constantFrom(
    'type',
    'event_id',
    'timestamp',
    'device_id',
    'target',
    'elapsed_time',
    'current_url',
    'name',
    'data',
    '__proto__',
    'constructor',
  ),
  fc.string(),
)
/** Almost an event: valid names with any values, so that the checks behind the first one are reached too. */
const almostEvent = fc.oneof(
  fc.jsonValue(),
  fc
    .dictionary(field, fc.jsonValue())
    .map((fields) => ({ type: 1, target: '//a', elapsed_time: 1, current_url: '/', ...fields })),
  fc.record({
    type: fc.integer({ min: -1, max: 7 }),
    timestamp: fc.oneof(fc.double(), fc.string(), fc.integer()),
    name: fc.string({ unit: 'binary' }),
    data: fc.jsonValue(),
  }),
)

it('answers any JSON body without an internal error, and accepts or rejects each event', async () => {
  await using ingest = await openIngest()
  let sent = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(almostEvent, { maxLength: 20 }),
      fc.dictionary(field, fc.jsonValue()),
      async (events, more) => {
        const answer = await ingest.post({ ...more, device_id: 'd', session_id: 's', events })
        expect(answer.status).toBe(202)
        const { accepted, rejected } = answer.body as EventsAnswer
        expect(accepted + rejected.length).toBe(events.length)
        expect(new Set(rejected.map(({ index }) => index)).size).toBe(rejected.length)
        sent += events.length
      },
    ),
    { numRuns: 150 },
  )
  const inLog = (await ingest.envelopes()).reduce(
    (sum, { events, rejected = [] }) => sum + events.length + rejected.length,
    0,
  )
  expect(inLog).toBe(sent)
})

it('answers any other JSON with a status below 500', async () => {
  await using ingest = await openIngest()
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (body) => {
      expect((await ingest.post(JSON.stringify(body))).status).toBe(400)
    }),
    { numRuns: 150 },
  )
})
