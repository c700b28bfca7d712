import type { FastifyInstance } from 'fastify'
import { translatedBatch } from '../batch/batch.ts'
import type { ParsedBody } from '../http/body-parser.ts'
import { onlyMethod } from '../http/cors.ts'
import { isSegmentMessage, segmentCall, segmentKey } from '../translate/segment.ts'
import { identifications, trackedEvents } from '../translate/track.ts'
import { present } from './event-store-routes.ts'
import { segmentAnswer } from './segment-routes.ts'
import { writeRoute, type WriteAnswer, type WriteParts } from './write-route.ts'
import type { Sender } from '../admission/key-check.ts'
import type { ReadBatch } from '../batch/batch.ts'
import type { Taken } from '../intake.ts'

/** Serves `POST /v1/track` and `POST /v1/identify`: our own shape, and that of Segment's clients. */
export function trackRoutes(server: FastifyInstance, parts: WriteParts): void {
  const calls = [
    ['track', trackedEvents],
    ['identify', identifications],
  ] as const
  for (const [kind, translate] of calls) {
    const url = `/v1/${kind}`
    onlyMethod(server, 'POST', url)
    writeRoute(server, parts, {
      method: 'POST',
      url,
      read: (body, sender, receivedAt) =>
        isSegmentMessage(body?.value)
          ? translatedBatch(body!, segmentCall(kind, body!.value), sender.app, receivedAt)
          : read(translate, present(body), sender, receivedAt),
      answer: (taken, body) => (isSegmentMessage(body?.value) ? segmentAnswer : answerWithIds)(taken, body),
      keyOf: (body) => segmentKey(body?.value),
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
