import { expect, it } from 'vitest'
import { decodeEnvelope, encodeEnvelope, type Envelope } from './envelope.ts'

const event = { type: 'click', event_id: 'e', timestamp: 1, seq: 0, target: '/a', elapsed_time: 0, current_url: '/' } as const
const envelope: Envelope = { version: 1, app: 'a', device_id: 'd', received_at: 1, context: { device: 'unknown', browser: '', os: '' }, events: [event] }

it('gives the session of the envelope to the events that name none', () => {
  const both = { ...envelope, session_id: 'of all', events: [event, { ...event, session_id: 'its own' }] }
  expect(decodeEnvelope(encodeEnvelope(both)).events.map(({ session_id }) => session_id)).toEqual(['of all', 'its own'])
  expect(decodeEnvelope(encodeEnvelope(envelope)).events[0]).not.toHaveProperty('session_id')
})

it('keeps every character, plain or not', () => {
  for (const target of ['/plain', '/é', '/€', '/😀', '\u0000\u007f\u0080']) {
    expect(decodeEnvelope(encodeEnvelope({ ...envelope, events: [{ ...event, target }] })).events[0]).toMatchObject({ target })
  }
})
