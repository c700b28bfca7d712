import { isObject, limits, withExactNumbers, type App } from '@hopper/contracts'
import { derivedId, type OfflineIntake } from '@hopper/ingest'
import type { LaneMessage, Registry, Storage } from '@hopper/storage'
import { badRecordMessage } from './bad-record.ts'

/** Message of a topic that other systems write. */
export interface ExternalMessage {
  readonly key: string | undefined
  readonly value: Uint8Array
  readonly partition: number
  readonly offset: string
  /** when the broker or the producer wrote it, ms since the epoch */
  readonly timestamp: number
}

export interface MessageParts {
  readonly log: Storage['log']
  readonly registry: Pick<Registry, 'app'>
  readonly intake: OfflineIntake
  readonly topic: string
  readonly count: (outcome: 'accepted' | 'rejected', records: number) => void
}

type Fields = Record<string, unknown>
type Bad = { readonly app: string; readonly reason: string; readonly message: string; readonly record: string }

/**
 * Accepts messages, each an event or a list of events as JSON, which name their app in `app` or in the key of the
 * message. Resolves when everything is durable; messages that are delivered again are recognized by the ids of their
 * events. A value that is not an event becomes a dead letter.
 */
export async function takeMessages(parts: MessageParts, messages: readonly ExternalMessage[]): Promise<void> {
  for (const message of messages) await takeMessage(parts, message)
}

async function takeMessage(parts: MessageParts, message: ExternalMessage): Promise<void> {
  const { log, registry, topic } = parts
  const receivedAt = Date.now()
  const place = `partition ${message.partition}, offset ${message.offset}`
  const letters: LaneMessage[] = []
  const refuse = (bad: Bad): void =>
    void letters.push(badRecordMessage({ ...bad, source: topic, place }, receivedAt, log.lanes))
  for (const [id, events] of eventsByApp(message, refuse)) {
    const app = await registry.app(id)
    if (app) await takeEvents(parts, { message, app, receivedAt, refuse }, events)
    else {
      const unknown = { app: id, reason: 'unknown_app', message: 'There is no such app.' }
      for (const event of events) refuse({ ...unknown, record: JSON.stringify(event) })
    }
  }
  parts.count('rejected', letters.length)
  if (letters.length > 0) await log.appendMessages(letters)
}

/** Returns the events of a message by app, in their order. */
function eventsByApp({ key, value }: ExternalMessage, refuse: (bad: Bad) => void): Map<string, Fields[]> {
  const events = new Map<string, Fields[]>()
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
  let parsed: unknown
  try {
    parsed = JSON.parse(withExactNumbers(text))
  } catch (error) {
    const message = `It is not JSON: ${(error as Error).message.slice(0, 100)}.`
    refuse({ app: key ?? '', reason: 'not_an_object', message, record: text })
    return events
  }
  for (const each of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
    const { app = key, ...event } = isObject(each) ? each : {}
    if (!isObject(each) || typeof app !== 'string' || app === '') {
      const message = isObject(each) ? 'Neither "app" nor the key names an app.' : 'It is not an object.'
      refuse({ app: key ?? '', reason: 'not_an_object', message, record: JSON.stringify(each) })
      continue
    }
    const existing = events.get(app)
    if (existing) existing.push(event)
    else events.set(app, [event])
  }
  return events
}

interface OfMessage {
  readonly message: ExternalMessage
  readonly app: App
  readonly receivedAt: number
  readonly refuse: (bad: Bad) => void
}

async function takeEvents(parts: MessageParts, source: OfMessage, events: readonly Fields[]): Promise<void> {
  const { log, intake, count } = parts
  const { message, app, receivedAt, refuse } = source
  const repetitions = new Map<string, number>()
  for (let first = 0; first < events.length; first += limits.eventsPerBatchMax) {
    const sent = events.slice(first, first + limits.eventsPerBatchMax)
    const identified = sent.map((event, index) => ({ event: withIdentity(event, message, first + index, repetitions) }))
    const offline = { app, receivedAt, historical: false, events: identified, isUnicode: false, small: false }
    const { envelopes, rejected } = intake.take(offline)
    const whole = envelopes.flatMap(({ rejected: _, ...envelope }) => (envelope.events.length > 0 ? [envelope] : []))
    if (whole.length > 0) await log.append(whole)
    count('accepted', sent.length - rejected.length)
    for (const { index, reason, message: why } of rejected)
      refuse({ app: app.id, reason, message: why, record: JSON.stringify(sent[index]) })
  }
}

/**
 * Gives an event a time and an id that are the same when its message comes again. The id of an event with a time is
 * derived from its content, as for HTTP, so that a producer may repeat it; that of an event without a time from its
 * place in the topic.
 */
function withIdentity(
  event: Fields,
  message: ExternalMessage,
  index: number,
  repetitions: Map<string, number>,
): Fields {
  const { event_id, timestamp } = event
  const isTimed = timestamp !== undefined && timestamp !== null
  const time = isTimed ? timestamp : message.timestamp
  if (event_id !== undefined && event_id !== null && event_id !== '') return { ...event, timestamp: time }
  const content = isTimed
    ? derivedId('record of a topic', event)
    : derivedId('place in a topic', message.partition, message.offset, index)
  const before = repetitions.get(content) ?? 0
  repetitions.set(content, before + 1)
  return { ...event, timestamp: time, event_id: before === 0 ? content : derivedId(content, before) }
}
