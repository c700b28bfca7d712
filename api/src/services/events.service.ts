import { Inject, Injectable } from '@nestjs/common'
import { keptFromInstant, limits, shiftDate, timeZone, type App, type Meta } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'
import { PAGE_EVENTS_DEFAULT, type EventsParameters } from '../answers/events/events.ts'
import { pageCursor, pageStart } from '../answers/events/page-cursor.ts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { contextOf } from '../query/context-of.ts'
import type { PageHead } from '../query/query.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { LOG } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

/** Reads events in order, page by page. */
@Injectable()
export class EventsService {
  private readonly archived: ArchiveQueries
  private readonly answers: AnswerService
  private readonly lanes: number

  constructor(
    @Inject(ArchiveQueries) archived: ArchiveQueries,
    @Inject(AnswerService) answers: AnswerService,
    @Inject(LOG) log: EventLog,
  ) {
    this.archived = archived
    this.answers = answers
    this.lanes = log.lanes
  }

  async page(
    app: App,
    { start, limit = PAGE_EVENTS_DEFAULT }: EventsParameters,
    client: Client,
  ): Promise<EncodedAnswer> {
    const request = { from: keptFromInstant(app), to: Number.MAX_SAFE_INTEGER, ...pageStart(start, this.lanes), limit }
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
