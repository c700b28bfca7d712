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
 * Passes events that match the schema, as nearly all do. Repairs the others, and rejects only those that still do not
 * match the schema of their type.
 */
export function checkFields(incoming: Incoming): Incoming | Dropped {
  const check = checks[incoming.type]
  if (incoming.batch.isUnicode && check.Check(incoming.wire)) return incoming
  if (incoming.changes === undefined) repair(incoming)
  return check.Check(incoming.wire) ? incoming : explain(check.Errors(incoming.wire), incoming.type)
}
