import { randomUUID } from 'node:crypto'
import { HopperError, isObject, limits, rejectReasons, withExactNumbers } from '@hopper/contracts'
import type { Translated, TranslatedEvent } from '../batch/batch.ts'
import { derivedId, nthId } from '../batch/derived-id.ts'
import { Dropped } from '../batch/incoming.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { defined, idText, without } from './json-values.ts'
import { rawMembers } from './raw-members.ts'

/** Fields of messages, by those that they become. */
export const messageFields: Readonly<Record<string, string>> = { event_id: 'message_id', name: 'event_type' }

const NAME_OF_SAMPLE = 'event'
const NS_PER_MS = 1_000_000n
/** Digits from which a number in a text is ns: ms have this many after the year 300,000. */
const NS_DIGITS_MIN = 16

/**
 * Translates `POST /events`: `{ events: [{ ts, samplerate, data }] }`, each a custom event. An event may name its
 * device, user, session, name and id; without a device it is a device of its own, which its id identifies.
 */
export function samplesOf({ value }: ParsedBody, app: string): Translated {
  const events = isObject(value) ? value['events'] : undefined
  if (!Array.isArray(events))
    throw new HopperError(
      'HOP_BODY_INVALID',
      'The body must be an object like {"events": [{"ts": 1767225600000, "samplerate": 1, "data": {}}]}.',
    )
  const repetitions = new Map<string, number>()
  return { events: events.map((sent: unknown) => (isObject(sent) ? sampleOf(sent, app, repetitions) : notAnObject())) }
}

function sampleOf(
  sent: Readonly<Record<string, unknown>>,
  app: string,
  repetitions: Map<string, number>,
): TranslatedEvent {
  const { ts, timestamp = ts, name = NAME_OF_SAMPLE, event_id, ...rest } = sent
  const id = event_id ?? (timestamp === undefined ? randomUUID() : nthId(repetitions, derivedId('sample', app, sent)))
  const device_id =
    rest['device_id'] ?? (rest['user_id'] === undefined ? derivedId('device of event', app, id) : undefined)
  return {
    event: { ...rest, type: 'custom', name, event_id: id, ...defined({ timestamp, device_id }) },
  }
}

/**
 * Translates `PUT /events` and `PUT /event`: a list of `{ message_id, timestamp, event_type, payload }`, or one. The
 * payload is kept as it was sent. If it is an object, or the JSON text of one, its keys also become the event's `data`.
 * A message is a device of its own, which its id identifies, so that the id is unique in the app.
 */
export function messagesOf(body: ParsedBody, app: string): Translated {
  const list = Array.isArray(body.value) ? (body.value as unknown[]) : [body.value]
  const payloads = rawMembers(body.bytes.toString().replace(/^\ufeff/, ''), 'payload')
  const repetitions = new Map<string, number>()
  return {
    events: list.map((sent, index) => {
      if (!isObject(sent)) return notAnObject()
      return messageOf(sent, payloads.get(index), { app, repetitions, isExact: body.exact })
    }),
  }
}

interface Around {
  readonly app: string
  readonly repetitions: Map<string, number>
  /** true when the body is known to be JSON as received */
  readonly isExact: boolean
}

function messageOf(
  sent: Readonly<Record<string, unknown>>,
  payload: string | undefined,
  { app, repetitions, isExact }: Around,
): TranslatedEvent | Dropped {
  if (payload !== undefined && Buffer.byteLength(payload) > limits.eventBytesMax)
    return new Dropped('too_large', `The payload is larger than ${limits.eventBytesMax} bytes.`)
  if (payload !== undefined && !isExact && !isJson(payload))
    return new Dropped('invalid_field', 'The field "payload" is not valid JSON.')
  const { timestamp, event_type, payload: value, ...rest } = sent
  const message_id = idText(sent['message_id'])
  const content = { message_id, timestamp, event_type, payload }
  const id =
    message_id ?? (timestamp === undefined ? randomUUID() : nthId(repetitions, derivedId('message', app, content)))
  const time = timeOf(timestamp)
  return {
    event: {
      ...without(rest, 'message_id'),
      type: 'custom',
      name: event_type,
      event_id: id,
      device_id: derivedId('device of message', app, id),
      ...defined({ timestamp: time.ms, data: keysOf(value) }),
    },
    supplement: { stored: defined({ payload: payload ?? 'null', timestamp_ns: time.ns }) },
  }
}

/** Reads a time: ns as a text of digits, else as any event has it. */
function timeOf(sent: unknown): { readonly ms: unknown; readonly ns?: string } {
  if (typeof sent !== 'string' || !/^\d{1,20}$/.test(sent)) return { ms: sent }
  if (sent.length < NS_DIGITS_MIN) return { ms: Number(sent) }
  return { ms: Number(BigInt(sent) / NS_PER_MS), ns: sent }
}

/** Returns the object that a payload is, or that its text contains. */
function keysOf(payload: unknown): Readonly<Record<string, unknown>> | undefined {
  if (isObject(payload)) return payload
  if (typeof payload !== 'string' || !payload.trimStart().startsWith('{')) return undefined
  const value = parsed(payload)
  return isObject(value) ? value : undefined
}

function isJson(text: string): boolean {
  return parsed(text) !== undefined
}

/** Returns the value of a JSON text; undefined when it is not JSON, which JSON cannot express. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(withExactNumbers(text))
  } catch {
    return undefined
  }
}

function notAnObject(): Dropped {
  return new Dropped('not_an_object', rejectReasons.not_an_object)
}
