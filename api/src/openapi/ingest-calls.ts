import { Stage } from '@hopper/contracts'
import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { eventsCall } from './events-call.ts'
import { always, json, keyErrors, text, unchanged, writeKey } from './ingest-parts.ts'
import { operationPaths } from './operation-calls.ts'
import { posthogPaths } from './posthog-calls.ts'
import { segmentPaths } from './segment-calls.ts'
import { serverPaths } from './server-calls.ts'

const ifNoneMatch = { name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }

const TrackerConfig = Type.Object({
  funnels: Type.Array(Type.Object({ id: Type.String(), stages: Type.Array(Stage) })),
  elements: Type.Array(Type.Object({ xpath: Type.String() })),
})

/** The calls of ingest and operation by path: sent to ingest in a cluster, to the single process in standalone. */
export function ingestPaths(components: Components, servers: readonly object[] | undefined): Record<string, object> {
  const paths = {
    '/v1/events': { post: eventsCall(components) },
    ...trackerPaths(components),
    ...segmentPaths(components),
    ...posthogPaths(components),
  }
  const served = Object.entries(paths).map(([path, item]) => [path, { ...item, ...(servers && { servers }) }])
  return {
    ...(Object.fromEntries(served) as Record<string, object>),
    ...serverPaths(components, { security: writeKey, errors: [...always, ...keyErrors], servers }),
    ...operationPaths(components),
  }
}

/** The calls of the tracker. */
function trackerPaths(components: Components): Record<string, object> {
  const of = (operation: object): object => ({ get: { tags: ['Ingest'], security: [], ...operation } })
  return {
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
  }
}
