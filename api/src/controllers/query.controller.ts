import { Controller, Inject } from '@nestjs/common'
import { EventQuery, HopperError } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { Caller } from '../access/caller.ts'
import { EventAnswer } from '../answers/asked.ts'
import { queryTable } from '../answers/tables.ts'
import { Endpoint } from '../http/call.ts'
import type { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ValidBody, TheCaller, TheClient } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { QueryService, type SentEvents } from '../services/query.service.ts'
import { REGISTRY } from '../tokens.ts'

/** The event store's own URL of a query: the read key determines the app. */
@Controller('query')
export class QueryController {
  private readonly queries: QueryService
  private readonly registry: Registry

  constructor(@Inject(QueryService) queries: QueryService, @Inject(REGISTRY) registry: Registry) {
    this.queries = queries
    this.registry = registry
  }

  @Endpoint('POST', '', {
    need: 'read',
    status: 200,
    progress: true,
    summary: 'The same query for the app of the read key',
    body: EventQuery,
    csv: queryTable,
    answer: EventAnswer,
  })
  async events(
    @TheCaller() caller: Caller,
    @ValidBody() sent: SentEvents,
    @TheClient() client: Client,
  ): Promise<EventAnswer | EncodedAnswer> {
    const app = caller.kind === 'key' && caller.app !== undefined ? await this.registry.app(caller.app) : undefined
    if (!app)
      throw new HopperError(
        'HOP_PARAM_INVALID',
        'This path needs the read key of an app; with another key or a login, use /api/v1/apps/APP/query.',
      )
    return this.queries.events(app, sent, client)
  }
}
