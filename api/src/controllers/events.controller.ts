import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { RangeParameters } from '../answers/report-parameters.ts'
import { EventFate, EventsParameters, EventsPage } from '../answers/events/events.ts'
import { eventsTable, eventTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ValidQuery, PathPart, CurrentApp, CurrentClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { EventFateService } from '../services/event-fate.service.ts'
import { EventsService } from '../services/events.service.ts'

@Controller('api/v1/apps/:app')
export class EventsController {
  private readonly events: EventsService
  private readonly fates: EventFateService

  constructor(@Inject(EventsService) events: EventsService, @Inject(EventFateService) fates: EventFateService) {
    this.events = events
    this.fates = fates
  }

  @Endpoint('GET', 'events', {
    need: 'read',
    summary: 'All events, in log order or the newest first',
    note:
      'In log order, a page can be read again, and following pages by their cursors misses nothing and has nothing ' +
      'twice. The newest first, events of bots are included, with their fate, and `follow` continues the page live.',
    query: EventsParameters,
    csv: eventsTable,
    answer: EventsPage,
  })
  page(
    @CurrentApp() app: App,
    @ValidQuery() parameters: EventsParameters,
    @CurrentClient() client: Client,
  ): Promise<EncodedAnswer> {
    return this.events.page(app, parameters, client)
  }

  @Endpoint('GET', 'events/:event', {
    need: 'read',
    summary: 'What became of one event, by its id',
    note:
      'Also of a rejected event that named an id. An event is looked for on the dates of the range and one day ' +
      'around them: by its own time, a rejected one by that of its receipt.',
    query: RangeParameters,
    csv: eventTable,
    answer: EventFate,
  })
  event(
    @CurrentApp() app: App,
    @PathPart('event') id: string,
    @ValidQuery() parameters: RangeParameters,
    @CurrentClient() client: Client,
  ): Promise<EventFate> {
    return this.fates.fate(app, id, parameters, client)
  }
}
