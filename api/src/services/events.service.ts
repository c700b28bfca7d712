import { Inject, Injectable } from '@nestjs/common'
import { HopperError, limits, shiftDate, timeZone, type App, type Meta } from '@hopper/contracts'
import type { ExportedEvent } from '@hopper/engine'
import { placeOf, type EventLog, type FirstSeen, type TableReader } from '@hopper/storage'
import type { RangeAsked } from '../answers/asked.ts'
import { eventView, PAGE_EVENTS_DEFAULT, type EventFate, type EventsAsked, type EventsPage } from '../answers/events.ts'
import { pageCursor, pageStart } from '../answers/page-cursor.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import { instantRange } from '../query/instant-range.ts'
import type { PageRequest } from '../query/query.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LOG, READER } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

const DATES_CONCURRENCY = 8
const DAY_MS = 86_400_000

interface Found extends FirstSeen {
  readonly lane: number
}

/** Reads single events: all in order, or one by its id. */
@Injectable()
export class EventsService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly reader: TableReader
  private readonly lanes: number

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(READER) reader: TableReader,
    @Inject(LOG) log: EventLog,
  ) {
    this.archived = archived
    this.answers = answers
    this.reader = reader
    this.lanes = log.lanes
  }

  async page(app: App, { start, limit = PAGE_EVENTS_DEFAULT }: EventsAsked, client: Client): Promise<EventsPage> {
    const request = { from: 0, to: Number.MAX_SAFE_INTEGER, ...pageStart(start, this.lanes), limit }
    // read the proved instant before the archive, so that `complete_to` holds for the page
    const { meta } = await this.answers.open(app, {})
    const { events, next } = await this.read(app, request, client)
    return { events: events.map(eventView), next: pageCursor(next), meta: await this.metaOf(app, meta, events) }
  }

  /**
   * Builds the meta of a page: the dates of its events, and whether they can still change. An empty page has today's
   * date only.
   */
  private async metaOf(app: App, meta: Meta, events: readonly ExportedEvent[]): Promise<Meta> {
    const zone = timeZone(app.timezone)
    const dates = events.map(({ event }) => zone.dateOf(event.timestamp)).sort()
    const [from = meta.to, to = meta.to] = [dates[0], dates.at(-1)]
    const isShort = shiftDate(from, limits.rangeDaysMax) > to
    const settled = isShort && (await this.answers.open(app, { from, to })).meta.settled
    return { ...meta, from, to, settled }
  }

  /** Returns the first event with an id, and its fate. */
  async event(app: App, id: string, asked: RangeAsked, client: Client): Promise<EventFate> {
    const range = await this.answers.open(app, asked)
    const found = await this.firstSeen(app, id, [shiftDate(range.from, -1), ...range.dates, shiftDate(range.to, 1)])
    const event = found && (await this.eventAt(app, found, id, instantRange(app, range.from, range.to), client))
    if (!event)
      throw new HopperError(
        'HOP_NOT_FOUND',
        `No event from ${range.from} to ${range.to} has this id; widen from and to if it has another date.`,
      )
    const { fate, reason, lane, position } = found
    return { fate, reason, lane, position, event: eventView(event), meta: range.meta }
  }

  /** Searches every lane on these dates, newest first. */
  private async firstSeen(app: App, id: string, dates: readonly string[]): Promise<Found | undefined> {
    const newest = [...dates].reverse()
    for (let at = 0; at < newest.length; at += DATES_CONCURRENCY) {
      const places = newest
        .slice(at, at + DATES_CONCURRENCY)
        .flatMap((date) => Array.from({ length: this.lanes }, (_, lane) => ({ date, lane })))
      const found = await Promise.all(
        places.map(async ({ date, lane }) => {
          const seen = (await this.reader.seen(lane, { app: app.id, date }, [id])).get(id)
          return seen && { lane, ...seen }
        }),
      )
      const first = found.find((seen) => seen !== undefined)
      if (first) return first
    }
    return undefined
  }

  private async eventAt(
    app: App,
    { lane, position }: Found,
    id: string,
    { from, to }: { from: number; to: number },
    client: Client,
  ): Promise<ExportedEvent | undefined> {
    const starts = Array.from({ length: this.lanes }, (_, other) =>
      other === lane ? placeOf(position, 0) : Number.MAX_SAFE_INTEGER,
    )
    const { events } = await this.read(
      app,
      { from: from - DAY_MS, to: to + DAY_MS, starts, skip: 0, limit: 1_000 },
      client,
    )
    return events.find((event) => event.position === position && event.event.event_id === id)
  }

  private async read(
    app: App,
    request: PageRequest,
    client: Client,
  ): Promise<{ readonly events: readonly ExportedEvent[]; readonly next: readonly number[] }> {
    const { result } = await this.archived.ask<'page'>(app.id, { kind: 'page', request }, contextOf(app, 0), client)
    return result
  }
}
