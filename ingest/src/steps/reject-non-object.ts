import { isObject, rejectReasons } from '@hopper/contracts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

export function rejectNonObject(incoming: Incoming): Incoming | Dropped {
  if (isObject(incoming.wire)) return incoming
  return new Dropped('not_an_object', rejectReasons.not_an_object)
}
