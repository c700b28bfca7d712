import { Type } from 'typebox'
import { limits } from '../limits.ts'

const id = Type.Union([Type.String(), Type.Number()])
const time = Type.String({ format: 'date-time' })
const object = Type.Record(Type.String(), Type.Unknown())
const context = Type.Object({
  page: Type.Optional(Type.Object({ url: Type.Optional(Type.String()), referrer: Type.Optional(Type.String()) })),
  campaign: Type.Optional(object),
  userAgent: Type.Optional(Type.String()),
  sessionId: Type.Optional(id),
  traits: Type.Optional(object),
})

/** One message of the Segment HTTP spec, as far as Hopper reads it; `docs/clients.md` says how it is translated. */
export const SegmentMessage = Type.Object({
  type: Type.Optional(
    Type.Union(
      ['track', 'page', 'screen', 'identify', 'group', 'alias'].map((kind) => Type.Literal(kind)),
      { description: 'in a batch only; else the path says it' },
    ),
  ),
  messageId: Type.Optional(Type.String({ description: 'the event_id: sent again, the message counts once' })),
  anonymousId: Type.Optional(id),
  userId: Type.Optional(id),
  timestamp: Type.Optional(time),
  originalTimestamp: Type.Optional(time),
  sentAt: Type.Optional(time),
  context: Type.Optional(context),
  event: Type.Optional(Type.String({ description: 'of track: the name of the event' })),
  name: Type.Optional(Type.String({ description: 'of page and screen' })),
  category: Type.Optional(Type.String({ description: 'of page and screen' })),
  properties: Type.Optional(object),
  traits: Type.Optional(object),
  groupId: Type.Optional(id),
  previousId: Type.Optional(id),
  writeKey: Type.Optional(Type.String()),
})

/** The body of `POST /v1/batch`. Messages are validated one by one, so that the valid ones are kept. */
export const SegmentBatch = Type.Object({
  batch: Type.Array(SegmentMessage, { maxItems: limits.eventsPerBatchMax }),
  context: Type.Optional(context),
  sentAt: Type.Optional(Type.String({ format: 'date-time', description: "the sender's clock; corrects the times" })),
  writeKey: Type.Optional(Type.String()),
})
