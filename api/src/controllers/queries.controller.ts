import { Controller, Inject } from '@nestjs/common'
import * as contracts from '@hopper/contracts'
import { EventAnswer, JourneysAnswer, JourneysAsked, RetentionAnswer } from '../answers/asked.ts'
import { Calls } from '../http/call.ts'
import { Asked, Sent, TheApp } from '../http/parameters.ts'
import { QueryService, type SentEvents, type SentRetention } from '../services/query.service.ts'

const query = { need: 'read', status: 200 } as const

@Controller('api/v1/apps/:app')
export class QueriesController {
  private readonly queries: QueryService

  constructor(@Inject(QueryService) queries: QueryService) {
    this.queries = queries
  }

  @Calls('POST', 'funnels/query', { ...query, summary: 'A funnel of any steps over all past events', body: contracts.FunnelQuery, answer: contracts.FunnelAnswer })
  funnel(@TheApp() app: contracts.App, @Sent() sent: contracts.FunnelQuery): Promise<contracts.FunnelAnswer> {
    return this.queries.funnel(app, sent)
  }

  @Calls('POST', 'query', { ...query, summary: 'Sets of events: how many, how many different values, which', body: contracts.EventQuery, answer: EventAnswer })
  events(@TheApp() app: contracts.App, @Sent() sent: SentEvents): Promise<EventAnswer> {
    return this.queries.events(app, sent)
  }

  @Calls('POST', 'retention/query', { ...query, summary: 'Who comes back, by the day or week of the first time', body: contracts.RetentionQuery, answer: RetentionAnswer })
  retention(@TheApp() app: contracts.App, @Sent() sent: SentRetention): Promise<RetentionAnswer> {
    return this.queries.retention(app, sent)
  }

  @Calls('GET', 'journeys', { ...query, summary: 'The ways that people take through the pages', query: JourneysAsked, answer: JourneysAnswer })
  journeys(@TheApp() app: contracts.App, @Asked() asked: JourneysAsked): Promise<JourneysAnswer> {
    return this.queries.journeys(app, asked)
  }
}
