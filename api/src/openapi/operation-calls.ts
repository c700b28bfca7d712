import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { always, json, text } from './ingest-parts.ts'

const Ready = Type.Object({ ready: Type.Boolean(), reasons: Type.Optional(Type.Array(Type.String())) })

/** The calls of an operator's tools, served by every process. */
export function operationPaths(components: Components): Record<string, object> {
  const get = (operation: object): object => ({ get: { tags: ['Operation'], security: [], ...operation } })
  return {
    '/healthcheck': get({
      operationId: 'Operation_healthcheck',
      summary: 'The process answers',
      responses: { 200: { description: 'OK', content: { 'text/plain': text } }, ...errorResponses(always) },
    }),
    '/ready': get({
      operationId: 'Operation_ready',
      summary: 'Whether the process can do its work, or why not',
      responses: {
        200: json(components.answer(Ready)),
        ...errorResponses(always),
        503: { ...json(components.answer(Ready)), description: 'not ready; reasons say why' },
      },
    }),
    '/metrics': get({
      operationId: 'Operation_metrics',
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'the metrics', content: { 'text/plain': text } }, ...errorResponses(always) },
    }),
  }
}
