import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { RangeAsked } from '../answers/asked.ts'
import { EventFate, EventsAsked, EventsPage } from '../answers/events.ts'
import { eventsTable, eventTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, PathPart, CurrentApp, TheClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { EventsService } from '../services/events.service.ts'

@Controller('api/v1/apps/:app')
export class EventsController {
  private readonly events: EventsService

  constructor(@Inject(EventsService) events: EventsService) {
    this.events = events
  }

  @Endpoint('GET', 'events', {
    need: 'read',
    summary: 'All events, in log order',
    query: EventsAsked,
    csv: eventsTable,
    answer: EventsPage,
  })
  page(@CurrentApp() app: App, @ValidQuery() asked: EventsAsked, @TheClient() client: Client): Promise<EventsPage> {
    return this.events.page(app, asked, client)
  }

  @Endpoint('GET', 'events/:event', {
    need: 'read',
    summary: 'One event by its id, and its fate',
    query: RangeAsked,
    csv: eventTable,
    answer: EventFate,
  })
  event(
    @CurrentApp() app: App,
    @PathPart('event') id: string,
    @ValidQuery() asked: RangeAsked,
    @TheClient() client: Client,
  ): Promise<EventFate> {
    return this.events.event(app, id, asked, client)
  }
}
