import { eventTypes, wireEvents, type EventType } from '@hopper/contracts'
import { Compile, type Validator } from 'typebox/compile'
import { explain } from '../field-errors.ts'
import type { Dropped, Incoming } from '../incoming.ts'

const checks = Object.fromEntries(eventTypes.map((type) => [type, Compile(wireEvents[type])])) as Record<EventType, Validator>

export function checkFields(incoming: Incoming): Incoming | Dropped {
  const check = checks[incoming.type]
  if (check.Check(incoming.wire)) return incoming
  return explain(check.Errors(incoming.wire), incoming.type)
}
