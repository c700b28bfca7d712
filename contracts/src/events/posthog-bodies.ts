import { Type } from 'typebox'
import { limits } from '../limits.ts'

const id = Type.Union([Type.String(), Type.Number()])
const object = Type.Record(Type.String(), Type.Unknown())

/** One event of PostHog, as far as Hopper reads it; `docs/clients.md` says how it is translated. */
export const PosthogEvent = Type.Object({
  event: Type.String(),
  uuid: Type.Optional(Type.String({ description: 'the event_id: sent again, the event counts once' })),
  distinct_id: Type.Optional(id),
  properties: Type.Optional(object),
  timestamp: Type.Optional(Type.String({ format: 'date-time' })),
  offset: Type.Optional(Type.Number({ description: 'ms from the event to its sending' })),
  $set: Type.Optional(object),
  $set_once: Type.Optional(object),
})

/** The body of `POST /batch/` and its equals, which take one event or a list of events as well. */
export const PosthogBatch = Type.Object({
  api_key: Type.Optional(Type.String({ description: 'the write key, unless it is in a header or the address' })),
  batch: Type.Array(PosthogEvent, { maxItems: limits.eventsPerBatchMax }),
  sent_at: Type.Optional(Type.String({ format: 'date-time', description: "the sender's clock; corrects the times" })),
  historical_migration: Type.Optional(Type.Boolean({ description: 'true: an import of the past; never late' })),
})
