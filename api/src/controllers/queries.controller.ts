import { Controller, Inject } from '@nestjs/common'
import * as contracts from '@hopper/contracts'
import { EventAnswer, JourneysAnswer, JourneysParameters, RetentionAnswer } from '../answers/report-parameters.ts'
import {
  elementHoversTable,
  funnelTable,
  hesitationTable,
  insteadTable,
  journeyPeopleTable,
  journeysTable,
  peopleTable,
  queryTable,
  retentionTable,
} from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ValidQuery, ValidBody, CurrentApp, CurrentClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import {
  sharedElementHovers,
  sharedFunnel,
  sharedHesitation,
  sharedJourneys,
  sharedRetention,
} from '../sharing/shared-calls.ts'
import { QueryService, type EventQueryBody, type RetentionQueryBody } from '../services/query.service.ts'

const query = { need: 'read', status: 200, progress: true } as const

@Controller('api/v1/apps/:app')
export class QueriesController {
  private readonly queries: QueryService

  constructor(@Inject(QueryService) queries: QueryService) {
    this.queries = queries
  }

  @Endpoint('POST', 'funnels/query', {
    ...query,
    summary: 'A funnel of arbitrary steps over all past events',
    body: contracts.FunnelQuery,
    csv: funnelTable,
    shared: sharedFunnel,
    answer: contracts.FunnelAnswer,
  })
  funnel(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.FunnelQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.FunnelAnswer | EncodedAnswer> {
    return this.queries.funnel(app, sent, client)
  }

  @Endpoint('POST', 'hesitation/query', {
    ...query,
    summary: 'How long people hover over elements before they click or leave, and who goes on in a funnel',
    body: contracts.HesitationQuery,
    csv: hesitationTable,
    shared: sharedHesitation,
    answer: contracts.HesitationAnswer,
  })
  hesitation(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.HesitationQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.HesitationAnswer | EncodedAnswer> {
    return this.queries.hesitation(app, sent, client)
  }

  @Endpoint('POST', 'elements/query', {
    ...query,
    summary: 'How people look at each element and click it, and how those who go all the way in a funnel differ',
    body: contracts.ElementsQuery,
    csv: elementHoversTable,
    shared: sharedElementHovers,
    answer: contracts.ElementsAnswer,
  })
  elements(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.ElementsQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.ElementsAnswer | EncodedAnswer> {
    return this.queries.elements(app, sent, client)
  }

  @Endpoint('POST', 'instead/query', {
    ...query,
    summary: 'Where people who took a step of a funnel, or did not, went next, and what they clicked',
    body: contracts.InsteadQuery,
    csv: insteadTable,
    answer: contracts.InsteadAnswer,
  })
  instead(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.InsteadQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.InsteadAnswer | EncodedAnswer> {
    return this.queries.instead(app, sent, client)
  }

  @Endpoint('POST', 'people/query', {
    ...query,
    summary: 'The people behind a number of a funnel, page by page, with what their events say',
    body: contracts.PeopleQuery,
    csv: peopleTable,
    answer: contracts.PeopleAnswer,
  })
  people(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.PeopleQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.PeopleAnswer | EncodedAnswer> {
    return this.queries.people(app, sent, client)
  }

  @Endpoint('POST', 'journeys/people', {
    ...query,
    summary: 'The people of a node or a link of journeys, page by page',
    note: 'Exactly as many as `GET journeys` with the same parameters says.',
    body: contracts.JourneyPeopleQuery,
    csv: journeyPeopleTable,
    answer: contracts.JourneyPeopleAnswer,
  })
  journeyPeople(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: contracts.JourneyPeopleQuery,
    @CurrentClient() client: Client,
  ): Promise<contracts.JourneyPeopleAnswer | EncodedAnswer> {
    return this.queries.journeyPeople(app, sent, client)
  }

  @Endpoint('POST', 'query', {
    ...query,
    summary: 'Sets of events: their number, distinct values, and the events',
    body: contracts.EventQuery,
    csv: queryTable,
    answer: EventAnswer,
  })
  events(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: EventQueryBody,
    @CurrentClient() client: Client,
  ): Promise<EventAnswer | EncodedAnswer> {
    return this.queries.events(app, sent, client)
  }

  @Endpoint('POST', 'retention/query', {
    ...query,
    summary: 'Retention, by the day or week of the first visit',
    body: contracts.RetentionQuery,
    csv: retentionTable,
    shared: sharedRetention,
    answer: RetentionAnswer,
  })
  retention(
    @CurrentApp() app: contracts.App,
    @ValidBody() sent: RetentionQueryBody,
    @CurrentClient() client: Client,
  ): Promise<RetentionAnswer | EncodedAnswer> {
    return this.queries.retention(app, sent, client)
  }

  @Endpoint('GET', 'journeys', {
    ...query,
    summary: 'The journeys of people through the pages',
    query: JourneysParameters,
    csv: journeysTable,
    shared: sharedJourneys,
    answer: JourneysAnswer,
  })
  journeys(
    @CurrentApp() app: contracts.App,
    @ValidQuery() parameters: JourneysParameters,
    @CurrentClient() client: Client,
  ): Promise<JourneysAnswer | EncodedAnswer> {
    return this.queries.journeys(app, parameters, client)
  }
}
