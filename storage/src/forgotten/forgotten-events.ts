import {
  deviceDigest,
  forgottenId,
  INSTANT_MS_MAX,
  personDigest,
  seenDateOf,
  sentIndexes,
  type Envelope,
  type Event,
  type Forget,
  type ForgetPart,
  type ForgottenEvent,
  type PlaceRange,
} from '@hopper/contracts'
import type { Registry } from '../ports/registry.ts'
import { placeOf } from '../ports/tables.ts'

/** The forgotten ranges of a device, by all requests together. */
interface ForgottenOfDevice {
  readonly ranges: PlaceRange[]
  /** number of requests */
  times: number
  /** position from which on messages are judged by the time of their receipt */
  mark: number
  /** messages from the mark on that were received before this are forgotten as a whole (ms) */
  wholeBefore: number
  /** digests of users, with the time before which their events are forgotten */
  readonly users: Map<string, number>
}

/**
 * Events of an app that are forgotten. Every reader of the log filters by it, so that a message in Kafka, in a dump or
 * among the dead letters counts as if these events had never been in it.
 *
 * Up to the mark of a lane the places of the forgotten events are known. A message that comes to the log later, but was
 * received before the request (from a spool, a dump or a dead letter), is judged by that time.
 */
export class ForgottenEvents {
  readonly #app: string
  readonly #devices: ReadonlyMap<string, ForgottenOfDevice>
  /** messages from this position on, if received at or after this time, contain no forgotten events */
  readonly #mark: number
  readonly #before: number

  private constructor(app: string, devices: ReadonlyMap<string, ForgottenOfDevice>, mark: number, before: number) {
    this.#app = app
    this.#devices = devices
    this.#mark = mark
    this.#before = before
  }

  /** Returns undefined while no lane has decided which events it forgets. */
  static of(app: string, forgets: readonly Forget[], parts: readonly ForgetPart[]): ForgottenEvents | undefined {
    const byId = new Map(forgets.map((forget) => [forget.id, forget]))
    const devices = new Map<string, ForgottenOfDevice>()
    let [lastMark, lastBefore] = [0, 0]
    for (const { forget, mark, requested_at, devices: own, repeated = [] } of parts) {
      if (mark === undefined) continue
      const { kind, digest } = byId.get(forget) ?? {}
      lastMark = Math.max(lastMark, mark)
      lastBefore = Math.max(lastBefore, requested_at)
      const named = new Set(own.map(({ device }) => device))
      for (const { device, whole, ranges } of [...own, ...repeated]) {
        const nothing = { ranges: [], times: 0, mark: 0, wholeBefore: 0, users: new Map<string, number>() }
        const found: ForgottenOfDevice = devices.get(device) ?? nothing
        devices.set(device, found)
        if (named.delete(device)) found.times++
        found.ranges.push(...ranges)
        found.mark = Math.max(found.mark, mark)
        if (whole) found.wholeBefore = Math.max(found.wholeBefore, requested_at)
        if (kind === 'user' && digest !== undefined)
          found.users.set(digest, Math.max(found.users.get(digest) ?? 0, requested_at))
        lastMark = ranges.reduce((last, [, to]) => Math.max(last, Math.ceil(to / placeOf(1, 0))), lastMark)
      }
    }
    return lastMark === 0 && devices.size === 0 ? undefined : new ForgottenEvents(app, devices, lastMark, lastBefore)
  }

  /** Reads the forgotten data of an app from the registry; undefined when there is none. */
  static async read(registry: Registry, app: string): Promise<ForgottenEvents | undefined> {
    const parts = await registry.forgetParts.list(app)
    return parts.length === 0 ? undefined : ForgottenEvents.of(app, await registry.forgets.list(app), parts)
  }

  /** Returns how often events of a device were forgotten. */
  generationOf(device: string): number {
    return this.#devices.get(deviceDigest(this.#app, device))?.times ?? 0
  }

  /** Returns whether a message is of a device with forgotten events, and came before they were forgotten. */
  concerns(envelope: Envelope): boolean {
    return envelope.received_at < this.#before && this.knows(envelope)
  }

  /** Returns whether a message is of a device with forgotten events. */
  knows({ device_id }: Pick<Envelope, 'device_id'>): boolean {
    return this.#devices.has(deviceDigest(this.#app, device_id))
  }

  /**
   * Returns the message without its forgotten events; the message itself when there are none. An invalid message counts
   * nowhere, so it is removed as a whole if any event of it is forgotten.
   */
  without(position: number, envelope: Envelope, isValid: boolean): Envelope {
    if (position >= this.#mark && envelope.received_at >= this.#before) return envelope
    const existing = this.#devices.get(deviceDigest(this.#app, envelope.device_id))
    if (!existing) return envelope
    const indexes = sentIndexes(envelope)
    const isGone = this.#isGone(existing, position, envelope)
    const gone = envelope.events.map((event, index) => isGone(event, indexes?.[index] ?? index))
    const isHeadGone = isGone(undefined, 0)
    const hasMore = envelope.events.length > 0
    if (!gone.includes(true) && !(isHeadGone && (!hasMore || (envelope.rejected ?? []).length > 0))) return envelope
    return isValid ? withoutEvents(envelope, (_, index) => gone[index]!, isHeadGone) : emptied(envelope)
  }

  /**
   * Returns whether an event is forgotten. With `undefined`: whether the refused events of the message are, which
   * belong to the person that had the device before its first event. Must be called in order.
   */
  #isGone(
    { ranges, mark, wholeBefore, users }: ForgottenOfDevice,
    position: number,
    { received_at }: Envelope,
  ): (event: Event | undefined, index: number) => boolean {
    const isWhole = position >= mark && received_at < wholeBefore
    let isOfUser = false
    return (event, index) => {
      const place = event === undefined ? Math.max(0, placeOf(position, 0) - 1) : placeOf(position, index)
      if (isWhole || ranges.some(([from, to]) => from <= place && place < to)) return true
      if (position < mark || event === undefined) return false
      if (event.user_id !== undefined)
        isOfUser = received_at < (users.get(personDigest(this.#app, 'user', event.user_id)) ?? 0)
      return isOfUser
    }
  }
}

/**
 * Returns a message without some of its events, of which an index and a hash remain, and without the events that ingest
 * refused of it if `isHeadGone`. A message without anything else loses its device and its context too.
 */
export function withoutEvents(
  envelope: Envelope,
  isGone: (event: Event, index: number) => boolean,
  isHeadGone: boolean,
): Envelope {
  const { version, app, device_id, received_at, context, rejected } = envelope
  const indexes = sentIndexes(envelope)
  const removed: ForgottenEvent[] = [...(envelope.forgotten ?? [])]
  const events = envelope.events.filter((event, index) => {
    if (!isGone(event, index)) return true
    const { event_id } = event
    removed.push({ index: indexes?.[index] ?? index, id: forgottenId(app, event_id), date: seenDateOf(event) })
    return false
  })
  const forgotten = removed.sort((a, b) => a.index - b.index)
  const kept = isHeadGone || rejected === undefined ? {} : { rejected }
  const what = { events, ...kept, ...(forgotten.length > 0 ? { forgotten } : {}) }
  if (events.length > 0 || (kept.rejected ?? []).length > 0)
    return { version, app, device_id, received_at, context, ...what }
  return { ...emptied(envelope), ...what }
}

/** A message of which only the time of receipt is left. */
export function emptied({ version, app, received_at }: Envelope): Envelope {
  const context = { device: 'unknown', browser: '', os: '' } as const
  const isInCalendar = Math.abs(received_at) <= INSTANT_MS_MAX
  return { version, app, device_id: '', received_at: isInCalendar ? received_at : 0, context, events: [] }
}
