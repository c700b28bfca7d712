import { hash } from 'node:crypto'

/** A 64-bit hash as two unsigned halves, which avoids BigInt in loops. */
export interface DeviceHash {
  readonly high: number
  readonly low: number
}

/**
 * Returns the stable 64-bit hash of a device of an app: the first 8 bytes of SHA-256 (FIPS 180-4) over
 * `app NUL device_id`, big-endian.
 */
export function deviceHash(app: string, deviceId: string): DeviceHash {
  const digest = hash('sha256', `${app}\0${deviceId}`, 'buffer')
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) }
}

/**
 * Returns the lane of a device: `low half mod lanes`. It never changes, so all events of a device are in order in one
 * lane.
 */
export function laneOf(app: string, deviceId: string, lanes: number): number {
  return deviceHash(app, deviceId).low % lanes
}
