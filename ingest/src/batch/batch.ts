import { EventsBody, HopperError, isObject, isWithin, limits, type App } from '@hopper/contracts'
import { IsBoolean } from 'typebox'
import type { ParsedBody } from '../http/body-parser.ts'
import { Changes, Room } from '../repair/changes.ts'
import { Dropped, type Batch, type Supplement } from './incoming.ts'
import { instantOf } from './instant.ts'
import { hashedId } from '../repair/repair-text.ts'
import { readSession, withoutUnstorable } from '../source/read-source.ts'

/** Batch with a valid outer shape; its events are not validated yet. */
export interface ReadBatch {
  readonly batch: Batch
  /** events as `POST /v1/events` takes them; `Dropped` for one that a translation has rejected */
  readonly sent: readonly unknown[]
  /** by index, a server's statements about an event in addition to its fields */
  readonly supplements?: readonly (Supplement | undefined)[]
  /** true when the sender reports that a program controls its browser */
  readonly webdriver: boolean
  /** changes of the body itself, outside of its events */
  readonly changes: Changes
}

/** @throws HopperError HOP_BODY_INVALID or HOP_BODY_TOO_LARGE, when no event can be read on its own */
export function readBatch(parsed: ParsedBody | undefined, app: App, received_at: number): ReadBatch {
  const body = parsed?.value
  if (!isObject(body)) throw invalid('The body must be an object like {"device_id": "…", "events": [ … ]}')
  const { sent_at, device_id, session_id, events, webdriver, historical, cookieless } = body
  if (!Array.isArray(events)) throw invalid('The field "events" must be an array')
  assertFewEvents(events.length)
  const sentAt = sent_at === undefined || sent_at === null ? received_at : instantOf(sent_at)
  if (sentAt === undefined) throw invalid('The field "sent_at" must be ms since the epoch or ISO 8601')
  const room = new Room()
  const changes = changesOf(body, room)
  const { source, visitor } = readSession(body, changes)
  const batch = {
    ...emptyBatch(parsed!, app, received_at, room),
    clockBehindMs: received_at - sentAt,
    ...(cookieless === true
      ? { cookieless, ...withoutIds({ device_id, session_id }, changes) }
      : {
          device_id: idOf('device_id', device_id, changes),
          session_id: idOf('session_id', session_id, changes),
        }),
    historical: historical === true,
    source,
    visitor,
  }
  const isExact = parsed!.exact && changes.total === 0
  const stored = isExact ? withoutUnstorable(parsed!.bytes, (body as { source?: unknown }).source, app) : undefined
  return { batch: { ...batch, body: stored }, sent: events, webdriver: webdriver === true, changes }
}

/** Body of a batch of another API, translated into events of `POST /v1/events`. */
export interface Translated {
  /** ms since the epoch by the sender's clock, when it states it */
  readonly sentAt?: number | undefined
  /** true when the sender deliberately imports events of the past */
  readonly historical?: boolean
  /** `Dropped` for one that has no meaning here */
  readonly events: readonly (TranslatedEvent | Dropped)[]
}

export interface TranslatedEvent {
  readonly event: Readonly<Record<string, unknown>>
  readonly supplement?: Supplement | undefined
}

/** Builds the batch of a translated body. @throws HopperError HOP_BODY_TOO_LARGE when it has too many events */
export function translatedBatch(
  parsed: ParsedBody,
  { sentAt, historical = false, events }: Translated,
  app: App,
  received_at: number,
): ReadBatch {
  assertFewEvents(events.length)
  const room = new Room()
  const clockBehindMs = received_at - (sentAt ?? received_at)
  const batch = { ...emptyBatch(parsed, app, received_at, room), clockBehindMs, historical }
  return {
    batch,
    sent: events.map((each) => (each instanceof Dropped ? each : each.event)),
    supplements: events.map((each) => (each instanceof Dropped ? undefined : each.supplement)),
    webdriver: false,
    changes: new Changes(room),
  }
}

function emptyBatch(parsed: ParsedBody, app: App, received_at: number, room: Room): Batch {
  return {
    app,
    received_at,
    clockBehindMs: 0,
    device_id: undefined,
    session_id: undefined,
    cookieless: false,
    deviceAt: undefined,
    historical: false,
    source: undefined,
    visitor: {},
    small: parsed.bytes.length <= limits.eventBytesMax,
    body: undefined,
    isUnicode: parsed.isUnicode,
    room,
    repetitions: new Map<string, number>(),
  }
}

function assertFewEvents(events: number): void {
  if (events > limits.eventsPerBatchMax) throw new HopperError('HOP_BODY_TOO_LARGE', `The batch has ${events} events.`)
}

const fields: ReadonlySet<string> = new Set(Object.keys(EventsBody.properties))
const flags: ReadonlySet<string> = new Set(
  Object.entries(EventsBody.properties).flatMap(([name, schema]) => (IsBoolean(schema) ? [name] : [])),
)

/** Records unknown fields, and values without meaning. */
function changesOf(body: object, room: Room): Changes {
  const changes = new Changes(room)
  changes.recordUnknown(body, fields)
  for (const name in body) {
    const value = (body as Record<string, unknown>)[name]
    if (!fields.has(name)) continue
    if (value === null) changes.record(name, 'null_value')
    else if (flags.has(name) && typeof value !== 'boolean') changes.record(name, 'wrong_type')
  }
  return changes
}

/** Removes ids from a cookieless body, and records them as changes. */
function withoutIds(ids: Readonly<Record<string, unknown>>, changes: Changes): object {
  for (const [name, value] of Object.entries(ids))
    if (value !== undefined && value !== null) changes.record(name, 'cookieless')
  return {}
}

function idOf(name: string, value: unknown, changes: Changes): string | undefined {
  if (value === undefined || value === null) return undefined
  if (isId(value)) return value
  if (typeof value !== 'string' || value.isWellFormed())
    throw invalid(`The field "${name}" must be a string of 1 to ${limits.idCharsMax} characters`)
  changes.record(name, 'hashed')
  return hashedId(value)
}

/** True when a value may serve as the id of an event, a device or a session. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && isWithin(value, limits.idCharsMax) && value.isWellFormed()
}

function invalid(message: string): HopperError {
  return new HopperError('HOP_BODY_INVALID', `${message}.`)
}
