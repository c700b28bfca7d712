import { rejectReasons } from '@hopper/contracts'
import { derivedId } from '../batch/derived-id.ts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

/**
 * Requires a device id. A user that is known by `user_id` alone, as a server sends it, gets a derived device, always
 * the same. That of a cookieless event is derived later, from its time.
 */
export function requireDevice(incoming: Incoming): Incoming | Dropped {
  const { wire, batch } = incoming
  if (batch.deviceAt !== undefined) return incoming
  const device = wire.device_id ?? batch.device_id ?? deviceOfUser(batch.app.id, wire.user_id)
  if (device === undefined)
    return new Dropped('no_device', `${rejectReasons.no_device} Name one in either, or a user_id.`)
  incoming.device_id = device
  return incoming
}

function deviceOfUser(app: string, user: string | undefined): string | undefined {
  return user === undefined ? undefined : derivedId('device of user', app, user)
}
