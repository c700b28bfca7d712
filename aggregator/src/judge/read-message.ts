import { appOfMessage, DecodeError, decodeEnvelope, type DeadLetterReason } from '@hopper/contracts'
import type { DeadLetter, LogMessage } from '@hopper/storage'
import { validateEnvelope } from './validate-envelope.ts'
import type { CountedApp, Message } from './judge.ts'

const DETAIL_CHARS_MAX = 500

/**
 * Reads a message of the log with the app that it belongs to, or returns why it cannot be counted. The aggregator and
 * every recount share this reader, so that they cannot disagree. Events that are forgotten are left out. Only the
 * message itself can make it a dead letter: an error of the app look-up is rethrown.
 */
export async function readMessage(
  { position, value }: LogMessage,
  appOf: (id: string) => Promise<CountedApp | undefined>,
): Promise<Message | DeadLetter> {
  const letter = (reason: DeadLetterReason, detail: string): DeadLetter => letterOf({ position, value }, reason, detail)
  let envelope: Message['envelope']
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

export function isCountable(read: Message | DeadLetter): read is Message {
  return 'envelope' in read
}

export function letterOf({ position, value }: LogMessage, reason: DeadLetterReason, detail: string): DeadLetter {
  return { position, value, reason, detail: detail.slice(0, DETAIL_CHARS_MAX) }
}
