import { createHmac } from 'node:crypto'
import { utcDayOf, type Salts } from './daily-salts.ts'
import { visitorAddress } from './visitor-address.ts'

/** Inputs that distinguish visitors of a site without anything stored in the browser. */
export interface CookielessSender {
  readonly app: string
  /** of the client in the network; it goes into a hash and is neither stored nor logged */
  readonly address: string
  readonly userAgent: string
}

/**
 * Returns a function from the time of an event (ms since the epoch) to its device: a hash of the sender with the salt
 * of the event's UTC day, so that an event has the same device whenever it is delivered, and counts once. Salts exist
 * for yesterday and today; events of other days get the device of the day on which they were received.
 */
export function cookielessDevices(
  salts: Salts,
  { app, address, userAgent }: CookielessSender,
  receivedAt: number,
): (timestamp: number) => string {
  const sender = JSON.stringify([app, visitorAddress(address), userAgent])
  const devices = new Map<number, string>()
  return (timestamp) => {
    const dayOfEvent = utcDayOf(timestamp)
    const day = salts.has(dayOfEvent) ? dayOfEvent : utcDayOf(receivedAt)
    let device = devices.get(day)
    if (device === undefined) devices.set(day, (device = uuidOf(hmac(salts.get(day)!, sender))))
    return device
  }
}

function hmac(salt: Uint8Array, text: string): Buffer {
  return createHmac('sha256', salt).update(text).digest()
}

/** Returns the first bytes of a hash as a UUID of version 8 (RFC 9562 section 5.8). */
function uuidOf(hash: Buffer): string {
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
