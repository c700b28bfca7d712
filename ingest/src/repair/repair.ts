import { eventTypes, isObject, wireEvents, type EventType, type WireEvent } from '@hopper/contracts'
import type { TSchema } from 'typebox'
import { Changes, Room } from './changes.ts'
import type { Incoming } from '../batch/incoming.ts'
import { repairData } from './repair-data.ts'
import { repairTime } from './repair-time.ts'
import { repairValue, type RecordChange } from './repair-value.ts'

interface FieldsOfType {
  readonly schemas: Readonly<Record<string, TSchema>>
  readonly required: ReadonlySet<string>
}

const fields = ofEachType(fieldsOf)

/** Names of the fields that an event of each kind may have on the wire. */
export const wireNames = ofEachType((type): ReadonlySet<string> => new Set(Object.keys(fields[type].schemas)))

/**
 * Repairs the fields of an event that do not match its schema, as far as possible, and records each change. A required
 * field that cannot be repaired stays as it was sent: the following check explains what is wrong with it.
 */
export function repair(incoming: Incoming): void {
  const { type } = incoming
  const sent = incoming.sent as WireEvent
  const changes = (incoming.changes = new Changes(incoming.batch.room))
  const { schemas, required } = fields[type]
  const wire: WireEvent = { type }
  for (const name of Object.keys(schemas)) {
    const value = Object.hasOwn(sent, name) ? sent[name] : undefined
    if (name === 'type' || value === undefined) continue
    const record: RecordChange = (reason) => changes.record(name, reason)
    // A payload is stored as it was sent, so changes of the keys read from it lose nothing and are not recorded.
    const ofData = isPayload(incoming) ? new Changes(new Room()) : changes
    const repaired = repairField(name, value, schemas[name]!, ofData, record)
    if (repaired !== undefined) wire[name] = repaired
    else if (required.has(name)) wire[name] = value
  }
  incoming.wire = wire
}

/** Returns whether `data` has been read from a payload that is stored beside it. */
function isPayload({ supplement }: Incoming): boolean {
  return supplement?.stored?.['payload'] !== undefined
}

function repairField(name: string, value: unknown, schema: TSchema, ofData: Changes, record: RecordChange): unknown {
  if (name === 'timestamp' && value !== null) {
    // An unreadable time stays, so that the event is rejected: the time of receipt would be wrong.
    return repairTime(value, record) ?? value
  }
  if (name !== 'data') return repairValue(name, value, schema, record)
  if (value === null) return void record('null_value')
  if (!isObject(value)) return void record('wrong_type')
  return repairData(value, ofData)
}

function fieldsOf(type: EventType): FieldsOfType {
  const { properties, required } = wireEvents[type] as unknown as {
    properties: Record<string, TSchema>
    required: string[]
  }
  return { schemas: properties, required: new Set(required) }
}

function ofEachType<T>(make: (type: EventType) => T): Readonly<Record<EventType, T>> {
  return Object.fromEntries(eventTypes.map((type) => [type, make(type)])) as Record<EventType, T>
}
