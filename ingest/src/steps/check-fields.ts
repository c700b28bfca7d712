import { eventTypes, wireEvents, type EventType } from '@hopper/contracts'
import { Compile, type Validator } from 'typebox/compile'
import { explain } from '../http/field-errors.ts'
import type { Dropped, Incoming } from '../batch/incoming.ts'
import { repair } from '../repair/repair.ts'

const checks = Object.fromEntries(eventTypes.map((type) => [type, Compile(wireEvents[type])])) as Record<
  EventType,
  Validator
>

/**
 * Passes what the schema takes, and nearly all is such; repairs the rest, and refuses only what still is not an event
 * of its kind.
 */
export function checkFields(incoming: Incoming): Incoming | Dropped {
  const check = checks[incoming.type]
  if (incoming.batch.isUnicode && check.Check(incoming.wire)) return incoming
  if (incoming.changes === undefined) repair(incoming)
  return check.Check(incoming.wire) ? incoming : explain(check.Errors(incoming.wire), incoming.type)
}
