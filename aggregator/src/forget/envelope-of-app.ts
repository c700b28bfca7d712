import { appOfMessage, headOf, tryDecodeEnvelope, type Envelope } from '@hopper/contracts'

/** Decodes a message if it belongs to an app; undefined for others, and for messages that cannot be decoded. */
export function envelopeOfApp(value: Uint8Array, app: string): Envelope | undefined {
  return (appOfMessage(value) ?? headOf(value).app) === app ? tryDecodeEnvelope(value) : undefined
}
