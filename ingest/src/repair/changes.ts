import { limits, nearName, type ChangeReason, type EventChange } from '@hopper/contracts'

export type Change = Omit<EventChange, 'index'>

const PATH_CHARS_MAX = 100
/** Names of our fields in other products. */
const otherNames: Readonly<Record<string, string>> = {
  ts: 'timestamp',
  date: 'timestamp',
  occurred_at: 'timestamp',
  occurredAt: 'timestamp',
  created_at: 'timestamp',
  originalTimestamp: 'timestamp',
  properties: 'data',
  props: 'data',
  params: 'data',
  attributes: 'data',
  payload: 'data',
  traits: 'data',
  metadata: 'data',
  id: 'event_id',
  messageId: 'event_id',
  message_id: 'event_id',
  event: 'name',
  event_name: 'name',
  eventName: 'name',
  action: 'name',
  anonymousId: 'device_id',
  anonymous_id: 'device_id',
  distinct_id: 'device_id',
  client_id: 'device_id',
  visitor_id: 'device_id',
  uid: 'user_id',
  user: 'user_id',
  sid: 'session_id',
  url: 'current_url',
  page: 'current_url',
  referrer: 'from',
  xpath: 'target',
  duration: 'elapsed_time',
  elapsed: 'elapsed_time',
  batch: 'events',
  sentAt: 'sent_at',
}

/**
 * Bounds the changes that are listed for one request. Some of them may belong to events that are rejected later, and
 * are then missing in the answer.
 */
export class Room {
  left = 10 * limits.changesNamedMax
}

/**
 * Changes of one event, or of a body: the first few in detail, as long as the request has room, and the number of all.
 */
export class Changes {
  readonly named: Change[] = []
  total = 0
  readonly #room: Room

  constructor(room: Room) {
    this.#room = room
  }

  get #hasRoom(): boolean {
    return this.#room.left > 0 && this.named.length < limits.changesNamedMax
  }

  record(path: string, reason: ChangeReason, meant?: string): void {
    this.total++
    if (!this.#hasRoom) return
    this.#room.left--
    const change = { path: path.slice(0, PATH_CHARS_MAX).toWellFormed(), reason }
    this.named.push(meant === undefined ? change : { ...change, did_you_mean: meant })
  }

  /** Records the fields that were sent and are unknown. */
  recordUnknown(sent: object, known: ReadonlySet<string>): void {
    for (const name in sent) {
      if (known.has(name)) continue
      const meant = this.#hasRoom ? meantBy(name, known) : undefined
      this.record(name, 'unknown_field', meant)
    }
  }
}

const MEANT_MAX = 1_000
/** Names longer than this are not remembered; `nearName` passes over them quickly. */
const MEANT_CHARS_MAX = 64
/** Suggestions for unknown names, by the known ones; cached, because a sender repeats its own with each event. */
const meantOf = new WeakMap<ReadonlySet<string>, Map<string, string | undefined>>()

function meantBy(name: string, known: ReadonlySet<string>): string | undefined {
  if (name.length > MEANT_CHARS_MAX) return findMeant(name, known)
  let remembered = meantOf.get(known)
  if (!remembered) meantOf.set(known, (remembered = new Map<string, string | undefined>()))
  if (remembered.has(name)) return remembered.get(name)
  if (remembered.size >= MEANT_MAX) remembered.clear()
  const meant = findMeant(name, known)
  remembered.set(name, meant)
  return meant
}

function findMeant(name: string, known: ReadonlySet<string>): string | undefined {
  const meant = Object.hasOwn(otherNames, name) ? otherNames[name]! : undefined
  if (meant !== undefined && known.has(meant)) return meant
  return nearName(name, [...known])
}
