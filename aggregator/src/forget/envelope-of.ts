import { appOfMessage, DecodeError, decodeEnvelope, headOf, type Envelope } from '@hopper/contracts'

/** Decodes a message if it belongs to an app; undefined for others, and for messages that cannot be decoded. */
export function envelopeOf(value: Uint8Array, app: string): Envelope | undefined {
  if ((appOfMessage(value) ?? headOf(value).app) !== app) return undefined
  try {
    return decodeEnvelope(value)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
