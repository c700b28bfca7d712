import type { FastifyInstance } from 'fastify'
import { readBatch } from '../batch/batch.ts'
import { onlyMethod } from '../http/cors.ts'
import { writeRoute, type WriteParts } from './write-route.ts'

/** Serves `POST /v1/events`: answers 202 only after the log has synced the accepted events. */
export function eventsRoute(server: FastifyInstance, parts: WriteParts): void {
  const url = '/v1/events'
  onlyMethod(server, 'POST', url)
  writeRoute(server, parts, {
    method: 'POST',
    url,
    read: (body, { app }, receivedAt) => readBatch(body, app, receivedAt),
    answer: ({ answer }) => ({ status: 202, body: answer }),
  })
}
