import { rejectReasons } from '@hopper/contracts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

export function rejectNonObject(incoming: Incoming): Incoming | Dropped {
  const sent: unknown = incoming.wire
  if (typeof sent === 'object' && sent !== null && !Array.isArray(sent)) return incoming
  return new Dropped('not_an_object', rejectReasons.not_an_object)
}
