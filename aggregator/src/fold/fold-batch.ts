import { pageOf, receivedFrom, timeZone, utcDate, type App, type PageRule, type TimeZone } from '@hopper/contracts'
import type { CounterPartition, IdentityChange, LaneBatch, Partition } from '@hopper/storage'
import { ByPartition } from './by-partition.ts'
import { CounterRows } from './counter-rows.ts'
import { DateFold } from './date-fold.ts'
import { SeenFold } from './fold-seen.ts'
import { SessionFold } from './fold-sessions.ts'
import { isCounted, type Judged, type Judgement, type Message } from '../judge/judge.ts'
import { counterFolds } from '../tables/all.ts'

/** Returns the watermark of a counter partition: positions up to it are counted there. */
export type AppliedOf = (partition: CounterPartition) => number

/** Result of a fold, without the lane and the dead letters. */
export type Folded = Omit<LaneBatch, 'lane' | 'deadLetters'>

/** Lists every counter partition that a batch may touch: all tables of each app and date in it. */
export function touchedPartitions(messages: readonly Message[], { events }: Judgement): CounterPartition[] {
  const received = new Map<string, CounterPartition>()
  const dates = new Map<string, Partition>()
  for (const {
    envelope: { app, received_at },
  } of messages) {
    const date = utcDate(received_at)
    received.set(`${app}\0${date}`, { table: 'fates_by_date', app, date })
  }
  let last: Judged | undefined
  for (const judged of events) {
    if (!isCounted(judged)) continue
    if (judged.date === last?.date && judged.message.app === last.message.app) continue
    last = judged
    const {
      date,
      message: {
        app: { id: app },
      },
    } = judged
    dates.set(`${app}\0${date}`, { app, date })
  }
  return [
    ...received.values(),
    ...[...dates.values()].flatMap((partition) => counterFolds.map(({ table }) => ({ table, ...partition }))),
  ]
}

/** Folds a judged batch as if nothing was counted before. Pure. */
export function foldBatch(messages: readonly Message[], judgement: Pick<Judgement, 'events' | 'identities'>): Folded {
  const fold = new BatchFold(() => -1)
  fold.add(messages, judgement)
  return fold.changes(messages.at(-1)?.position ?? -1)
}

/**
 * Folds a judged batch, part by part, into one change per partition. Events up to the watermark of a partition add
 * nothing to it, so a batch that is delivered again, as a whole or in part, adds only what is missing.
 */
export class BatchFold {
  readonly #appliedOf: AppliedOf
  readonly #skipsApplied: boolean
  readonly #fates = new ByPartition(({ app, date }) => this.#rowsOf({ table: 'fates_by_date', app, date }))
  readonly #dates = new ByPartition(
    (partition) => new DateFold(partition, (table) => this.#rowsOf({ table, ...partition })),
  )
  readonly #pages = new Map<string, (url: string) => string>()
  readonly #seen = new SeenFold()
  readonly #sessions = new SessionFold()
  readonly #identities: IdentityChange[] = []

  /** `skip` is false only in the control of the fault test: events are then counted again. */
  constructor(appliedOf: AppliedOf, skip = true) {
    this.#appliedOf = appliedOf
    this.#skipsApplied = skip
  }

  /** Adds messages with the judgement of their events. `appliedOf` must know all partitions that they touch. */
  add(messages: readonly Message[], { events, identities }: Pick<Judgement, 'events' | 'identities'>): void {
    this.#addFates(messages, events)
    this.#addCounted(events)
    this.#seen.addForgotten(messages)
    this.#seen.add(messages, events)
    this.#sessions.add(events)
    this.#identities.push(...identities)
  }

  /** Number of (app, date) pairs with events. */
  get dates(): number {
    return this.#dates.size
  }

  /** Returns the changes up to position `last`, the last of the batch. */
  changes(last: number): Folded {
    const dates = this.#dates.values()
    return {
      counters: [...this.#fates.values(), ...dates.flatMap(({ counters }) => counters)].flatMap((rows) =>
        rows.changes(last),
      ),
      visitors: dates.flatMap(({ visitors }) => visitors.flatMap((rows) => rows.changes())),
      seen: this.#seen.changes(),
      identities: this.#identities,
      sessions: this.#sessions.changes(),
    }
  }

  /** Every event has a fate, including those that ingest rejected. */
  #addFates(messages: readonly Message[], events: readonly Judged[]): void {
    for (let first = 0, next = 0; first < events.length; first = next) {
      const { message, fate, reason } = events[first]!
      for (next = first + 1; next < events.length; next++)
        if (events[next]!.message !== message || events[next]!.reason !== reason || events[next]!.fate !== fate) break
      this.#addFate(message, fate, reason, next - first)
    }
    for (const message of messages) {
      for (const { reason } of message.envelope.rejected ?? []) this.#addFate(message, 'rejected', reason, 1)
      for (const { expired } of message.envelope.forgotten ?? [])
        if (expired) this.#addFate(message, 'rejected', 'expired', 1)
    }
  }

  #addFate({ app, envelope, position }: Message, fate: string, reason: string, count: number): void {
    const date = utcDate(envelope.received_at)
    if (date < receivedFrom(app)) return
    const rows = this.#fates.of(app.id, date)
    if (position > rows.after) rows.add([fate, reason], [count])
  }

  #addCounted(events: readonly Judged[]): void {
    const touched = new Set<DateFold>()
    let last: Judged | undefined
    let zone: TimeZone | undefined
    let page: ((url: string) => string) | undefined
    let fold: DateFold | undefined
    for (const judged of events) {
      if (!isCounted(judged)) continue
      const {
        position,
        event,
        date,
        message: { app, envelope },
        visitor,
      } = judged
      // Events of one app and date are adjacent.
      if (app !== last?.message.app || date !== last.date) {
        touched.add((fold = this.#dates.of(app.id, date)))
        zone = timeZone(app.timezone)
        page = this.#pageOf(app)
      }
      last = judged
      fold!.add(position, {
        event,
        context: envelope.context,
        visitor,
        hour: zone!.hourOf(event.timestamp),
        page: page!,
        stages: judged.message.app.stages,
      })
    }
    for (const each of touched) each.fold()
  }

  #pageOf(app: App): (url: string) => string {
    let page = this.#pages.get(app.id)
    if (!page) this.#pages.set(app.id, (page = pagesOf(app)))
    return page
  }

  #rowsOf(partition: CounterPartition): CounterRows {
    return new CounterRows(partition, this.#appliedOf(partition), this.#skipsApplied)
  }
}

/** Caches the page of each URL: URLs repeat within a batch, and parsing one is slow. */
function pagesOf({ keep_parameters, hash_routing }: PageRule): (url: string) => string {
  const pages = new Map<string, string>()
  return (url) => {
    let page = pages.get(url)
    if (page === undefined) pages.set(url, (page = pageOf(url, keep_parameters, hash_routing)))
    return page
  }
}
