import type { FastifyInstance } from 'fastify'
import { translatedBatch } from '../batch/batch.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { onlyMethod } from '../http/cors.ts'
import { identifications, trackedEvents } from '../translate/track.ts'
import { present } from './event-store-routes.ts'
import { writeRoute, type WriteAnswer, type WriteParts } from './write-route.ts'
import type { Sender } from '../admission/key-check.ts'
import type { ReadBatch } from '../batch/batch.ts'
import type { Taken } from '../intake.ts'

/** Serves `POST /v1/track` and `POST /v1/identify`. */
export function trackRoutes(server: FastifyInstance, parts: WriteParts): void {
  const calls = [
    ['/v1/track', trackedEvents],
    ['/v1/identify', identifications],
  ] as const
  for (const [url, translate] of calls) {
    onlyMethod(server, 'POST', url)
    writeRoute(server, parts, {
      method: 'POST',
      url,
      read: (body, sender, receivedAt) => read(translate, present(body), sender, receivedAt),
      answer: answerWithIds,
    })
  }
}

function read(
  translate: typeof trackedEvents,
  body: ParsedBody,
  { app, producer }: Sender,
  receivedAt: number,
): ReadBatch {
  return translatedBatch(body, translate(body.value, { app: app.id, name: producer }), app, receivedAt)
}

/** Answers the ids of the events by index; null for a rejected one. */
function answerWithIds({ answer, ids }: Taken): WriteAnswer {
  return { status: 202, body: { ...answer, ids: ids().map((id) => id ?? null) } }
}
