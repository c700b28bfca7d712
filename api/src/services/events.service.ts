import { Inject, Injectable } from '@nestjs/common'
import { keptFromInstant, limits, shiftDate, timeZone, type App, type Meta } from '@hopper/contracts'
import { placeOf, type EventLog, type Lanes } from '@hopper/storage'
import { PAGE_EVENTS_DEFAULT, type EventsParameters } from '../answers/events/events.ts'
import { newestCursor, newestStart, pageCursor, pageStart } from '../answers/events/page-cursor.ts'
import { invalidFields } from '../http/checked.ts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import { filtersOf } from '../query/filters-parameter.ts'
import type { PageHead } from '../query/query.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LANES, LOG } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'
import { PropertiesService } from './people/properties.service.ts'

/** Reads events page by page: in the order of the log, or the newest first. */
@Injectable()
export class EventsService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly properties: PropertiesService
  private readonly lanes: Lanes
  private readonly laneCount: number

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(PropertiesService) properties: PropertiesService,
    @Inject(LANES) lanes: Lanes,
    @Inject(LOG) log: EventLog,
  ) {
    this.archived = archived
    this.answers = answers
    this.properties = properties
    this.lanes = lanes
    this.laneCount = log.lanes
  }

  page(app: App, parameters: EventsParameters, client: Client): Promise<EncodedAnswer> {
    if (parameters.order) return this.newest(app, parameters, client)
    if (parameters.filters !== undefined)
      throw invalidFields([{ field: 'filters', message: 'can only be sent with order=-timestamp' }])
    return this.inLogOrder(app, parameters, client)
  }

  private async inLogOrder(
    app: App,
    { start, limit = PAGE_EVENTS_DEFAULT }: EventsParameters,
    client: Client,
  ): Promise<EncodedAnswer> {
    const request = {
      from: keptFromInstant(app),
      to: Number.MAX_SAFE_INTEGER,
      ...pageStart(start, this.laneCount),
      limit,
    }
    // read the proved instant before the archive, so that `complete_to` holds for the page
    const { meta } = await this.answers.open(app, {})
    const { result } = await this.archived.ask<'encoded_page'>(
      app.id,
      { kind: 'encoded_page', request },
      contextOf(app, 0),
      client,
    )
    const { next, times, digest } = result.head
    const all = await this.metaOf(app, meta, times)
    return EncodedAnswer.ofList('events', result.body, digest, { next: pageCursor(next) }, all)
  }

  private async newest(
    app: App,
    { start, limit = PAGE_EVENTS_DEFAULT, filters }: EventsParameters,
    client: Client,
  ): Promise<EncodedAnswer> {
    const before = newestStart(start)
    // read before the archive, which has every event that comes before these places
    const ends = (await this.lanes.positions()).map((position) => placeOf(position, 0))
    const { meta } = await this.answers.open(app, {})
    const request = {
      from: keptFromInstant(app),
      to: Number.MAX_SAFE_INTEGER,
      filters: filtersOf('filters', filters),
      ends,
      limit,
      ...(before && { before }),
    }
    const context = await this.properties.within(app, contextOf(app, 0))
    const { result } = await this.archived.ask<'newest'>(app.id, { kind: 'newest', request }, context, client)
    const { next, times, digest } = result.head
    const fields = { ...(next && { next: newestCursor(next) }), follow: pageCursor(ends) }
    return EncodedAnswer.ofList('events', result.body, digest, fields, await this.metaOf(app, meta, times))
  }

  /**
   * Builds the meta of a page from the times of its first and last event: their dates, and whether they can still
   * change. An empty page has today's date only.
   */
  private async metaOf(app: App, meta: Meta, times: PageHead['times']): Promise<Meta> {
    const zone = timeZone(app.timezone)
    const [from, to] = times ? [zone.dateOf(times[0]), zone.dateOf(times[1])] : [meta.to, meta.to]
    const isShort = shiftDate(from, limits.rangeDaysMax) > to
    const settled = isShort && (await this.answers.open(app, { from, to })).meta.settled
    return { ...meta, from, to, settled }
  }
}
