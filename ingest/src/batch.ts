import { HopperError, limits, type App } from '@hopper/contracts'
import type { ParsedBody } from './body-parser.ts'
import type { Batch } from './incoming.ts'
import { instantOf } from './instant.ts'

/** A body of `POST /v1/events` whose outer shape is right; its events are not looked at yet. */
export interface ReadBatch {
  readonly batch: Batch
  readonly sent: readonly unknown[]
  /** the sender says that a program drives its browser */
  readonly webdriver: boolean
}

/** @throws HopperError HOP_BODY_INVALID or HOP_BODY_TOO_LARGE, when no event can be read on its own */
export function readBatch(parsed: ParsedBody | undefined, app: App, received_at: number): ReadBatch {
  const body = parsed?.value
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('The body must be an object like {"device_id": "…", "events": [ … ]}')
  const { sent_at, device_id, session_id, events, webdriver, historical } = body as Record<string, unknown>
  if (!Array.isArray(events)) throw invalid('The field "events" must be an array')
  if (events.length > limits.eventsPerBatchMax) throw new HopperError('HOP_BODY_TOO_LARGE', `The batch has ${events.length} events.`)
  const sentAt = sent_at === undefined ? received_at : instantOf(sent_at)
  if (sentAt === undefined) throw invalid('The field "sent_at" must be ms since the epoch or ISO 8601')
  const batch = {
    app,
    received_at,
    clockBehindMs: received_at - sentAt,
    device_id: idOf('device_id', device_id),
    session_id: idOf('session_id', session_id),
    historical: historical === true,
    small: parsed!.bytes.length <= limits.eventBytesMax,
    body: parsed!.exact && hasOnlyKnownFields(body) ? parsed!.bytes : undefined,
    repetitions: new Map<string, number>(),
  }
  return { batch, sent: events, webdriver: webdriver === true }
}

const fields: ReadonlySet<string> = new Set(['sent_at', 'device_id', 'session_id', 'events', 'webdriver', 'historical'])

function hasOnlyKnownFields(body: object): boolean {
  for (const name in body) if (!fields.has(name)) return false
  return true
}

function idOf(name: string, value: unknown): string | undefined {
  if (value === undefined || isId(value)) return value
  throw invalid(`The field "${name}" must be a string of 1 to ${limits.idCharsMax} characters`)
}

/** Whether a value may serve as an id of an event, a device or a session. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= limits.idCharsMax
}

function invalid(message: string): HopperError {
  return new HopperError('HOP_BODY_INVALID', `${message}.`)
}
