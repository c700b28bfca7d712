import { EventsAnswer, EventsBody, limits, wireEvents } from '@hopper/contracts'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { examples } from './examples.ts'
import { json, writeErrors, writeKey } from './ingest-parts.ts'

/** Describes `POST /v1/events`. */
export function eventsCall(components: Components): object {
  const events = Object.entries(wireEvents).map(([type, schema]) => {
    const name = `${type
      .split('_')
      .map((part) => part[0]!.toUpperCase() + part.slice(1))
      .join('')}WireEvent`
    components.schemas[name] = schema
    return { $ref: `#/components/schemas/${name}` }
  })
  const { properties, required } = EventsBody
  const list = { type: 'array', maxItems: limits.eventsPerBatchMax, items: { anyOf: events } }
  components.schemas['EventsBody'] = { type: 'object', required, properties: { ...properties, events: list } }
  const media = { schema: { $ref: '#/components/schemas/EventsBody' }, example: examples['EventsBody'] }
  return {
    operationId: 'Ingest_events',
    tags: ['Ingest'],
    summary: 'Send events; 202 means that they are stored durably',
    security: writeKey,
    description: [
      'Each event is accepted or listed as rejected; fields that are not stored as sent are listed in `changed`.',
      'Content-Encoding may be gzip, deflate or br.',
    ].join(' '),
    requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
    responses: { 202: json(components.answer(EventsAnswer)), ...errorResponses(writeErrors) },
  }
}
