import { rejectReasons } from '@hopper/contracts'
import { Dropped, type Incoming } from '../incoming.ts'

export function requireDevice(incoming: Incoming): Incoming | Dropped {
  const device = incoming.wire.device_id ?? incoming.batch.device_id
  if (device === undefined) return new Dropped('no_device', `${rejectReasons.no_device} Name one in either.`)
  incoming.device_id = device
  return incoming
}
