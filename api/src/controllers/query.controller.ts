import { Controller, Inject } from '@nestjs/common'
import { EventQuery, type App } from '@hopper/contracts'
import { EventAnswer } from '../answers/report-parameters.ts'
import { queryTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { CurrentApp, ValidBody, CurrentClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { QueryService, type EventQueryBody } from '../services/query.service.ts'

/** The event store's own URL of a query: the read key determines the app. */
@Controller('query')
export class QueryController {
  private readonly queries: QueryService

  constructor(@Inject(QueryService) queries: QueryService) {
    this.queries = queries
  }

  @Endpoint('POST', '', {
    need: 'read',
    ofKey: '/api/v1/apps/APP/query',
    status: 200,
    progress: true,
    summary: 'The same query for the app of the read key',
    body: EventQuery,
    csv: queryTable,
    answer: EventAnswer,
  })
  events(
    @CurrentApp() app: App,
    @ValidBody() sent: EventQueryBody,
    @CurrentClient() client: Client,
  ): Promise<EventAnswer | EncodedAnswer> {
    return this.queries.events(app, sent, client)
  }
}
