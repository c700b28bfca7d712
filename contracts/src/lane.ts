import { hash } from 'node:crypto'

/** A 64-bit hash in two unsigned halves, so that no loop needs a BigInt. */
export interface DeviceHash {
  readonly high: number
  readonly low: number
}

/**
 * The stable 64-bit hash of a device of an app: the first 8 bytes of SHA-256 (FIPS 180-4) over `app NUL device_id`,
 * big-endian.
 */
export function deviceHash(app: string, deviceId: string): DeviceHash {
  const digest = hash('sha256', `${app}\0${deviceId}`, 'buffer')
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) }
}

/** The lane of a device: `low half mod lanes`. Everything about one device is in one lane, in order, for ever. */
export function laneOf(app: string, deviceId: string, lanes: number): number {
  return deviceHash(app, deviceId).low % lanes
}
