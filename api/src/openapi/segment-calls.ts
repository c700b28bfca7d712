import { EventsAnswer, SegmentBatch, SegmentMessage } from '@hopper/contracts'
import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { always, clientCall, json, keyErrors } from './ingest-parts.ts'

/** By path. `/v1/track` and `/v1/identify` take our own shape as well, and are described with it. */
const single = {
  page: 'page',
  screen: 'screen',
  group: 'group',
  alias: 'alias',
  t: 'track',
  p: 'page',
  i: 'identify',
  s: 'screen',
  g: 'group',
  a: 'alias',
} as const
const batches = { batch: '/v1/batch', import: '/v1/import', shortBatch: '/v1/b' } as const

const SegmentAnswer = Type.Object({ success: Type.Literal(true), ...EventsAnswer.properties })
const Settings = Type.Object({ integrations: Type.Record(Type.String(), Type.Unknown()) })

/** The calls of the Segment HTTP spec by path. */
export function segmentPaths(components: Components): Record<string, object> {
  Object.assign(components.schemas, { SegmentMessage, SegmentBatch })
  const messages = Object.entries(single).map(
    ([path, kind]) => [`/v1/${path}`, { post: message(kind, `Segment_${path}`) }] as const,
  )
  const batched = Object.entries(batches).map(([name, path]) => [path, { post: batch(`Segment_${name}`) }] as const)
  return Object.fromEntries<object>([
    ...messages,
    ...batched,
    ['/v1/m', { post: metrics }],
    ['/v1/projects/{key}/settings', { get: settings }],
  ])

  function message(kind: string, operationId: string): object {
    const summary = `Send one ${kind} message of the Segment HTTP spec`
    return clientCall({ operationId, summary, body: 'SegmentMessage', answer: SegmentAnswer }, components)
  }

  function batch(operationId: string): object {
    const summary = 'Send messages of the Segment HTTP spec; each is accepted or listed as rejected'
    return clientCall({ operationId, summary, body: 'SegmentBatch', answer: SegmentAnswer }, components)
  }
}

const metrics = {
  operationId: 'Segment_metrics',
  tags: ['Clients of other products'],
  summary: "Answers the browser client's figures about itself; nothing is stored",
  security: [],
  responses: {
    200: json({ type: 'object', properties: { success: { const: true } } }),
    ...errorResponses([...always, 'HOP_BODY_INVALID', 'HOP_BODY_TOO_LARGE']),
  },
}

const settings = {
  operationId: 'Segment_settings',
  tags: ['Clients of other products'],
  summary: "What Segment's browser client loads first: this host as the only destination",
  security: [],
  parameters: [{ name: 'key', in: 'path', required: true, schema: { type: 'string' }, description: 'the write key' }],
  responses: { 200: json(Settings), ...errorResponses([...always, ...keyErrors]) },
}
