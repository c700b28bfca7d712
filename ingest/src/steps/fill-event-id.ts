import { hash } from 'node:crypto'
import { eventFields } from '@hopper/contracts'
import type { Incoming } from '../incoming.ts'

/** An event without an id gets one from its content, so that sending it again changes nothing. */
export function fillEventId(incoming: Incoming): Incoming {
  incoming.event_id = incoming.wire.event_id ?? contentId(incoming)
  return incoming
}

/** A UUID of version 8 (RFC 9562 section 5.8) from app, device and what was sent. */
function contentId({ wire, type, device_id, timestamp, client_time, batch }: Incoming): string {
  const time = wire.timestamp === undefined ? null : (client_time ?? timestamp)
  const fields = Object.keys(eventFields[type]).map((name) => wire[name])
  const content = [batch.app.id, device_id, type, time, wire.session_id ?? batch.session_id, wire.seq, wire.user_id, ...fields]
  const hex = hash('sha256', JSON.stringify(content), 'hex')
  const variant = ((parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
