import type { FastifyInstance } from 'fastify'
import { translatedBatch, type Translated } from '../batch/batch.ts'
import { arrivedBytes } from '../http/body-parser.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import { segmentBatch, segmentCall, segmentKey, type SegmentKind } from '../translate/segment.ts'
import { present } from './event-store-routes.ts'
import { writeRoute, type WriteCall, type WriteParts } from './write-route.ts'

/** Paths for one message; `trackRoutes` serves `/v1/track` and `/v1/identify`, which have two shapes. */
const single: Readonly<Record<string, SegmentKind>> = {
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/group': 'group',
  '/v1/alias': 'alias',
  // paths of the browser client
  '/v1/t': 'track',
  '/v1/p': 'page',
  '/v1/i': 'identify',
  '/v1/s': 'screen',
  '/v1/g': 'group',
  '/v1/a': 'alias',
}
/** Paths for many messages; `/v1/import` is the default of some older clients. */
const batched = ['/v1/batch', '/v1/import', '/v1/b'] as const

/** Serves the calls of the Segment HTTP spec, on a server that parses bodies of any content type. */
export function segmentRoutes(server: FastifyInstance, parts: WriteParts): void {
  for (const [url, kind] of Object.entries(single)) serve(url, (body) => segmentCall(kind, body))
  for (const url of batched) serve(url, segmentBatch)
  metricsRoute(server, parts)

  function serve(url: string, translate: (body: unknown) => Translated): void {
    onlyMethod(server, 'POST', url)
    writeRoute(server, parts, {
      method: 'POST',
      url,
      read: (body, { app }, receivedAt) => {
        const sent = present(body)
        return translatedBatch(sent, translate(sent.value), app, receivedAt)
      },
      answer: segmentAnswer,
      keyOf: (body) => segmentKey(body?.value),
    })
  }
}

/** Answers as clients of Segment expect; a batch with a rejected message must not be sent again. */
export const segmentAnswer: WriteCall['answer'] = ({ answer }) => ({ status: 200, body: { success: true, ...answer } })

/** Accepts and ignores the browser client's metrics about itself, so that it reports no error. */
function metricsRoute(server: FastifyInstance, { gate }: WriteParts): void {
  onlyMethod(server, 'POST', '/v1/m')
  server.post(
    '/v1/m',
    {
      config: { access: 'nothing' },
      onRequest: async (request, reply) => {
        allowAnyOrigin(reply)
        gate.admitSource(request)
      },
      onResponse: async (request) => gate.chargeSource(request, arrivedBytes(request)),
    },
    () => ({ success: true }),
  )
}
