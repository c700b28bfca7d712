import { pageOf, timeZone, type TimeZone } from '@hopper/contracts'
import type { CounterPartition, LaneBatch, Partition, VisitorChange } from '@hopper/storage'
import type { CountedEvent } from './counted-event.ts'
import { CounterRows } from './counter-rows.ts'
import { foldSeen } from './fold-seen.ts'
import { foldSessions } from './fold-sessions.ts'
import { counts, type Judged, type Judgement, type Message } from './judge.ts'
import { counterFolds, visitorFolds } from './tables/all.ts'
import { utcDate } from './utc-date.ts'
import { VisitorRows } from './visitor-rows.ts'

/** The watermark of a counter partition: positions up to it are counted there. */
export type AppliedOf = (partition: CounterPartition) => number

/** What a fold gives, without the lane and the dead letters. */
export type Folded = Omit<LaneBatch, 'lane' | 'deadLetters'>

/** The events of a batch that count on one local date of an app. */
interface LocalDate {
  readonly partition: Partition
  readonly events: { readonly position: number; readonly counted: CountedEvent }[]
}

/** Every counter partition that a batch may touch: all tables of each app and date in it. */
export function touchedPartitions(messages: readonly Message[], { events }: Judgement): CounterPartition[] {
  const received = new Map<string, CounterPartition>()
  const dates = new Map<string, Partition>()
  for (const { envelope: { app, received_at } } of messages) {
    const date = utcDate(received_at)
    received.set(`${app}\0${date}`, { table: 'fates_by_date', app, date })
  }
  let last: Judged | undefined
  for (const judged of events) {
    if (!counts(judged)) continue
    if (judged.date === last?.date && judged.message.app === last.message.app) continue
    last = judged
    const { date, message: { app: { id: app } } } = judged
    dates.set(`${app}\0${date}`, { app, date })
  }
  return [...received.values(), ...[...dates.values()].flatMap((partition) => counterFolds.map(({ table }) => ({ table, ...partition })))]
}

/**
 * Folds a judged batch into one change for each partition. Pure. A partition that has counted up to a position gets nothing of the events up to it, so a
 * batch that is delivered again, as a whole or in part, adds only what is missing. `skip` false is the control of the fault test: it counts again.
 */
export function foldBatch(messages: readonly Message[], judgement: Judgement, appliedOf: AppliedOf, skip = true): Folded {
  const last = messages.at(-1)?.position ?? -1
  const dates = localDates(judgement.events)
  return {
    counters: [...foldFates(messages, judgement.events, appliedOf, skip), ...dates.flatMap((date) => foldCounters(date, appliedOf, skip))]
      .flatMap((rows) => rows.changes(last)),
    visitors: dates.flatMap(foldVisitors),
    seen: foldSeen(judgement.events), identities: judgement.identities, sessions: foldSessions(judgement.events),
  }
}

function foldCounters({ partition, events }: LocalDate, appliedOf: AppliedOf, skip: boolean): CounterRows[] {
  return counterFolds.map(({ table, fold }) => {
    const rows = rowsOf({ table, ...partition }, appliedOf)
    for (const { position, counted } of events) if (!skip || position > rows.from) fold(counted, rows.add)
    return rows
  })
}

function foldVisitors({ partition, events }: LocalDate): VisitorChange[] {
  return visitorFolds.flatMap(({ table, fold, repeats }) => {
    const rows = new VisitorRows({ table, ...partition })
    let last: CountedEvent | undefined
    for (const { counted } of events) {
      if (!last || !repeats?.(last, counted)) fold(counted, (key) => rows.put(key, counted.visitor))
      last = counted
    }
    return rows.changes()
  })
}

/** All events have a fate, also those that ingest refused. */
function foldFates(messages: readonly Message[], events: readonly Judged[], appliedOf: AppliedOf, skip: boolean): Iterable<CounterRows> {
  const dates = new Map<string, CounterRows>()
  const add = ({ app, envelope, position }: Message, fate: string, reason: string, count: number): void => {
    const date = utcDate(envelope.received_at)
    const id = `${app.id}\0${date}`
    let rows = dates.get(id)
    if (!rows) dates.set(id, (rows = rowsOf({ table: 'fates_by_date', app: app.id, date }, appliedOf)))
    if (!skip || position > rows.from) rows.add([fate, reason], [count])
  }
  for (let at = 0, next = 0; at < events.length; at = next) {
    const { message, fate, reason } = events[at]!
    for (next = at + 1; next < events.length; next++) if (events[next]!.message !== message || events[next]!.reason !== reason || events[next]!.fate !== fate) break
    add(message, fate, reason, next - at)
  }
  for (const message of messages) for (const { reason } of message.envelope.rejected ?? []) add(message, 'rejected', reason, 1)
  return dates.values()
}

function rowsOf(partition: CounterPartition, appliedOf: AppliedOf): CounterRows {
  return new CounterRows(partition, appliedOf(partition))
}

function localDates(events: readonly Judged[]): LocalDate[] {
  const dates = new Map<string, LocalDate>()
  const pages = new Map<string, (url: string) => string>()
  let found: LocalDate | undefined
  let last: Judged | undefined
  let zone: TimeZone | undefined
  let page: ((url: string) => string) | undefined
  for (const judged of events) {
    if (!counts(judged)) continue
    const { position, event, date, message: { app, envelope }, visitor } = judged
    // Events of one app and date stand side by side.
    if (app !== last?.message.app || date !== last.date) {
      found = valueOf(dates, `${app.id}\0${date}`, () => ({ partition: { app: app.id, date }, events: [] }))
      zone = timeZone(app.timezone)
      page = valueOf(pages, app.id, () => pagesOf(app.keep_parameters))
    }
    last = judged
    found!.events.push({ position, counted: { event, context: envelope.context, visitor, hour: zone!.hourOf(event.timestamp), page: page! } })
  }
  return [...dates.values()]
}

function valueOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

/** URLs repeat within a batch, and reading one takes long. */
function pagesOf(keepParameters: readonly string[]): (url: string) => string {
  const pages = new Map<string, string>()
  return (url) => {
    let page = pages.get(url)
    if (page === undefined) pages.set(url, (page = pageOf(url, keepParameters)))
    return page
  }
}
