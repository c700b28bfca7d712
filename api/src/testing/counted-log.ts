import { laneOf, type ArchivedEvent, type Context, type Envelope, type Event } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import type { Appended, Storage } from '@hopper/storage'

/** A message of the log: the events of one device from one request. */
export interface Sent {
  readonly device: string
  /** ms since the epoch */
  readonly received_at: number
  readonly events: readonly Event[]
  /** what becomes of its events; default: accepted */
  readonly fate?: 'accepted' | 'late' | 'bot'
  /** context that ingest has determined, in addition to the default */
  readonly context?: Partial<Context>
  /** the user in effect */
  readonly user?: string
}

type CountedRow = ArchivedEvent & Appended & { readonly date: string; readonly fate: NonNullable<Sent['fate']> }

/** Appends events to the log and counts them as the aggregator does: ids seen, archived, the position committed. */
export class CountedLog {
  readonly #storage: Storage
  readonly #seen = new Set<string>()

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Appends messages, all of them in order, then counts them. */
  async add(app: string, sent: readonly Sent[]): Promise<void> {
    const appended = await this.append(app, sent)
    await this.count(app, sent, appended)
  }

  append(app: string, sent: readonly Sent[]): Promise<readonly Appended[]> {
    return this.#storage.log.append(sent.map((each) => envelopeOf(app, each)))
  }

  /** Counts messages that were appended at these places. */
  async count(app: string, sent: readonly Sent[], appended: readonly Appended[]): Promise<void> {
    const rows = sent.flatMap((each, index) => this.#fresh(app, each, appended[index]!))
    for (const [lane, places] of Map.groupBy(appended, ({ lane }) => lane)) {
      const selected = rows.filter((row) => row.lane === lane)
      const positions = places.map(({ position }) => position)
      await this.#countLane(app, lane, selected, Math.min(...positions), Math.max(...positions))
    }
  }

  #fresh(app: string, sent: Sent, appended: Appended): CountedRow[] {
    const { device, received_at, events, fate = 'accepted', user = '' } = sent
    const { context } = envelopeOf(app, sent)
    return events.flatMap((event, index) => {
      const date = new Date(event.client_time ?? event.timestamp).toISOString().slice(0, 10)
      const id = `${app}/${appended.lane}/${date}/${event.event_id}`
      if (this.#seen.has(id)) return []
      this.#seen.add(id)
      return [{ event, device_id: device, user, context, received_at, index, date, fate, ...appended }]
    })
  }

  async #countLane(app: string, lane: number, rows: readonly CountedRow[], first: number, last: number): Promise<void> {
    const { lanes, archive, writer } = this.#storage
    const lease = await lanes.acquire(lane, 'test')
    for (const [date, group] of Map.groupBy(rows, (row) => row.date)) {
      const cover = { app, date, lane, first_position: first, last_position: last }
      await archive!.append(lease, encodeChunks(group, cover))
      const ids = group.map(({ event: { event_id }, position, fate }) => ({ event_id, position, fate, reason: 'new' }))
      await writer.apply(lease, {
        lane,
        counters: [],
        visitors: [],
        seen: [{ app, date, rows: ids as never }],
        identities: [],
        sessions: sessionsOf(app, group),
        deadLetters: [],
      })
    }
    await lanes.commit(lease, last + 1)
    await lanes.release(lease)
  }
}

/** Returns a device of a lane, different for each number. */
export function deviceIn(app: string, lane: number, lanes: number, number = 0): string {
  for (let i = 0; ; i++) {
    const device = `d${number}-${i}`
    if (laneOf(app, device, lanes) === lane) return device
  }
}

/** Builds an event as `PUT /events` makes it. */
export function putEvent(event_id: string, payload: string, timestamp: number, timestamp_ns?: string): Event {
  return {
    type: 'custom',
    name: 'order placed',
    event_id,
    timestamp,
    seq: 0,
    payload,
    ...(timestamp_ns === undefined ? {} : { timestamp_ns }),
  }
}

/** Builds an event as a tracker sends it. */
export function ownEvent(event_id: string, timestamp: number, more: Partial<Event> = {}): Event {
  return { type: 'custom', name: 'test', event_id, timestamp, seq: 0, ...more } as Event
}

function envelopeOf(app: string, { device, received_at, events, fate, context }: Sent): Envelope {
  return {
    version: 1,
    app,
    device_id: device,
    received_at,
    context: {
      device: 'server',
      browser: '',
      os: '',
      ...(fate === 'bot' && { bot: 'user_agent' as const }),
      ...context,
    },
    events,
  }
}

function sessionsOf(app: string, rows: readonly CountedRow[]): Parameters<Storage['writer']['apply']>[1]['sessions'] {
  return rows.flatMap(({ event: { session_id, timestamp }, device_id, position, fate }) =>
    session_id === undefined || fate === 'bot'
      ? []
      : [
          {
            app,
            session_id,
            start: timestamp,
            end: timestamp,
            device: device_id,
            user: '',
            first_position: position,
            last_position: position,
          },
        ],
  )
}
