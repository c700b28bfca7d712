import type { App, Context, Envelope, RejectReason } from '@hopper/contracts'
import { agentOf, type Agent } from './agent.ts'
import { statedArrival } from './batch/arrival.ts'
import { envelopesOf } from './batch/envelopes.ts'
import { Dropped, incomingOf, type Batch, type Incoming } from './batch/incoming.ts'
import { Pipeline } from './pipeline.ts'
import { Room } from './repair/changes.ts'

/** What a file says of the sender of an event, beside the fields of an event. */
export interface StatedSender {
  readonly userAgent?: string
  /** used where there is no user agent */
  readonly agent?: Pick<Agent, 'device' | 'browser' | 'os'>
  /** page of another site that led to the visit */
  readonly referrer?: string
  /** campaign of the visit; names begin with `utm_` */
  readonly utm?: Readonly<Record<string, string>>
}

/** Event as `POST /v1/events` takes it, not validated yet. */
export interface OfflineEvent {
  readonly event: unknown
  readonly sender?: StatedSender | undefined
}

/** Events of one app, in order: as many as one request may have, in number and in bytes. */
export interface OfflineBatch {
  readonly app: App
  /** ms since the epoch */
  readonly receivedAt: number
  /** true for events that are brought in on purpose: they are accepted, never late */
  readonly historical: boolean
  readonly events: readonly OfflineEvent[]
  /** false when a text may contain half a surrogate pair */
  readonly isUnicode: boolean
  /** true when no event can exceed `limits.eventBytesMax` */
  readonly small: boolean
}

export interface OfflineRejection {
  /** of the event in its batch */
  readonly index: number
  readonly reason: RejectReason
  readonly message: string
}

/** Envelopes for the log. They contain rejected events as stubs, so that fates add up. */
export interface TakenOffline {
  readonly envelopes: readonly Envelope[]
  readonly rejected: readonly OfflineRejection[]
  /** values that were repaired or left out, of accepted events */
  readonly changed: number
}

const unknownAgent: Agent = { device: 'unknown', browser: 'unknown', os: 'unknown' }

/**
 * Takes events that do not come by HTTP, but in files or from other systems, through the same steps. An event needs a
 * time here: the time of its receipt says nothing about when it happened, and differs when it comes again.
 */
export class OfflineIntake {
  readonly #pipeline = new Pipeline()

  take(offline: OfflineBatch): TakenOffline {
    const batch = batchOf(offline)
    const envelopes: Envelope[] = []
    const rejected: OfflineRejection[] = []
    let changed = 0
    for (const { indices, sender } of groupsOf(offline.events)) {
      const sent = indices.map((index) => offline.events[index]!.event)
      const results = this.#run(batch, indices, sent)
      for (const [at, result] of results.entries()) {
        if (!(result instanceof Dropped)) changed += result.changes?.total ?? 0
        else rejected.push({ index: indices[at]!, reason: result.reason, message: result.message })
      }
      for (const envelope of envelopesOf(batch, sent, results, agentOfSender(sender)))
        envelopes.push(withArrival(envelope, sender))
    }
    return { envelopes, rejected: rejected.sort((a, b) => a.index - b.index), changed }
  }

  #run(batch: Batch, indices: readonly number[], sent: readonly unknown[]): (Incoming | Dropped)[] {
    const timed = sent.map(hasTime)
    const incoming = sent.flatMap((event, at) => (timed[at] ? [incomingOf(batch, indices[at]!, event)] : []))
    const results = this.#pipeline.run(incoming)
    let next = 0
    return timed.map((isTimed) => (isTimed ? results[next++]! : untimed()))
  }
}

/** Returns false for an event without a time. What is no event is rejected for that by the steps. */
function hasTime(event: unknown): boolean {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return true
  const { timestamp } = event as { timestamp?: unknown }
  return timestamp !== undefined && timestamp !== null
}

function untimed(): Dropped {
  return new Dropped(
    'missing_field',
    'The event has no "timestamp"; without one it cannot be known when it comes again.',
  )
}

function batchOf({ app, receivedAt, historical, isUnicode, small }: OfflineBatch): Batch {
  return {
    app,
    received_at: receivedAt,
    clockBehindMs: 0,
    device_id: undefined,
    session_id: undefined,
    historical,
    small,
    body: undefined,
    isUnicode,
    room: new Room(),
    repetitions: new Map(),
  }
}

interface Group {
  readonly indices: number[]
  readonly sender: StatedSender | undefined
}

/**
 * Groups events that have the same sender. Groups are in an order that keeps the events of each device in theirs: a
 * device whose sender changes goes on in a later group.
 */
function groupsOf(events: readonly OfflineEvent[]): Group[] {
  const layers: Map<string, Group>[] = []
  const devices = new Map<string, { layer: number; sender: string }>()
  for (const [index, { event, sender }] of events.entries()) {
    const key = sender === undefined ? '' : JSON.stringify(sender)
    const device = deviceKey(event)
    let found = devices.get(device)
    if (!found) devices.set(device, (found = { layer: 0, sender: key }))
    else if (found.sender !== key) {
      found.layer++
      found.sender = key
    }
    const layer = (layers[found.layer] ??= new Map<string, Group>())
    const group = layer.get(key)
    if (group) group.indices.push(index)
    else layer.set(key, { indices: [index], sender })
  }
  return layers.flatMap((layer) => [...layer.values()])
}

/** Returns the same text for events that may be of one device. */
function deviceKey(event: unknown): string {
  const { device_id, user_id } = (event ?? {}) as { device_id?: unknown; user_id?: unknown }
  return device_id === undefined || device_id === null ? `user ${String(user_id)}` : String(device_id)
}

function agentOfSender(sender: StatedSender | undefined): Agent {
  const { userAgent, agent = unknownAgent } = sender ?? {}
  // As for servers, who forward the user agent of a visitor's browser: what they send on purpose is no bot's.
  return userAgent === undefined ? agent : agentOf({ userAgent, server: true, webdriver: false })
}

function withArrival(envelope: Envelope, sender: StatedSender | undefined): Envelope {
  if (sender?.referrer === undefined && sender?.utm === undefined) return envelope
  const stated: Pick<Context, 'referrer' | 'utm'> = statedArrival(sender)
  return { ...envelope, context: { ...envelope.context, ...stated } }
}
