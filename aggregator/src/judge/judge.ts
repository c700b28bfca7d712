import {
  forgottenId,
  isOlderThanKept,
  keptFate,
  keptRules,
  ownBotReason,
  seenDateOf,
  sentIndexes,
  timeZone,
  type App,
  type Envelope,
  type Event,
  type Fate,
  type FateReason,
  type FateVerdict,
  type KeptRules,
  type StageMatcher,
  type TimeZone,
  type Visitor,
} from '@hopper/contracts'
import { placeOf, type ForgottenEvents, type IdentityChange, type Identity, type Partition } from '@hopper/storage'
import { ByPartition } from '../fold/by-partition.ts'

/** App with the matcher of its funnels' stages. Without the matcher, only stage entries that trackers report count. */
export interface CountedApp extends App {
  readonly stages?: StageMatcher
  /** the forgotten data of the app; missing when there is none */
  readonly forgotten?: ForgottenEvents | undefined
  /** generation of identities of devices without a known user, see `RetentionPart.generation`; 0 by default */
  readonly generation?: number
}

/** Decoded message of a lane, with the app that it belongs to. */
export interface Message {
  readonly position: number
  readonly envelope: Envelope
  readonly app: CountedApp
  /** true for an event of the archive: its context has the verdict about its session already */
  readonly isArchived?: true
}

/** Event with its fate. `visitor` is the owner of the event according to its place in the log. */
export interface Judged {
  readonly position: number
  /** index in the envelope */
  readonly index: number
  readonly message: Message
  readonly event: Event
  /** the app's local date of the event */
  readonly date: string
  readonly fate: Fate
  readonly reason: FateReason
  readonly visitor: Visitor
}

/** State of the lane before the batch. */
export interface Past {
  /** first position of each seen id, by `seenKey` */
  readonly firstPositions: ReadonlyMap<string, number>
  /** identities, by `deviceKey` */
  readonly identities: ReadonlyMap<string, readonly Identity[]>
  /** the ids that may occur more than once, in the batch or before it; if missing, any id may */
  readonly suspects?: ReadonlySet<string>
  /** parts of the same batch that were judged before, which are not in the store yet */
  readonly earlier?: EarlierParts
}

/** State of a lane of which nothing is known. */
export const NO_PAST: Past = { firstPositions: new Map(), identities: new Map() }

/** Ids with the partition in which they are looked up. */
export interface IdsOfPartition {
  readonly partition: Partition
  readonly ids: readonly string[]
}

/**
 * Number of linear scans over the ids of earlier parts before a set is built: nearly all ids that filters suspect are
 * new, so a set is rarely worth its cost.
 */
const SCANS_MAX = 16

/** State that the parts of a batch leave for the parts after them. */
export class EarlierParts {
  /** user of each device, by `deviceKey` */
  readonly users = new Map<string, string>()
  readonly #ids = new ByPartition(() => ({ list: [] as string[], scans: 0, set: undefined as Set<string> | undefined }))

  /** True when an earlier part contains this id of the partition. */
  has({ app, date }: Partition, id: string): boolean {
    const earlier = this.#ids.of(app, date)
    if (!earlier.set && ++earlier.scans > SCANS_MAX) earlier.set = new Set(earlier.list)
    return earlier.set ? earlier.set.has(id) : earlier.list.includes(id)
  }

  add({ users }: Judgement, ids: readonly IdsOfPartition[]): void {
    for (const [device, user] of users) this.users.set(device, user)
    for (const {
      partition: { app, date },
      ids: added,
    } of ids) {
      const { list, set } = this.#ids.of(app, date)
      for (const id of added) {
        list.push(id)
        set?.add(id)
      }
    }
  }
}

export interface Judgement {
  readonly events: readonly Judged[]
  readonly identities: readonly IdentityChange[]
  /** user of each device at the end, by `deviceKey` */
  readonly users: ReadonlyMap<string, string>
}

/** True for events that feed the tables; the others only have their fate. */
export function isCounted({ fate }: Pick<Judged, 'fate'>): boolean {
  return fate === 'accepted' || fate === 'late'
}

/**
 * True for events that are stored, and that identify a device. Bots do as well: who somebody is must not depend on a
 * verdict that can be reversed.
 */
export function isKept({ fate }: Pick<Judged, 'fate'>): boolean {
  return isCounted({ fate }) || fate === 'bot'
}

/** True for an event that is older than its app keeps events: nothing of it is stored but its fate. */
export function isExpired({ reason }: Pick<Judged, 'reason'>): boolean {
  return reason === 'expired'
}

/**
 * Returns the partition in which an event_id is looked up: the UTC date of the client's own time, which is the same
 * when the event is sent again.
 */
export function seenPartition(app: string, event: Event): Partition {
  return { app, date: seenDate(event) }
}

/** Returns the date of `seenPartition`. */
export const seenDate: (event: Event) => string = seenDateOf

export function seenKey({ app, date }: Partition, eventId: string): string {
  return `${app}\0${date}\0${eventId}`
}

/** Returns the key of a device in maps: ids of devices are unique within their app only. */
export function deviceKey(app: string, device: string): string {
  return `${app}\0${device}`
}

/**
 * Gives every event of a batch its fate and its visitor. Pure: a function of the log before each event, so a replay
 * from any earlier position, in batches of any size, gives the same result. `past` may already contain this batch
 * itself; only what precedes an event is used.
 */
export function judge(messages: readonly Message[], past: Past): Judgement {
  const events: Judged[] = []
  const identities: IdentityChange[] = []
  const seen = new ByPartition((partition) => ({ partition, ids: new Set<string>() }))
  const users = new Map<string, string>()
  const isKnown = ({ app, position }: Message, event: Event, id: string): boolean => {
    if (!(past.suspects?.has(id) ?? true)) return false
    const { partition, ids } = seen.of(app.id, seenDate(event))
    return (
      ids.has(id) ||
      (past.earlier?.has(partition, id) ?? false) ||
      (firstPosition(past, app, event, id) ?? position) < position
    )
  }
  /**
   * True for an event whose id was seen at an earlier place, as itself or as the hash that remains of a forgotten
   * event.
   */
  const isRepeated = (message: Message, event: Event): boolean => {
    const { app } = message
    const { event_id } = event
    const isForgotten = app.forgotten !== undefined && isKnown(message, event, forgottenId(app.id, event_id))
    const isSuspect = past.suspects?.has(event_id) ?? true
    if (!isSuspect) return isForgotten
    const repeated = isKnown(message, event, event_id)
    seen.of(app.id, seenDate(event)).ids.add(event_id)
    return repeated || isForgotten
  }
  for (const message of messages) {
    const { position, envelope, app } = message
    for (const { date, id, expired } of envelope.forgotten ?? []) if (!expired) seen.of(app.id, date).ids.add(id)
    const identified = (envelope.forgotten ?? []).filter(({ user_id }) => user_id !== undefined)
    const indexes = sentIndexes(envelope)
    const device = deviceKey(app.id, envelope.device_id)
    const zone = timeZone(app.timezone)
    const rules = keptRules(app)
    let user = users.get(device) ?? past.earlier?.users.get(device) ?? userBefore(past.identities.get(device), position)
    let visitor: Visitor = { user, device: envelope.device_id }
    const identify = (id: string, index: number): void => {
      if (id === user) return
      const times = (app.forgotten?.generationOf(envelope.device_id) ?? 0) + (user === '' ? (app.generation ?? 0) : 0)
      user = id
      visitor = { user, device: envelope.device_id }
      const place = placeOf(position, index)
      const generation = times > 0 ? { generation: times } : {}
      identities.push({ app: app.id, device: envelope.device_id, user, place, ...generation })
    }
    const identifyBefore = (end: number): void => {
      for (; identified[0] && identified[0].index < end; identified.shift())
        identify(identified[0].user_id!, identified[0].index)
    }
    envelope.events.forEach((event, storedIndex) => {
      const index = indexes?.[storedIndex] ?? storedIndex
      identifyBefore(index)
      const repeated = !isOlderThanKept(app, event) && isRepeated(message, event)
      const date = zone.dateOf(event.timestamp)
      const [fate, reason] = fateOf({ message, event, repeated, date, zone, rules })
      if (isKept({ fate }) && event.user_id !== undefined) identify(event.user_id, index)
      events.push({ position, index, message, event, date, fate, reason, visitor })
    })
    identifyBefore(Infinity)
    users.set(device, user)
  }
  return { events, identities, users }
}

/** Avoids building keys when the store knows no id of the batch, which is the usual case. */
function firstPosition({ firstPositions }: Past, app: App, event: Event, id: string): number | undefined {
  return firstPositions.size === 0 ? undefined : firstPositions.get(seenKey(seenPartition(app.id, event), id))
}

const duplicate: FateVerdict = ['duplicate', 'repeated_id']
const expired: FateVerdict = ['rejected', 'expired']

/** An event, and everything that decides its fate. */
interface Judging {
  readonly message: Message
  readonly event: Event
  readonly repeated: boolean
  readonly date: string
  readonly zone: TimeZone
  /** of the app */
  readonly rules: KeptRules
}

function fateOf({ message: { envelope, app, isArchived }, event, repeated, date, zone, rules }: Judging): FateVerdict {
  // Checked before duplicates: the ids of expired events are no longer stored, so a replay could not recognize
  // repetitions.
  if (isOlderThanKept(app, event)) return expired
  if (repeated) return duplicate
  const { context, received_at } = envelope
  const bot = isArchived ? context.bot : ownBotReason(context, event, rules, app)
  return keptFate({ bot, historical: context.historical, received_at, timestamp: event.timestamp, date }, zone)
}

/** Returns the user of a device before a position; '' when it was not identified yet. */
function userBefore(identities: readonly Identity[] | undefined, position: number): string {
  return identities?.findLast(({ place }) => place < placeOf(position, 0))?.user ?? ''
}
