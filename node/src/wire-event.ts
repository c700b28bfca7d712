import { randomUUID } from 'node:crypto'
import { HopperClientError } from './client-error.ts'
import type { QueuedEvent } from './event-queue.ts'

/** Owner of an event: a device or browser by `anonymousId`, a person by `userId`; at least one of them. */
interface Subject {
  readonly anonymousId?: string | undefined
  readonly userId?: string | undefined
}

interface TrackedBase extends Subject {
  /** Texts, numbers and booleans by key. Hopper flattens objects and writes lists as JSON. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** Date, ms since the epoch or ISO 8601; now by default */
  readonly occurredAt?: Date | number | string | undefined
  readonly sessionId?: string | undefined
  /** Id by which the event counts once, however often it is sent; random by default */
  readonly eventId?: string | undefined
}

/** Event to track; `type` is another word for its `name`. */
export type Tracked = TrackedBase &
  ({ readonly name: string; readonly type?: undefined } | { readonly type: string; readonly name?: undefined })

/** Properties of a person. */
export type Traits = Readonly<Record<string, unknown>>

/** States that a device is a person's from here on. */
export interface Identification extends Subject {
  readonly userId: string
  readonly traits?: Traits | undefined
  readonly occurredAt?: Date | number | string | undefined
}

const EXAMPLE = 'track({ name: "signed_up", userId: "user-42" })'

/** @throws HopperClientError `invalid_event` */
export function eventOfTracked(tracked: Tracked, now: number): QueuedEvent {
  const { name, type, data, sessionId, eventId } = fieldsOf<Tracked>(tracked)
  const eventName = name ?? type
  if (!isText(eventName)) throw invalid(`An event needs a name, as in ${EXAMPLE}`)
  return serialized({
    type: 'custom',
    event_id: eventId ?? randomUUID(),
    timestamp: instantOf(tracked.occurredAt, now),
    name: eventName,
    ...subjectOf(tracked),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(data !== undefined && { data }),
  })
}

/** @throws HopperClientError `invalid_event` */
export function eventOfIdentification(identification: Identification, now: number): QueuedEvent {
  const { userId, traits, occurredAt } = fieldsOf<Identification>(identification)
  if (!isText(userId)) throw invalid('identify needs a userId')
  return serialized({
    type: 'identify',
    event_id: randomUUID(),
    timestamp: instantOf(occurredAt, now),
    ...subjectOf(identification),
    ...(traits !== undefined && { data: traits }),
  })
}

/** Callers in JavaScript may pass anything. */
function fieldsOf<T extends object>(sent: T): T {
  if (typeof sent !== 'object' || sent === null) throw invalid(`An event is an object, as in ${EXAMPLE}`)
  return sent
}

function subjectOf({ anonymousId, userId }: Subject): { device_id?: string; user_id?: string } {
  if (!isText(anonymousId) && !isText(userId)) throw invalid('An event needs an anonymousId or a userId')
  return {
    ...(isText(anonymousId) && { device_id: anonymousId }),
    ...(isText(userId) && { user_id: userId }),
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function instantOf(occurredAt: Date | number | string | undefined, now: number): number {
  if (occurredAt === undefined) return now
  const ms = typeof occurredAt === 'number' ? Math.round(occurredAt) : new Date(occurredAt).getTime()
  if (!Number.isSafeInteger(ms)) throw invalid(`occurredAt is not a time: ${String(occurredAt).slice(0, 100)}`)
  return ms
}

/** Serializes the event at once, so that the caller may change its objects afterwards. */
function serialized(event: { readonly event_id: string } & Readonly<Record<string, unknown>>): QueuedEvent {
  try {
    const json = JSON.stringify(event)
    return { id: event.event_id, json, bytes: Buffer.byteLength(json) }
  } catch (cause) {
    throw invalid('The event cannot be written as JSON', cause)
  }
}

function invalid(message: string, cause?: unknown): HopperClientError {
  return new HopperClientError('invalid_event', `${message}; it is not sent.`, { events: 1, cause })
}
