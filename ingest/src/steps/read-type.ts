import { eventTypes, rejectReasons, type EventType } from '@hopper/contracts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

const types: ReadonlyMap<unknown, EventType> = new Map<unknown, EventType>(
  eventTypes.flatMap((type, number) => [
    [type, type],
    [number, type],
    [String(number), type],
  ]),
)

export function readType(incoming: Incoming): Incoming | Dropped {
  const type = types.get(incoming.wire.type)
  if (type === undefined) return new Dropped('unknown_type', rejectReasons.unknown_type)
  incoming.type = type
  return incoming
}
