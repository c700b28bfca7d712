import {
  appOfMessage,
  DecodeError,
  decodeEnvelope,
  validateEnvelope,
  type App,
  type DeadLetterReason,
  type Envelope,
} from '@hopper/contracts'
import type { ForgottenEvents } from '../forgotten/forgotten-events.ts'
import type { LogMessage } from '../ports/event-log.ts'
import type { DeadLetter } from '../ports/tables.ts'

const DETAIL_CHARS_MAX = 500

/** An app and its forgotten data; missing when there is none. */
export interface ReadApp extends App {
  readonly forgotten?: ForgottenEvents | undefined
}

/** A message of the log that can be counted, with the app that it belongs to. */
export interface CountableMessage<A extends ReadApp = ReadApp> {
  readonly position: number
  readonly envelope: Envelope
  readonly app: A
}

/**
 * Reads a message of the log with the app that it belongs to, or returns why it cannot be counted. The aggregator,
 * every recount and every replay share this reader, so that they cannot disagree. Events that are forgotten are left
 * out. Only the message itself can make it a dead letter: an error of the app look-up is rethrown.
 */
export async function readMessage<A extends ReadApp>(
  { position, value }: LogMessage,
  appOf: (id: string) => Promise<A | undefined>,
): Promise<CountableMessage<A> | DeadLetter> {
  const letter = (reason: DeadLetterReason, detail: string): DeadLetter => letterOf({ position, value }, reason, detail)
  let envelope: Envelope
  try {
    envelope = decodeEnvelope(value)
  } catch (error) {
    if (error instanceof DecodeError) return letter(error.reason, error.message)
    throw error
  }
  const app = await appOf(envelope.app)
  if (!app) return letter('unknown_app', envelope.app)
  // The first bytes of a message decide with which app it is counted, so a message that names two apps belongs to none.
  if ((appOfMessage(value) ?? app.id) !== app.id) return letter('invalid_envelope', 'it names two apps')
  const flaw = validateEnvelope(envelope)
  const kept = app.forgotten?.without(position, envelope, flaw === undefined) ?? envelope
  if (flaw !== undefined && kept === envelope) return letter('invalid_envelope', flaw)
  return { position, envelope: kept, app }
}

/** Returns whether a message that was read can be counted, or is a dead letter. */
export function isCountable<A extends ReadApp>(read: CountableMessage<A> | DeadLetter): read is CountableMessage<A> {
  return 'envelope' in read
}

/** Makes a dead letter of a message; a long `detail` is cut. */
export function letterOf({ position, value }: LogMessage, reason: DeadLetterReason, detail: string): DeadLetter {
  return { position, value, reason, detail: detail.slice(0, DETAIL_CHARS_MAX) }
}
