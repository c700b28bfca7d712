import { isObject, type App, type Envelope, type RejectReason } from '@hopper/contracts'
import { agentOf, withAction, type Agent } from './agent.ts'
import { actionOfRules } from './ingest-rules.ts'
import { envelopesOf } from './batch/envelopes.ts'
import { Dropped, incomingOf, type Batch, type Supplement } from './batch/incoming.ts'
import { Pipeline } from './pipeline.ts'
import { Room } from './repair/changes.ts'

/** Event as `POST /v1/events` receives it, not validated yet. */
export interface OfflineEvent {
  readonly event: unknown
  readonly supplement?: Supplement | undefined
}

/** Events of one app, in order: as many as one request may have, in number and in bytes. */
export interface OfflineBatch {
  readonly app: App
  /** ms since the epoch */
  readonly receivedAt: number
  /** true for events that are brought in on purpose: they are accepted, never late */
  readonly historical: boolean
  /** `Dropped` for one that a translation has rejected */
  readonly events: readonly (OfflineEvent | Dropped)[]
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
 * Runs the same steps on events that come from files or other systems instead of HTTP. An event needs a time here: the
 * time of its receipt is not when it happened, and differs when the event comes again.
 */
export class OfflineIntake {
  readonly #pipeline = new Pipeline()

  take(offline: OfflineBatch): TakenOffline {
    const batch = batchOf(offline)
    const { events } = offline
    const incoming = events.map((each, index) => {
      if (each instanceof Dropped) return each
      return hasTime(each.event) ? incomingOf(batch, index, each.event, each.supplement) : untimed()
    })
    const results = this.#pipeline.run(incoming)
    const sent = events.map((each) => (each instanceof Dropped ? each : each.event))
    const rejected: OfflineRejection[] = []
    let changed = 0
    for (const [index, result] of results.entries()) {
      if (result instanceof Dropped) rejected.push({ index, reason: result.reason, message: result.message })
      else changed += result.changes?.total ?? 0
    }
    const agentBy = (supplement: Supplement | undefined): Agent => agentOfSupplement(offline.app, supplement)
    return { envelopes: envelopesOf(batch, sent, results, { agentOf: agentBy }), rejected, changed }
  }
}

/** Returns false for an event without a time. A value that is not an event is left to the steps, which reject it. */
function hasTime(event: unknown): boolean {
  if (!isObject(event)) return true
  const { timestamp } = event
  return timestamp !== undefined && timestamp !== null
}

function untimed(): Dropped {
  return new Dropped(
    'missing_field',
    'The event has no "timestamp"; without one it cannot be recognized when it comes again.',
  )
}

function batchOf({ app, receivedAt, historical, isUnicode, small }: OfflineBatch): Batch {
  return {
    app,
    received_at: receivedAt,
    clockBehindMs: 0,
    device_id: undefined,
    session_id: undefined,
    cookieless: false,
    deviceAt: undefined,
    historical,
    source: undefined,
    visitor: {},
    small,
    body: undefined,
    isUnicode,
    room: new Room(),
    repetitions: new Map(),
  }
}

/** Applies rules of the app about user agents and networks to events that have one; neither is stored. */
function agentOfSupplement(app: App, supplement: Supplement | undefined): Agent {
  const { userAgent, address, agent = unknownAgent } = supplement ?? {}
  // As for servers, which forward the user agent of a visitor's browser: events sent on purpose are not a bot's.
  const own = userAgent === undefined ? agent : agentOf({ userAgent, server: true, webdriver: false })
  const isKnown = userAgent !== undefined || address !== undefined
  return isKnown ? withAction(own, actionOfRules(app, { userAgent, address })) : own
}
