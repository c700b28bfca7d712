import { pageOf, timeZone, type App } from '@hopper/contracts'
import type { CounterChange, CounterPartition, CounterTableName, Key, LaneBatch, Partition, SeenChange, SessionChange, VisitorChange, VisitorTableName } from '@hopper/storage'
import type { CountedEvent } from './counted-event.ts'
import { seenPartition, type Judged, type Judgement, type Message } from './judge.ts'
import { counterFolds, visitorFolds } from './tables/all.ts'
import { utcDate } from './utc-date.ts'

/** The watermark of a counter partition: positions up to it are counted there. */
export type AppliedOf = (partition: CounterPartition) => number

/** What a fold gives, without the lane and the dead letters. */
export type Folded = Omit<LaneBatch, 'lane' | 'deadLetters'>

/** Every counter partition that a batch may touch: all tables of each app and date in it. */
export function touchedPartitions(messages: readonly Message[], { events }: Judgement): CounterPartition[] {
  const received = new Map<string, CounterPartition>()
  const dates = new Map<string, Partition>()
  for (const { envelope: { app, received_at } } of messages) {
    const date = utcDate(received_at)
    received.set(`${app}\0${date}`, { table: 'fates_by_date', app, date })
  }
  for (const judged of events) {
    if (!counts(judged)) continue
    const app = judged.message.app.id
    const date = localDate(judged)
    const id = `${app}\0${date}`
    if (!dates.has(id)) dates.set(id, { app, date })
  }
  return [...received.values(), ...[...dates.values()].flatMap((partition) => counterFolds.map(({ table }) => ({ table, ...partition })))]
}

/**
 * Folds a judged batch into one change for each partition. Pure. A partition that has counted up to a position gets nothing of the events up to it, so a
 * batch that is delivered again, as a whole or in part, adds only what is missing. `skip` false is the control of the fault test: it counts again.
 */
export function foldBatch(messages: readonly Message[], judgement: Judgement, appliedOf: AppliedOf, skip = true): Folded {
  const last = messages.at(-1)?.position ?? -1
  const counters = new CounterChanges(appliedOf, last, skip)
  const visitors = new Map<string, { change: Omit<VisitorChange, 'rows'>; rows: Map<string, VisitorChange['rows'][number]> }>()
  foldFates(messages, judgement.events, counters)
  for (const judged of judgement.events) {
    if (!counts(judged)) continue
    const app = judged.message.app.id
    const date = localDate(judged)
    const counted = countedOf(judged)
    for (const { table, fold } of counterFolds) {
      const add = counters.at(table, app, date, judged.position)
      if (add) fold(counted, add)
    }
    for (const { table, fold } of visitorFolds) fold(counted, (key) => put(visitors, table, { app, date }, key, judged))
  }
  return {
    counters: counters.all(),
    visitors: [...visitors.values()].map(({ change, rows }) => ({ ...change, rows: [...rows.values()] })),
    seen: foldSeen(judgement.events), identities: judgement.identities, sessions: foldSessions(judgement.events),
  }
}

/** Collects the deltas of each partition. */
class CounterChanges {
  readonly #appliedOf: AppliedOf
  readonly #last: number
  readonly #skip: boolean
  readonly #partitions = new Map<string, { from: number; partition: CounterPartition; rows: Map<string, { key: Key; deltas: number[] }>; add: (key: Key, deltas: readonly number[]) => void }>()

  constructor(appliedOf: AppliedOf, last: number, skip: boolean) {
    this.#appliedOf = appliedOf
    this.#last = last
    this.#skip = skip
  }

  /** How an event at this position adds to a partition; undefined when the partition has counted it. */
  at(table: CounterTableName, app: string, date: string, position: number): ((key: Key, deltas: readonly number[]) => void) | undefined {
    const id = partitionKey(table, app, date)
    let found = this.#partitions.get(id)
    if (!found) this.#partitions.set(id, (found = this.#begin({ table, app, date })))
    return this.#skip && position <= found.from ? undefined : found.add
  }

  all(): CounterChange[] {
    const changed = [...this.#partitions.values()].filter(({ rows }) => rows.size > 0)
    return changed.map(({ from, partition, rows }) => ({ ...partition, from, to: Math.max(from, this.#last), rows: [...rows.values()] }))
  }

  #begin(partition: CounterPartition): { from: number; partition: CounterPartition; rows: Map<string, { key: Key; deltas: number[] }>; add: (key: Key, deltas: readonly number[]) => void } {
    const rows = new Map<string, { key: Key; deltas: number[] }>()
    const add = (key: Key, deltas: readonly number[]): void => {
      const id = rowKey(key)
      const row = rows.get(id)
      if (!row) rows.set(id, { key, deltas: [...deltas] })
      else for (let at = 0; at < deltas.length; at++) row.deltas[at]! += deltas[at]!
    }
    return { from: this.#appliedOf(partition), partition, rows, add }
  }
}

/** All events have a fate, also those that ingest refused. */
function foldFates(messages: readonly Message[], events: readonly Judged[], counters: CounterChanges): void {
  for (const { position, message, fate, reason } of events) {
    counters.at('fates_by_date', message.app.id, utcDate(message.envelope.received_at), position)?.([fate, reason], [1])
  }
  for (const { position, envelope } of messages) {
    const add = counters.at('fates_by_date', envelope.app, utcDate(envelope.received_at), position)
    if (add) for (const { reason } of envelope.rejected ?? []) add(['rejected', reason], [1])
  }
}

function put(
  visitors: Map<string, { change: Omit<VisitorChange, 'rows'>; rows: Map<string, VisitorChange['rows'][number]> }>,
  table: VisitorTableName, partition: Partition, key: Key, { visitor }: Judged,
): void {
  const id = partitionKey(table, partition.app, partition.date)
  let found = visitors.get(id)
  if (!found) visitors.set(id, (found = { change: { table, ...partition }, rows: new Map() }))
  const row = `${rowKey(key)}\0${visitor.user.length}\0${visitor.user}\0${visitor.device}`
  if (!found.rows.has(row)) found.rows.set(row, { key, visitor })
}

function foldSeen(events: readonly Judged[]): SeenChange[] {
  const found = new Map<string, { partition: Partition; rows: SeenChange['rows'][number][] }>()
  for (const { position, message, event, fate, reason } of events) {
    if (fate === 'duplicate') continue
    const partition = seenPartition(message.app.id, event)
    const id = `${partition.app}\0${partition.date}`
    let change = found.get(id)
    if (!change) found.set(id, (change = { partition, rows: [] }))
    change.rows.push({ event_id: event.event_id, position, fate, reason })
  }
  return [...found.values()].map(({ partition, rows }) => ({ ...partition, rows }))
}

function foldSessions(events: readonly Judged[]): SessionChange[] {
  const sessions = new Map<string, SessionChange>()
  for (const judged of events) {
    const { position, message, event, visitor } = judged
    if (!counts(judged) || event.session_id === undefined) continue
    const id = `${message.app.id}\0${event.session_id}`
    const known = sessions.get(id)
    sessions.set(id, {
      app: message.app.id, session_id: event.session_id, device: visitor.device, user: visitor.user,
      start: Math.min(known?.start ?? event.timestamp, event.timestamp), end: Math.max(known?.end ?? event.timestamp, event.timestamp),
      first_position: known?.first_position ?? position, last_position: position,
    })
  }
  return [...sessions.values()]
}

function countedOf({ event, message, visitor }: Judged): CountedEvent {
  const { app, envelope } = message
  return { event, context: envelope.context, visitor, hour: timeZone(app.timezone).hourOf(event.timestamp), page: pagesOf(app) }
}

function pagesOf(app: App): (url: string) => string {
  return (url) => pageOf(url, app.keep_parameters)
}

function counts({ fate }: Judged): boolean {
  return fate === 'accepted' || fate === 'late'
}

function localDate({ message, event }: Judged): string {
  return timeZone(message.app.timezone).dateOf(event.timestamp)
}

/** One text for a key. Texts from events may hold any character, so the length of the first decides where it ends. */
function rowKey(key: Key): string {
  return key.length === 1 ? String(key[0]) : `${String(key[0]).length}\0${key.join('\0')}`
}

export function partitionKey(table: CounterTableName | VisitorTableName, app: string, date: string): string {
  return `${table}\0${app}\0${date}`
}
