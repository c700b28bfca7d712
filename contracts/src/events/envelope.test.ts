import { describe, expect, it } from 'vitest'
import { appOfMessage, DecodeError, decodeEnvelope, encodeEnvelope, type Envelope } from './envelope.ts'

const event = {
  type: 'click',
  event_id: 'e',
  timestamp: 1,
  seq: 0,
  target: '/a',
  elapsed_time: 0,
  current_url: '/',
} as const
const envelope: Envelope = {
  version: 1,
  app: 'a',
  device_id: 'd',
  received_at: 1,
  context: { device: 'unknown', browser: '', os: '' },
  events: [event],
}

it('applies the session of the envelope to events without one', () => {
  const both = { ...envelope, session_id: 'of all', events: [event, { ...event, session_id: 'its own' }] }
  expect(decodeEnvelope(encodeEnvelope(both)).events.map(({ session_id }) => session_id)).toEqual(['of all', 'its own'])
  expect(decodeEnvelope(encodeEnvelope(envelope)).events[0]).not.toHaveProperty('session_id')
})

it('preserves every character, ASCII or not', () => {
  for (const target of ['/plain', '/é', '/€', '/😀', '\u0000\u007f\u0080']) {
    expect(decodeEnvelope(encodeEnvelope({ ...envelope, events: [{ ...event, target }] })).events[0]).toMatchObject({
      target,
    })
  }
})

it('reads the app of a message from its first bytes, or returns undefined', () => {
  const sent = Buffer.from('{"events":[]}')
  for (const app of ['shop', 'é', '']) {
    expect(appOfMessage(encodeEnvelope({ ...envelope, app }))).toBe(app)
    expect(appOfMessage(encodeEnvelope({ ...envelope, app, sent }))).toBe(app)
  }
  for (const other of [
    '',
    '{',
    'null',
    '{"app":"shop"}',
    '{"version":1,"app":"sh',
    '{"version":1,"app":"sh\\u006fp"}',
  ]) {
    expect(appOfMessage(Buffer.from(other))).toBeUndefined()
  }
})

describe('bytes that are not an envelope', () => {
  const head = JSON.stringify({ ...envelope, events: undefined })
  const body = (events: unknown): string => `${head}\n${JSON.stringify({ events })}`
  it.each([
    ['nothing', '', 'undecodable'],
    ['half of one', '{"version":1', 'undecodable'],
    ['half of a body', `${head}\n{"events":[`, 'undecodable'],
    ['half of a head', `{"version"\n{"events":[]}`, 'undecodable'],
    ['null', 'null', 'unknown_version'],
    ['a list', '[]', 'unknown_version'],
    ['another version', '{"version":2}', 'unknown_version'],
    ['a head that is null', 'null\n{"events":[]}', 'unknown_version'],
    ['no fields', '{"version":1}', 'invalid_envelope'],
    ['a context that is null', JSON.stringify({ ...envelope, context: null }), 'invalid_envelope'],
    ['an event that is null', JSON.stringify({ ...envelope, session_id: 's', events: [null] }), 'invalid_envelope'],
    ['an event that is a number', JSON.stringify({ ...envelope, session_id: 's', events: [7] }), 'invalid_envelope'],
    ['a body that is null', `${head}\nnull`, 'invalid_envelope'],
    ['a body without events', `${head}\n{}`, 'invalid_envelope'],
    ['a body with events that are not a list', body({ 0: {} }), 'invalid_envelope'],
    ['a body with an event that is null', body([null]), 'invalid_envelope'],
  ])('are rejected with a reason: %s', (_name, bytes, reason) => {
    const read = (): unknown => decodeEnvelope(Buffer.from(bytes))
    expect(read).toThrow(DecodeError)
    expect(read).toThrow(expect.objectContaining({ reason }))
  })
})
