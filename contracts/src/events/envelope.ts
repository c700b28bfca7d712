import { eventTypes, type Event } from './event.ts'
import type { BotReason, BotSign, DeadLetterReason, RejectReason } from './fate.ts'
import type { ForgottenEvent } from './forgotten.ts'
import type { Channel, ClickId, ScreenClass } from './source.ts'

/**
 * Properties of the sender of one request, as determined by ingest. How the session began (channel, referrer, campaign,
 * landing page, click id) is the same for each request of it.
 */
export interface Context {
  readonly device: 'desktop' | 'mobile' | 'tablet' | 'tv' | 'server' | 'unknown'
  readonly browser: string
  readonly os: string
  /** ISO 3166-1 alpha-2; only set when a geo database is configured */
  readonly country?: string
  /** ISO 3166-2, or a name where the database has no code; only set when a geo database has it */
  readonly region?: string
  /** absent where it is not known how the session began, as for events that a server sends by itself */
  readonly channel?: Channel
  readonly referrer?: string
  /** the first page of the session */
  readonly landing_page?: string
  readonly click_id?: ClickId
  readonly utm?: Readonly<Record<string, string>>
  /** BCP 47 */
  readonly language?: string
  readonly screen?: ScreenClass
  /** set when the sender has numbered each event (`seq`): gaps in the numbers of a session are lost events */
  readonly numbered?: true
  /** set when the sender sends past events on purpose, for example an import: they are accepted, not late */
  readonly historical?: true
  /** set when the sender is classified as a bot: its events are stored but not counted */
  readonly bot?: BotReason
  /**
   * verdict of ingest about the sender; only set where `bot` differs from it, because of a rule of the app or of the
   * whole session
   */
  readonly bot_sign?: BotSign
}

/** An event that ingest rejected. It is written to the log too, so that the counts of fates are exact. */
export interface RejectedEvent {
  readonly event_id?: string
  readonly reason: RejectReason
}

/** A message of the log: the events of one device from one request. */
export interface Envelope {
  readonly version: 1
  readonly app: string
  readonly device_id: string
  /** the session of every event without one of its own; `decodeEnvelope` copies it into them */
  readonly session_id?: string
  /** ms since the epoch */
  readonly received_at: number
  readonly context: Context
  readonly events: readonly Event[]
  readonly rejected?: readonly RejectedEvent[]
  /** hashes that remain of events removed from the message, ascending by index */
  readonly forgotten?: readonly ForgottenEvent[]
  /**
   * the body of the request, when it is equivalent to `events`: it is written to the log in their place, which saves
   * serializing them again
   */
  readonly sent?: Uint8Array
}

/**
 * Encodes an envelope as one message: JSON or, with `sent`, a line of JSON without the events followed by the request
 * body, which contains them.
 */
export function encodeEnvelope(envelope: Envelope): Buffer {
  if (envelope.sent !== undefined) return Buffer.concat([Buffer.from(headLine(envelope)), envelope.sent])
  const json = JSON.stringify(envelope)
  // Almost every envelope is pure ASCII, and copying it as latin1 is much cheaper than encoding UTF-8.
  return Buffer.from(json, Buffer.byteLength(json) === json.length ? 'latin1' : 'utf8')
}

function headLine({ version, app, device_id, session_id, received_at, context }: Envelope): string {
  return `${JSON.stringify({ version, app, device_id, session_id, received_at, context })}\n`
}

const BEFORE_APP = Buffer.from('{"version":1,"app":"')
const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/**
 * Returns the app of a message without parsing its events: parsing is most of the cost of counting them. Returns
 * undefined for a message that does not begin the way `encodeEnvelope` writes it, and for an app whose name contains an
 * escaped character.
 */
export function appOfMessage(bytes: Uint8Array): string | undefined {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const begin = BEFORE_APP.length
  if (message.length <= begin || message.compare(BEFORE_APP, 0, begin, 0, begin) !== 0) return undefined
  for (let end = begin; end < message.length && message[end] !== BACKSLASH; end++) {
    if (message[end] === QUOTE) return message.toString('utf8', begin, end)
  }
  return undefined
}

/** The header fields of a message, as far as they are readable. */
export interface MessageHead {
  readonly app?: string
  /** ms since the epoch */
  readonly received_at?: number
}

/**
 * Reads the app and the receive time of a message, from its first line or else from the whole message. Returns neither
 * if it is not JSON.
 */
export function headOf(bytes: Uint8Array): MessageHead {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lineEnd = message.indexOf('\n')
  const line = lineEnd === -1 ? undefined : objectOf(message.toString('utf8', 0, lineEnd))
  const { app, received_at } = line ?? objectOf(message.toString()) ?? {}
  return {
    ...(typeof app === 'string' ? { app } : {}),
    ...(Number.isSafeInteger(received_at) ? { received_at: received_at as number } : {}),
  }
}

/** Parses a JSON object. A message may contain anything: returns undefined for text that is not a JSON object. */
function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

/** Thrown for a log message that is not an envelope. Any other error while decoding is not caused by the message. */
export class DecodeError extends Error {
  readonly reason: Extract<DeadLetterReason, 'undecodable' | 'unknown_version' | 'invalid_envelope'>

  constructor(reason: DecodeError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DecodeError'
    this.reason = reason
  }
}

/**
 * Decodes a message of the log.
 * @throws DecodeError for bytes that are not JSON (`undecodable`), another version (`unknown_version`) or another shape
 * (`invalid_envelope`)
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lineEnd = message.indexOf('\n')
  const value = lineEnd === -1 ? parse(message.toString()) : decodeWithBody(message, lineEnd)
  if ((value as Partial<Envelope> | null)?.version !== 1)
    throw new DecodeError('unknown_version', 'not an envelope of version 1')
  if (!isEnvelope(value)) throw new DecodeError('invalid_envelope', 'its fields have wrong types')
  const { session_id } = value
  if (session_id !== undefined) for (const event of value.events) event.session_id ??= session_id
  return value
}

/** Decodes a message of the log; undefined for one that is not an envelope. */
export function tryDecodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  try {
    return decodeEnvelope(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new DecodeError('undecodable', cause.message, { cause })
    throw cause
  }
}

/**
 * Decodes a message that is a line of JSON followed by an unmodified request body. The tracker sends event types as
 * numbers; they are replaced by their names.
 */
function decodeWithBody(message: Buffer, lineEnd: number): object {
  const head = parse(message.toString('utf8', 0, lineEnd)) as object
  const body = parse(message.toString('utf8', lineEnd + 1)) as { events?: unknown } | null
  const events = body?.events
  if (!isObjects(events)) throw new DecodeError('invalid_envelope', 'its body has no list of events')
  for (const event of events) if (typeof event.type === 'number') event.type = eventTypes[event.type]
  return { ...head, events }
}

function isEnvelope(value: unknown): value is Envelope {
  const e = value as Partial<Envelope>
  return (
    typeof e.app === 'string' &&
    typeof e.device_id === 'string' &&
    Number.isSafeInteger(e.received_at) &&
    typeof e.context === 'object' &&
    e.context !== null &&
    isObjects(e.events)
  )
}

function isObjects(value: unknown): value is { type?: unknown }[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'object' && each !== null)
}
