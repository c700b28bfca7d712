import { HopperError, isObject, rejectReasons } from '@hopper/contracts'
import { randomUUID } from 'node:crypto'
import type { Translated, TranslatedEvent } from '../batch/batch.ts'
import { derivedId, nthId } from '../batch/derived-id.ts'
import { Dropped, type Supplement } from '../batch/incoming.ts'
import { defined, idText, without } from './json-values.ts'

const ID_PREFIX = 'evt_'
const UTM_PREFIX = 'utm_'

type Fields = Readonly<Record<string, unknown>>

/** Sender of a request, as its key shows it. */
export interface Producer {
  readonly app: string
  /** name of the key, which says which system has sent an event */
  readonly name: string
}

/**
 * Translates `POST /v1/track`: `{ anonymousId?, userId?, occurredAt?, type, data? }`, or a list of them. `type` is the
 * name of the event. Its id begins with `evt_`: the same for a request that is sent again, when the event has a time.
 */
export function trackedEvents(body: unknown, producer: Producer): Translated {
  const repetitions = new Map<string, number>()
  return {
    events: listOf(body).map((sent) => {
      if (!isObject(sent)) return new Dropped('not_an_object', rejectReasons.not_an_object)
      const { type, data } = sent
      if (type === undefined)
        return new Dropped('missing_field', 'The required field "type", the name of the event, is missing.')
      const fields = isObject(data) ? data : undefined
      return translated(sent, without(sent, 'type', 'data', 'utm'), repetitions, producer, {
        event: { type: 'custom', name: idText(type) ?? type, data: { producer: producer.name, ...fields } },
        supplement: campaignOf(sent, fields),
      })
    }),
  }
}

/** Translates `POST /v1/identify`: `{ anonymousId, userId, traits? }`, or a list of them. */
export function identifications(body: unknown, producer: Producer): Translated {
  const repetitions = new Map<string, number>()
  return {
    events: listOf(body).map((sent) => {
      if (!isObject(sent)) return new Dropped('not_an_object', rejectReasons.not_an_object)
      return translated(sent, without(sent, 'type', 'traits'), repetitions, producer, {
        event: { type: 'identify', ...defined({ data: sent['traits'] }) },
        supplement: undefined,
      })
    }),
  }
}

/** Adds the fields that both calls have in common: user, time and id. */
function translated(
  sent: Fields,
  { anonymousId, userId, occurredAt, event_id, ...rest }: Fields,
  repetitions: Map<string, number>,
  { app }: Producer,
  { event, supplement }: TranslatedEvent,
): TranslatedEvent {
  const id = occurredAt === undefined ? randomUUID() : nthId(repetitions, derivedId('track', app, sent))
  return {
    event: {
      ...rest,
      ...event,
      event_id: event_id ?? ID_PREFIX + id.replaceAll('-', ''),
      ...defined({ device_id: idText(anonymousId), user_id: idText(userId), timestamp: occurredAt }),
    },
    supplement,
  }
}

/** Reads the campaign from `utm: { source, … }`, or from `utm_…` among the other fields or in `data`. */
function campaignOf(sent: Fields, data: Fields = {}): Supplement | undefined {
  const named = isObject(sent['utm']) ? sent['utm'] : {}
  const entries = [
    ...Object.entries({ ...data, ...sent }).filter(([name]) => name.startsWith(UTM_PREFIX)),
    ...Object.entries(named).map(([name, value]) => [name.startsWith(UTM_PREFIX) ? name : UTM_PREFIX + name, value]),
  ]
  const utm = Object.fromEntries(entries.filter(([, value]) => typeof value === 'string')) as Record<string, string>
  return Object.keys(utm).length > 0 ? { utm } : undefined
}

function listOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body as unknown[]
  if (isObject(body)) return [body]
  throw new HopperError('HOP_BODY_INVALID', 'The body must be an object, or a list of objects.')
}
