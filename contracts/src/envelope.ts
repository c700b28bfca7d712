import { eventTypes, type Event } from './event.ts'
import type { BotReason, RejectReason } from './fate.ts'

/** What ingest learned about the sender of one request. */
export interface Context {
  readonly device: 'desktop' | 'mobile' | 'tablet' | 'tv' | 'server' | 'unknown'
  readonly browser: string
  readonly os: string
  /** ISO 3166-1 alpha-2, when a database is configured */
  readonly country?: string
  readonly referrer?: string
  readonly utm?: Readonly<Record<string, string>>
  /** set when the sender is held to be a machine: its events are kept, not counted */
  readonly bot?: BotReason
}

/** An event that ingest refused; it goes into the log too, so that the count of fates is exact. */
export interface RejectedEvent {
  readonly event_id?: string
  readonly reason: RejectReason
}

/** What stands in the log: one request of one device. */
export interface Envelope {
  readonly version: 1
  readonly app: string
  readonly device_id: string
  /** the session of every event that names none; `decodeEnvelope` gives it to them */
  readonly session_id?: string
  /** ms since the epoch */
  readonly received_at: number
  readonly context: Context
  readonly events: readonly Event[]
  readonly rejected?: readonly RejectedEvent[]
  /** the body of the request, when it says the same as `events`: it stands in the log in their place, so that nothing is written out anew */
  readonly sent?: Uint8Array
}

/** An envelope as one message: JSON; or, with `sent`, a line of JSON without the events, and then the body with them. */
export function encodeEnvelope(envelope: Envelope): Buffer {
  if (envelope.sent !== undefined) return Buffer.concat([Buffer.from(headLine(envelope)), envelope.sent])
  const json = JSON.stringify(envelope)
  // Almost every envelope is plain ASCII, and copying that is much cheaper than encoding it.
  return Buffer.from(json, Buffer.byteLength(json) === json.length ? 'latin1' : 'utf8')
}

function headLine({ version, app, device_id, session_id, received_at, context }: Envelope): string {
  return `${JSON.stringify({ version, app, device_id, session_id, received_at, context })}\n`
}

/**
 * Reads a message of the log. Throws a `SyntaxError` for bytes that are no JSON and a `TypeError` for another shape or version:
 * the caller sends such a message to the dead letters.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lineEnd = message.indexOf('\n')
  const value: unknown = lineEnd === -1 ? JSON.parse(message.toString()) : { ...JSON.parse(message.toString('utf8', 0, lineEnd)), events: eventsOf(message.toString('utf8', lineEnd + 1)) }
  if (!isEnvelope(value)) throw new TypeError('not an envelope of version 1')
  const { session_id } = value
  if (session_id !== undefined) for (const event of value.events) event.session_id ??= session_id
  return value
}

/** The events of a body that was taken as it was sent; a tracker names their types by number. */
function eventsOf(body: string): Event[] {
  const { events } = JSON.parse(body) as { events: { type: number | string }[] }
  for (const event of events) if (typeof event.type === 'number') event.type = eventTypes[event.type]!
  return events as Event[]
}

function isEnvelope(value: unknown): value is Envelope {
  const e = value as Partial<Envelope> | null
  return (
    typeof e === 'object' && e !== null && e.version === 1 && typeof e.app === 'string' && typeof e.device_id === 'string' &&
    Number.isSafeInteger(e.received_at) && typeof e.context === 'object' && e.context !== null && Array.isArray(e.events)
  )
}
