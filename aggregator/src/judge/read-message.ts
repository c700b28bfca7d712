import { appOfMessage, DecodeError, decodeEnvelope, type App, type DeadLetterReason } from '@hopper/contracts'
import type { DeadLetter, LogMessage } from '@hopper/storage'
import { validateEnvelope } from './validate-envelope.ts'
import type { Message } from './judge.ts'

const DETAIL_CHARS_MAX = 500

/**
 * Reads a message of the log with the app that it belongs to, or says why it cannot be counted: the one reader of the
 * aggregator and of every recount, so that they cannot disagree. Only the message itself can make it a dead letter:
 * what the look-up of its app throws is thrown on.
 */
export async function readMessage(
  { position, value }: LogMessage,
  appOf: (id: string) => Promise<App | undefined>,
): Promise<Message | DeadLetter> {
  const bury = (reason: DeadLetterReason, detail: string): DeadLetter => letterOf({ position, value }, reason, detail)
  let envelope: Message['envelope']
  try {
    envelope = decodeEnvelope(value)
  } catch (error) {
    if (error instanceof DecodeError) return bury(error.reason, error.message)
    throw error
  }
  const app = await appOf(envelope.app)
  if (!app) return bury('unknown_app', envelope.app)
  // Whose turn a message waits for is read off its first bytes, so a message that names two apps belongs to none.
  if ((appOfMessage(value) ?? app.id) !== app.id) return bury('invalid_envelope', 'it names two apps')
  const flaw = validateEnvelope(envelope)
  return flaw === undefined ? { position, envelope, app } : bury('invalid_envelope', flaw)
}

export function isCountable(read: Message | DeadLetter): read is Message {
  return 'envelope' in read
}

export function letterOf({ position, value }: LogMessage, reason: DeadLetterReason, detail: string): DeadLetter {
  return { position, value, reason, detail: detail.slice(0, DETAIL_CHARS_MAX) }
}
