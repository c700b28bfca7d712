import { HopperError, isObject, rejectReasons } from '@hopper/contracts'
import type { Translated, TranslatedEvent } from '../batch/batch.ts'
import { Dropped, type Supplement } from '../batch/incoming.ts'
import { instantOf } from '../batch/instant.ts'
import { clickIdOf } from '../source/arrival.ts'
import { defined, idText, objectOf, textOf } from './json-values.ts'
import { visitOf } from './visit.ts'

type Fields = Readonly<Record<string, unknown>>

/** Page that a message names in its context. */
interface Page {
  readonly url: string | undefined
  readonly referrer: string | undefined
}

export type SegmentKind = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias'

/** The translation of each kind of message of the Segment HTTP spec to an event. */
const kinds: Readonly<Record<SegmentKind, (message: Fields, page: Page) => Fields | Dropped>> = {
  track,
  page,
  screen,
  identify,
  group,
  alias,
}

/** Fields of Segment's clients that Hopper's own bodies of `POST /v1/track` and `/v1/identify` do not have. */
const segmentFields = ['event', 'messageId', 'context', 'sentAt', 'writeKey'] as const

/** Returns whether a body of `POST /v1/track` or `/v1/identify` is a message of a Segment client. */
export function isSegmentMessage(body: unknown): boolean {
  return isObject(body) && segmentFields.some((name) => body[name] !== undefined)
}

/** Translates the body of a call for one message, such as `POST /v1/page`. */
export function segmentCall(kind: SegmentKind, body: unknown): Translated {
  if (!isObject(body)) throw new HopperError('HOP_BODY_INVALID', `The body must be a ${kind} message.`)
  return { events: [segmentEvent({ ...body, type: kind })], sentAt: instantOf(body['sentAt']) }
}

/** Translates `POST /v1/batch`: `{ batch: [message], context?, sentAt? }`. The context holds for all messages. */
export function segmentBatch(body: unknown): Translated {
  const { batch, context, sentAt } = objectOf(body)
  if (!Array.isArray(batch))
    throw new HopperError('HOP_BODY_INVALID', 'The body must be an object like {"batch": [{"type": "track", … }]}.')
  const messages = batch.map((message: unknown) =>
    isObject(context) && isObject(message)
      ? { ...message, context: { ...context, ...objectOf(message['context']) } }
      : message,
  )
  return { events: messages.map(segmentEvent), sentAt: instantOf(sentAt) ?? lastSent(messages) }
}

/** Returns when a batch was sent that says so only in its messages, as some clients do. */
function lastSent(messages: readonly unknown[]): number | undefined {
  return messages
    .map((message) => instantOf(objectOf(message)['sentAt']))
    .reduce((last, sent) => (sent === undefined || (last !== undefined && last > sent) ? last : sent), undefined)
}

/** Returns the write key in the body of a client that cannot send a header. */
export function segmentKey(body: unknown): string | undefined {
  return textOf(objectOf(body)['writeKey'])
}

/** Translates one message of the Segment HTTP spec. */
export function segmentEvent(message: unknown): TranslatedEvent | Dropped {
  if (!isObject(message)) return new Dropped('not_an_object', rejectReasons.not_an_object)
  const { type } = message
  if (typeof type !== 'string' || !Object.hasOwn(kinds, type))
    return new Dropped('unknown_type', `The field "type" must be one of ${Object.keys(kinds).join(', ')}.`)
  const context = objectOf(message['context'])
  const { url, referrer } = objectOf(context['page'])
  const event = kinds[type as SegmentKind](message, { url: textOf(url), referrer: textOf(referrer) })
  if (event instanceof Dropped) return event
  return { event: { ...sharedFields(message, context), ...event }, supplement: visitIn(context) }
}

function sharedFields(message: Fields, context: Fields): Fields {
  const { messageId, anonymousId, userId, timestamp, originalTimestamp } = message
  return defined({
    event_id: idText(messageId),
    device_id: idText(anonymousId),
    user_id: idText(userId),
    session_id: idText(context['sessionId']),
    timestamp: timestamp ?? originalTimestamp ?? undefined,
  })
}

function visitIn(context: Fields): Supplement | undefined {
  const { url, referrer } = objectOf(context['page'])
  const { name, ...campaign } = objectOf(context['campaign'])
  const parameters = Object.entries({ campaign: name, ...campaign })
  const utm = Object.fromEntries(parameters.map(([parameter, value]) => [`utm_${parameter}`, value] as const))
  return visitOf({
    userAgent: context['userAgent'],
    referrer,
    page: url,
    utm,
    clickId: clickIdOf(textOf(url) ?? ''),
    language: context['locale'],
    screenWidth: objectOf(context['screen'])['width'],
    address: context['ip'],
  })
}

function track({ event, properties }: Fields, { url }: Page): Fields | Dropped {
  const name = idText(event)
  if (name === undefined)
    return new Dropped('missing_field', 'A track message needs "event", the name of what happened; add it.')
  return { type: 'custom', name, ...defined({ data: properties ?? undefined, current_url: url }) }
}

/**
 * A page with an address is a URL change, which has no room for a name and a category: they stay in the event as fields
 * that ingest does not know, so that the answer names them.
 */
function page({ name, category, properties }: Fields, { url, referrer }: Page): Fields {
  const data = objectOf(properties)
  const to = textOf(data['url']) ?? url
  const named = defined({ name: name ?? undefined, category: category ?? undefined })
  if (to === undefined) return { type: 'custom', name: 'page', data: { ...data, ...named } }
  return { ...named, type: 'url_change', from: textOf(data['referrer']) ?? referrer ?? '', to, elapsed_time: 0 }
}

function screen({ name, category, properties }: Fields, { url }: Page): Fields {
  const data = { ...objectOf(properties), ...defined({ name: name ?? undefined, category: category ?? undefined }) }
  return { type: 'custom', name: 'screen', data, ...defined({ current_url: url }) }
}

/** An identify message without a user states traits of a device that nobody is known to use: a custom event. */
function identify({ userId, traits, context }: Fields, { url }: Page): Fields {
  const data = defined({ data: traits ?? objectOf(context)['traits'] ?? undefined })
  if (idText(userId) !== undefined) return { type: 'identify', ...data }
  return { type: 'custom', name: 'identify', ...data, ...defined({ current_url: url }) }
}

function group({ groupId, traits }: Fields, { url }: Page): Fields | Dropped {
  const group_id = idText(groupId)
  if (group_id === undefined)
    return new Dropped('missing_field', 'A group message needs "groupId", the id of the group; add it.')
  const prefixed = Object.entries(objectOf(traits)).map(([name, value]) => [`group.${name}`, value] as const)
  const data = { group_id, ...Object.fromEntries(prefixed) }
  return { type: 'custom', name: 'group', data, ...defined({ current_url: url }) }
}

/** The former id is a device's: from here on it is the user's. */
function alias({ previousId }: Fields): Fields {
  return { type: 'identify', ...defined({ device_id: idText(previousId) }) }
}
