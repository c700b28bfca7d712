import type { Incoming } from '../batch/incoming.ts'
import { Changes } from '../repair/changes.ts'

const derived = ['device_id', 'session_id'] as const

/**
 * Gives the events of a cookieless request their device. Their own device and session are left out: readers derive
 * sessions from the stored events, by pauses of 30 minutes.
 */
export function deriveDevice(incoming: Incoming): Incoming {
  const { deviceAt, room } = incoming.batch
  if (deviceAt === undefined) return incoming
  incoming.device_id = deviceAt(incoming.timestamp)
  const { device_id, session_id, ...wire } = incoming.wire
  if (device_id === undefined && session_id === undefined) return incoming
  for (const name of derived)
    if (incoming.wire[name] !== undefined) (incoming.changes ??= new Changes(room)).record(name, 'cookieless')
  incoming.wire = wire
  return incoming
}
