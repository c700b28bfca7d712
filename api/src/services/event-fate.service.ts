import { setTimeout as pause } from 'node:timers/promises'
import { Inject, Injectable } from '@nestjs/common'
import {
  countingTables,
  decodeEnvelope,
  HopperError,
  keptFate,
  pageOf,
  sentIndexes,
  shiftDate,
  StageMatcher,
  timeZone,
  type App,
  type Envelope,
  type FateVerdict,
} from '@hopper/contracts'
import type { ExportedEvent } from '@hopper/engine'
import {
  ForgottenEvents,
  placeOf,
  rejectedPartition,
  type EventLog,
  type FirstSeen,
  type Partition,
  type Registry,
  type TableReader,
} from '@hopper/storage'
import type { RangeParameters } from '../answers/report-parameters.ts'
import { eventView, type EventFate } from '../answers/events/events.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import { instantRange } from '../query/instant-range.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LOG, READER, REGISTRY } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

const DATES_CONCURRENCY = 8
const DAY_MS = 86_400_000
/** In Kafka, reading one message needs a consumer of its own. Beyond this many, the log counts as not readable now. */
const LOG_READS_MAX = 4
const LOG_MS_MAX = 5_000

interface Found extends FirstSeen {
  readonly lane: number
}

/** An event as far as it can be read: `event` is missing for a rejected one. */
interface Read {
  readonly receivedAt: number
  readonly event?: Omit<ExportedEvent, 'user'> & { readonly user?: string }
}

/** Returns what became of an event, by its id. */
@Injectable()
export class EventFateService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly reader: TableReader
  private readonly log: EventLog
  private readonly registry: Registry
  private logReads = 0

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(READER) reader: TableReader,
    @Inject(LOG) log: EventLog,
    @Inject(REGISTRY) registry: Registry,
  ) {
    this.archived = archived
    this.answers = answers
    this.reader = reader
    this.log = log
    this.registry = registry
  }

  /** Finds the first event with an id. Only if there is none, one with this id that was rejected. */
  async fate(app: App, id: string, parameters: RangeParameters, client: Client): Promise<EventFate> {
    const range = await this.answers.open(app, parameters)
    const dates = [shiftDate(range.from, -1), ...range.dates, shiftDate(range.to, 1)]
    const found =
      (await this.firstSeen(id, dates, (date) => ({ app: app.id, date }))) ??
      (await this.firstSeen(id, dates, (date) => rejectedPartition(app.id, date)))
    if (!found)
      throw new HopperError(
        'HOP_NOT_FOUND',
        `No event from ${range.from} to ${range.to} has this id; widen from and to if it has another date.`,
      )
    const { lane, position } = found
    const archived = found.fate !== 'rejected' && (await this.archivedEvent(app, found, id, range, client))
    const [fate, reason] = archived ? fateOf(app, found, archived) : [found.fate, found.reason]
    const read = archived ? { receivedAt: archived.received_at, event: archived } : await this.logged(app, found, id)
    return {
      fate,
      reason,
      received_at: read?.receivedAt ?? null,
      lane,
      position,
      tables: await this.tables(app, { ...found, fate }, read?.event),
      ...(read?.event && { event: eventView(read.event) }),
      meta: range.meta,
    }
  }

  /** Searches every lane on these dates, newest first. */
  private async firstSeen(
    id: string,
    dates: readonly string[],
    partitionOf: (date: string) => Partition,
  ): Promise<Found | undefined> {
    const newest = [...dates].reverse()
    for (let start = 0; start < newest.length; start += DATES_CONCURRENCY) {
      const places = newest
        .slice(start, start + DATES_CONCURRENCY)
        .flatMap((date) => Array.from({ length: this.log.lanes }, (_, lane) => ({ date, lane })))
      const found = await Promise.all(
        places.map(async ({ date, lane }) => {
          const seen = (await this.reader.seen(lane, partitionOf(date), [id])).get(id)
          return seen && { lane, ...seen }
        }),
      )
      const first = found.find((seen) => seen !== undefined)
      if (first) return first
    }
    return undefined
  }

  private async archivedEvent(
    app: App,
    { lane, position }: Found,
    id: string,
    dates: { readonly from: string; readonly to: string },
    client: Client,
  ): Promise<ExportedEvent | undefined> {
    const { from, to } = instantRange(app, dates.from, dates.to)
    const starts = Array.from({ length: this.log.lanes }, (_, other) =>
      other === lane ? placeOf(position, 0) : Number.MAX_SAFE_INTEGER,
    )
    const request = { from: from - DAY_MS, to: to + DAY_MS, starts, skip: 0, limit: 1_000 }
    const { result } = await this.archived.ask<'page'>(app.id, { kind: 'page', request }, contextOf(app, 0), client)
    return result.events.find((event) => event.position === position && event.event.event_id === id)
  }

  /** Reads an event from the log that the archive does not have: it is younger, or was rejected. */
  private async logged(app: App, { fate, lane, position }: Found, id: string): Promise<Read | undefined> {
    const logged = await this.envelopeAt(lane, position)
    if (logged?.app !== app.id) return undefined
    const forgotten = await ForgottenEvents.read(this.registry, app.id)
    const envelope = forgotten?.without(position, logged, true) ?? logged
    const { device_id, context, received_at } = envelope
    const storedIndex = envelope.events.findIndex(({ event_id }) => event_id === id)
    if (fate === 'rejected' || storedIndex < 0) return { receivedAt: received_at }
    const event = envelope.events[storedIndex]!
    const index = sentIndexes(envelope)?.[storedIndex] ?? storedIndex
    return { receivedAt: received_at, event: { event, device_id, context, received_at, lane, position, index } }
  }

  /** Reads one message; undefined if the log is unavailable, busy, slow, or no longer has it. */
  private async envelopeAt(lane: number, position: number): Promise<Envelope | undefined> {
    if (this.logReads >= LOG_READS_MAX) return undefined
    this.logReads++
    const reading = this.log.read(lane, position, 1, 1).finally(() => this.logReads--)
    try {
      const messages = await Promise.race([reading, pause(LOG_MS_MAX, undefined, { ref: false })])
      const message = messages?.[0]
      return message?.position === position ? decodeEnvelope(message.value) : undefined
    } catch {
      return undefined
    }
  }

  /** Names the tables that count the event: only that of the fates if it does not count; null if it is not known. */
  private async tables(app: App, { fate }: Found, read: Read['event']): Promise<string[] | null> {
    const all = ['fates_by_date']
    if (fate !== 'accepted' && fate !== 'late') return all
    if (!read) return null
    const page = (url: string): string => pageOf(url, app.keep_parameters, app.hash_routing)
    const stages = new StageMatcher(await this.registry.funnels.list(app.id), app)
    return [...all, ...countingTables(read.event, { context: read.context, page, stages })].sort()
  }
}

/**
 * Returns the fate of an archived event. The archive has the verdict of its session, which may have come after the
 * event was counted.
 */
function fateOf(app: App, { fate, reason }: Found, archived: ExportedEvent): FateVerdict {
  const { event, context, received_at } = archived
  const { bot, historical } = context
  if (bot !== undefined || fate !== 'bot') return bot === undefined ? [fate, reason] : ['bot', bot]
  const { timestamp } = event
  const zone = timeZone(app.timezone)
  return keptFate({ bot, historical, received_at, timestamp, date: zone.dateOf(timestamp) }, zone)
}
