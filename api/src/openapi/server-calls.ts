import {
  EventsAnswer,
  IdentifyBody,
  SamplesBody,
  SessionMessage,
  StoredMessage,
  StoredMessages,
  TrackAnswer,
  TrackBody,
  type ErrorCode,
} from '@hopper/contracts'
import type { TSchema } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { examples } from './examples.ts'

interface ServerCall {
  readonly id: string
  readonly summary: string
  readonly body: string
  readonly schema: TSchema
  readonly status: 200 | 202
  readonly answer: TSchema
  readonly note?: string
}

const SEGMENT_TOO =
  'A body with event, messageId, context, sentAt or writeKey is a SegmentMessage, and answered as in `POST /v1/page`.'

/** Calls by which servers send events, by path and method. */
const calls: Readonly<Record<string, Readonly<Record<string, ServerCall>>>> = {
  '/events': {
    post: {
      id: 'Ingest_samples',
      summary: 'Send samples: an event with samplerate n counts n times, and its unique values once',
      body: 'SamplesBody',
      schema: SamplesBody,
      status: 200,
      answer: EventsAnswer,
    },
    put: {
      id: 'Ingest_messages',
      summary: 'Store messages; one with a message_id that is there already changes nothing',
      body: 'StoredMessages',
      schema: StoredMessages,
      status: 200,
      answer: EventsAnswer,
      note: 'The payload is kept byte for byte; the keys of an object in it can be queried.',
    },
  },
  '/event': {
    put: {
      id: 'Ingest_message',
      summary: 'Store one message',
      body: 'StoredMessage',
      schema: StoredMessage,
      status: 200,
      answer: EventsAnswer,
    },
  },
  '/v1/track': {
    post: {
      id: 'Ingest_track',
      summary: 'Track events of a person or a device',
      body: 'TrackBody',
      schema: TrackBody,
      status: 202,
      answer: TrackAnswer,
      note: SEGMENT_TOO,
    },
  },
  '/v1/identify': {
    post: {
      id: 'Ingest_identify',
      summary: 'Say which user a device belongs to, and the traits of the user',
      body: 'IdentifyBody',
      schema: IdentifyBody,
      status: 202,
      answer: TrackAnswer,
      note: SEGMENT_TOO,
    },
  },
}

const bodyErrors: readonly ErrorCode[] = [
  'HOP_BODY_INVALID',
  'HOP_BODY_TOO_LARGE',
  'HOP_BODY_TYPE',
  'HOP_LOG_UNAVAILABLE',
  'HOP_QUOTA',
]

/** The common part of every call of ingest. */
export interface IngestCommon {
  readonly security: readonly object[]
  readonly errors: readonly ErrorCode[]
  readonly servers: readonly object[] | undefined
}

/** Describes the calls for servers (docs/server-events.md). `/events` has its reading call, too. */
export function serverPaths(components: Components, common: IngestCommon): Record<string, Record<string, object>> {
  const servers = common.servers ? { servers: common.servers } : {}
  const paths = Object.fromEntries(
    Object.entries(calls).map(([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, call]) => [
          method,
          { ...operation(call, components, common), ...servers },
        ]),
      ),
    ]),
  )
  return { ...paths, '/ws': { get: { ...socketCall(components, common), ...servers } } }
}

function operation(call: ServerCall, components: Components, { security, errors }: IngestCommon): object {
  components.schemas[call.body] = call.schema
  const media = { schema: { $ref: `#/components/schemas/${call.body}` }, example: examples[call.body] }
  return {
    operationId: call.id,
    tags: ['Ingest'],
    summary: call.summary,
    ...(call.note === undefined ? {} : { description: call.note }),
    security,
    requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
    responses: {
      [call.status]: {
        description: 'the events are stored durably, but for the rejected ones',
        content: { 'application/json': { schema: components.answer(call.answer) } },
      },
      ...errorResponses([...errors, ...bodyErrors]),
    },
  }
}

function socketCall(components: Components, { security, errors }: IngestCommon): object {
  components.schemas['SessionMessage'] = SessionMessage
  return {
    operationId: 'Ingest_session',
    tags: ['Ingest'],
    summary: 'The events of a session over a WebSocket',
    description:
      'Messages are lists of SessionMessage. Each is answered, in order, after it is durable: `{"ack": n}` with the ' +
      'number of the message on this connection, from 1, or `{"error", "message": n}`.',
    security,
    parameters: [{ name: 'sessionId', in: 'query', required: true, schema: { type: 'string', format: 'uuid' } }],
    responses: {
      101: { description: 'the connection is a WebSocket from here on' },
      ...errorResponses([...errors, 'HOP_PARAM_INVALID', 'HOP_SHARE']),
    },
  }
}
