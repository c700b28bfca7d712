import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { RangeAsked } from '../answers/asked.ts'
import { EventFate, EventsAsked, EventsPage, Person, PersonAsked } from '../answers/events.ts'
import { eventsTable, eventTable, personTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
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
  page(@CurrentApp() app: App, @ValidQuery() asked: EventsAsked, @TheClient() client: Client): Promise<EncodedAnswer> {
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

  @Endpoint('GET', 'persons/:person', {
    need: 'read',
    summary: 'Devices, properties and timeline of a person',
    note: 'A person is `u:USER` or `d:DEVICE`, as in the lists of a funnel; without a prefix it is a user.',
    query: PersonAsked,
    csv: personTable,
    answer: Person,
  })
  person(
    @CurrentApp() app: App,
    @PathPart('person') id: string,
    @ValidQuery() asked: PersonAsked,
    @TheClient() client: Client,
  ): Promise<Person> {
    return this.events.person(app, id, asked, client)
  }
}
