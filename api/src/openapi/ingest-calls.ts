import { EventsAnswer, EventsBody, limits, Stage, wireEvents, type ErrorCode } from '@hopper/contracts'
import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { examples } from './examples.ts'
import { serverPaths } from './server-calls.ts'

const writeKey = [{ bearer: [] }, { basic: [] }, { header: [] }, { parameter: [] }]
const always: readonly ErrorCode[] = [
  'HOP_REQUEST_INVALID',
  'HOP_REQUEST_TIMEOUT',
  'HOP_URL_TOO_LONG',
  'HOP_EXPECTATION',
  'HOP_HEADERS_TOO_LARGE',
  'HOP_INTERNAL',
]
const keyErrors: readonly ErrorCode[] = [
  'HOP_KEY_MISSING',
  'HOP_KEY_UNKNOWN',
  'HOP_KEY_POWER',
  'HOP_ORIGIN',
  'HOP_RATE',
  'HOP_STORE_UNAVAILABLE',
]
const text = { schema: { type: 'string' } }
const ifNoneMatch = { name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }

const TrackerConfig = Type.Object({
  funnels: Type.Array(Type.Object({ id: Type.String(), stages: Type.Array(Stage) })),
  elements: Type.Array(Type.Object({ xpath: Type.String() })),
})
const Ready = Type.Object({ ready: Type.Boolean(), reasons: Type.Optional(Type.Array(Type.String())) })

/** The calls of ingest and operation by path: sent to ingest in a cluster, to the single process in standalone. */
export function ingestPaths(components: Components, servers: readonly object[] | undefined): Record<string, object> {
  const of = (operation: object): object => ({
    get: { tags: ['Ingest'], security: [], ...operation },
    ...(servers ? { servers } : {}),
  })
  return {
    '/v1/events': { post: eventsCall(components), ...(servers ? { servers } : {}) },
    '/v1/config': of({
      operationId: 'Ingest_config',
      summary: 'The configuration of the tracker of an app',
      security: writeKey,
      parameters: [ifNoneMatch],
      responses: {
        200: json(components.answer(TrackerConfig)),
        304: unchanged,
        ...errorResponses([...always, ...keyErrors]),
      },
    }),
    '/hopper.js': of({
      operationId: 'Ingest_tracker',
      summary: 'The tracker',
      parameters: [ifNoneMatch],
      responses: {
        200: { description: 'the script', content: { 'text/javascript': text } },
        304: unchanged,
        ...errorResponses([...always, 'HOP_NOT_FOUND']),
      },
    }),
    ...serverPaths(components, { security: writeKey, errors: [...always, ...keyErrors], servers }),
    ...operationPaths(components),
  }
}

/** The calls of an operator's tools, served by every process. */
function operationPaths(components: Components): Record<string, object> {
  const of = (operation: object): object => ({ get: { tags: ['Operation'], security: [], ...operation } })
  return {
    '/healthcheck': of({
      operationId: 'Operation_healthcheck',
      summary: 'The process answers',
      responses: { 200: { description: 'OK', content: { 'text/plain': text } }, ...errorResponses(always) },
    }),
    '/ready': of({
      operationId: 'Operation_ready',
      summary: 'Whether the process can do its work, or why not',
      responses: {
        200: json(components.answer(Ready)),
        ...errorResponses(always),
        503: { ...json(components.answer(Ready)), description: 'not ready; reasons say why' },
      },
    }),
    '/metrics': of({
      operationId: 'Operation_metrics',
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'the metrics', content: { 'text/plain': text } }, ...errorResponses(always) },
    }),
  }
}

const unchanged = { description: 'the caller has this answer already' }
const json = (schema: object): object => ({ description: 'the answer', content: { 'application/json': { schema } } })

function eventsCall(components: Components): object {
  const events = Object.entries(wireEvents).map(([type, schema]) => {
    const name = `${type
      .split('_')
      .map((part) => part[0]!.toUpperCase() + part.slice(1))
      .join('')}WireEvent`
    components.schemas[name] = schema
    return { $ref: `#/components/schemas/${name}` }
  })
  const { properties, required } = EventsBody
  const list = { type: 'array', maxItems: limits.eventsPerBatchMax, items: { anyOf: events } }
  components.schemas['EventsBody'] = { type: 'object', required, properties: { ...properties, events: list } }
  const media = { schema: { $ref: '#/components/schemas/EventsBody' }, example: examples['EventsBody'] }
  return {
    operationId: 'Ingest_events',
    tags: ['Ingest'],
    summary: 'Send events; 202 means that they are stored durably',
    security: writeKey,
    description: [
      'Each event is accepted or listed as rejected; fields that are not stored as sent are listed in `changed`.',
      'Content-Encoding may be gzip, deflate or br.',
    ].join(' '),
    requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
    responses: {
      202: json(components.answer(EventsAnswer)),
      ...errorResponses([
        ...always,
        ...keyErrors,
        'HOP_BODY_INVALID',
        'HOP_BODY_TOO_LARGE',
        'HOP_BODY_TYPE',
        'HOP_LOG_UNAVAILABLE',
      ]),
    },
  }
}
