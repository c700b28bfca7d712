import { randomUUID } from 'node:crypto'
import { HopperError, isObject, rejectReasons } from '@hopper/contracts'
import type { Translated, TranslatedEvent } from '../batch/batch.ts'
import { derivedId, nthId } from '../batch/derived-id.ts'
import { Dropped } from '../batch/incoming.ts'
import { defined, idText, without } from './json-values.ts'

/** Names under which the messages of a session are stored; an `EVENT` has a name of its own. */
const names = { SESSION_START: 'session_start', SESSION_END: 'session_end' } as const
const types: readonly unknown[] = ['SESSION_START', 'EVENT', 'SESSION_END']

/**
 * Translates a message of a session's socket: one object `{ type: SESSION_START | EVENT | SESSION_END, timestamp,
 * session_id?, name?, data? }`, or a list of them. Each becomes a custom event of its session, marked by
 * `data.session_message`. A message that is sent again, in whatever order, has the same ids, so it changes nothing.
 * @throws HopperError HOP_BODY_INVALID for anything but an object or a list
 */
export function sessionMessages(body: unknown, app: string, sessionId: string): Translated {
  if (!Array.isArray(body) && !isObject(body))
    throw new HopperError(
      'HOP_BODY_INVALID',
      'A message must be a list like [{"type": "EVENT", "timestamp": 1767225600000, "name": "click"}].',
    )
  const repetitions = new Map<string, number>()
  const list: readonly unknown[] = Array.isArray(body) ? body : [body]
  return { events: list.map((sent) => sessionMessage(sent, app, sessionId, repetitions)) }
}

function sessionMessage(
  sent: unknown,
  app: string,
  sessionId: string,
  repetitions: Map<string, number>,
): TranslatedEvent | Dropped {
  if (!isObject(sent)) return new Dropped('not_an_object', rejectReasons.not_an_object)
  const { type, timestamp, data } = sent
  if (!types.includes(type))
    return new Dropped('unknown_type', 'The field "type" must be SESSION_START, EVENT or SESSION_END.')
  const name = type === 'EVENT' ? sent['name'] : names[type as keyof typeof names]
  const session_id = sent['session_id'] ?? sessionId
  const content = derivedId('session', app, { ...sent, session_id })
  return {
    event: {
      ...without(sent, 'type', 'timestamp', 'session_id', 'name', 'data', 'user_id'),
      type: 'custom',
      name,
      session_id,
      event_id: sent['event_id'] ?? (timestamp === undefined ? randomUUID() : nthId(repetitions, content)),
      device_id: sent['device_id'] ?? derivedId('device of session', app, session_id),
      data: { ...(isObject(data) ? data : {}), session_message: type },
      ...defined({ timestamp, user_id: idText(sent['user_id']) }),
    },
  }
}
