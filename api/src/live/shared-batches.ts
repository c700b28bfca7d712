import type { EventLog, ForgottenEvents, LogMessage, Registry, TableReader } from '@hopper/storage'
import { putItem } from '../answers/events/put-item.ts'
import { BoundedMap } from '../query/sharing/bounded-map.ts'
import { countedEvents, type CountedEvent } from './counted-events.ts'
import { ForgottenOfApps } from './forgotten-of-apps.ts'
import { assertKept } from './kept-positions.ts'
import { ReadLimit } from './read-limit.ts'
import type { Slices } from './slices.ts'

/** Batches begin at multiples of this, so that streams at different positions soon read the same ones. */
const BATCH_MESSAGES = 512
const BATCH_BYTES = 524_288
/** Maximum bytes of cached messages, and of cached texts of events. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
const TEXT_BYTES_MAX = 32 * 1024 * 1024
const LINE_BYTES = 64
const EVENTS_PER_SLICE = 100
/** Maximum concurrent reads. The log over Kafka has 8 readers too, and other parts of the process use them as well. */
const READS_MAX = 8

/** The events that a stream sends: those that came by `PUT /events`, all that count, or also those of bots. */
export type Form = 'puts' | 'events' | 'all'

/** An event as the `data` of a Server-Sent Event. */
export interface Line {
  readonly position: number
  readonly index: number
  readonly data: string
}

/** The events of an app in some messages of a lane. */
export interface Batch {
  readonly lines: readonly Line[]
  /** the position after these messages */
  readonly next: number
}

/** The batch to read: messages of a lane from `from` on, and before `until`: everything up to there is counted. */
export interface Wanted {
  readonly form: Form
  readonly app: string
  readonly lane: number
  readonly from: number
  readonly until: number
}

/** Sources of batches. */
export interface BatchSources {
  readonly log: EventLog
  readonly reader: TableReader
  readonly registry: Registry
}

interface Messages {
  readonly messages: readonly LogMessage[]
  readonly next: number
}

/**
 * Reads the log for all streams: those that want the same batch share one read and one decoding of it. The caches are
 * bounded; a stream that has fallen behind reads the log again. Events of forgotten persons are left out, and
 * forgetting a person empties the cache.
 */
export class SharedBatches {
  readonly #log: EventLog
  readonly #reader: TableReader
  readonly #slices: Slices
  readonly #forgotten: ForgottenOfApps
  readonly #limit = new ReadLimit(READS_MAX)
  readonly #reading = new Map<string, Promise<unknown>>()
  #messages = new BoundedMap<Messages>(MESSAGE_BYTES_MAX)
  #batches = new BoundedMap<Batch>(TEXT_BYTES_MAX)

  constructor({ log, reader, registry }: BatchSources, slices: Slices) {
    this.#log = log
    this.#reader = reader
    this.#slices = slices
    this.#forgotten = new ForgottenOfApps(registry, () => this.clear())
  }

  /** Reads which events of an app are forgotten, so that a stream that begins now does not send them. */
  async refresh(app: string): Promise<void> {
    await this.#forgotten.read(app)
  }

  /** @throws HopperError HOP_EVENTS_GONE if the log no longer has the messages */
  async read(wanted: Wanted): Promise<Batch> {
    const { form, app, lane, from } = wanted
    const { events, version } = await this.#forgotten.of(app)
    const key = `${form} ${app} ${version} ${lane}/${from}`
    return this.#batches.get(key) ?? this.#once(key, () => this.#decode(key, wanted, events))
  }

  /** Empties the cache. */
  clear(): void {
    this.#messages = new BoundedMap(MESSAGE_BYTES_MAX)
    this.#batches = new BoundedMap(TEXT_BYTES_MAX)
  }

  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#reading.get(key) as Promise<T> | undefined
    if (running) return running
    const reading = work().finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
    return reading
  }

  async #decode(
    key: string,
    { form, app, lane, from, until }: Wanted,
    forgotten: ForgottenEvents | undefined,
  ): Promise<Batch> {
    const batches = this.#batches
    const { messages, next } = await this.#messagesFrom(lane, from, until)
    const events = await countedEvents(this.#reader, { lane, messages, app, forgotten }, this.#slices)
    const lines: Line[] = []
    for (let start = 0; start < events.length; start += EVENTS_PER_SLICE)
      lines.push(...(await this.#slices.run(() => linesOf(form, events.slice(start, start + EVENTS_PER_SLICE)))))
    const batch = { lines, next }
    const bytes = lines.reduce((sum, { data }) => sum + data.length * 2 + LINE_BYTES, 0)
    batches.put(key, batch, bytes)
    return batch
  }

  #messagesFrom(lane: number, from: number, until: number): Promise<Messages> {
    const key = `${lane}/${from}`
    const known = this.#messages.get(key)
    return known ? Promise.resolve(known) : this.#once(key, () => this.#readLog(key, lane, from, until))
  }

  async #readLog(key: string, lane: number, from: number, until: number): Promise<Messages> {
    const cache = this.#messages
    const limit = BATCH_MESSAGES - (from % BATCH_MESSAGES)
    const read = await this.#limit.run(() => this.#slices.run(() => this.#log.read(lane, from, limit, BATCH_BYTES)))
    if (read[0]?.position !== from) await assertKept(this.#log, [{ lane, position: from }])
    // copied, since the log may return views of much larger blocks
    const messages = read
      .filter(({ position }) => position < until)
      .map(({ position, value }) => ({ position, value: Buffer.from(value) }))
    const isWhole = messages.length === read.length && messages.length > 0
    const found = { messages, next: isWhole ? messages.at(-1)!.position + 1 : until }
    cache.put(
      key,
      found,
      messages.reduce((sum, { value }) => sum + value.length + LINE_BYTES, 0),
    )
    return found
  }
}

function linesOf(form: Form, events: readonly CountedEvent[]): Line[] {
  return events.flatMap((event) => {
    const json = textOf(form, event)
    if (json === undefined) return []
    // a payload may have line ends between its values
    return [{ position: event.position, index: event.index, data: json.replaceAll(/\r\n|\r|\n/g, '\ndata: ') }]
  })
}

function textOf(form: Form, counted: CountedEvent): string | undefined {
  const { event, fate } = counted
  if (form !== 'puts') return fate === 'bot' && form === 'events' ? undefined : JSON.stringify(viewOf(counted))
  if (event.type !== 'custom' || event.payload === undefined) return undefined
  return putItem({ ...event, payload: event.payload })
}

function viewOf({
  envelope: { device_id, context, received_at },
  event,
  fate,
  lane,
  position,
  index,
}: CountedEvent): object {
  return { ...event, device_id, context, received_at, fate, lane, position, index }
}
