import { HopperError, type EventsAnswer } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'
import { translatedBatch } from '../batch/batch.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { answerPreflight } from '../http/cors.ts'
import { messageFields, messagesOf, samplesOf } from '../translate/event-store.ts'
import { writeRoute, type WriteParts } from './write-route.ts'

/**
 * Serves the event store: `POST /events`, `PUT /events` and `PUT /event`. Other methods of these paths are not refused
 * here: the api serves `GET /events`, in standalone at the same port.
 */
export function eventStoreRoutes(server: FastifyInstance, parts: WriteParts): void {
  answerPreflight(server, ['POST', 'PUT'], '/events')
  answerPreflight(server, ['PUT'], '/event')
  writeRoute(server, parts, {
    method: 'POST',
    url: '/events',
    read: (body, { app }, receivedAt) =>
      translatedBatch(present(body), samplesOf(present(body), app.id), app, receivedAt),
    answer: ({ answer }) => ({ status: 200, body: answer }),
  })
  for (const url of ['/events', '/event'])
    writeRoute(server, parts, {
      method: 'PUT',
      url,
      read: (body, { app }, receivedAt) =>
        translatedBatch(present(body), messagesOf(present(body), app.id), app, receivedAt),
      answer: ({ answer }) => ({ status: 200, body: withOwnNames(answer) }),
    })
}

/** Names the changed fields of messages as their senders do. */
function withOwnNames(answer: EventsAnswer): EventsAnswer {
  if (!answer.changed) return answer
  const changed = answer.changed.map(({ path, ...change }) => ({ ...change, path: messageFields[path] ?? path }))
  return { ...answer, changed }
}

/** @throws HopperError HOP_BODY_INVALID when a request has no body */
export function present(body: ParsedBody | undefined): ParsedBody {
  if (!body) throw new HopperError('HOP_BODY_INVALID', 'The request has no body.')
  return body
}
