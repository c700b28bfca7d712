import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { LossAnswer, LossParameters, SourcesAnswer, SourcesParameters } from '../answers/report-parameters.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentApp, CurrentClient, ValidQuery } from '../http/parameters.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { SourcesService } from '../services/sources.service.ts'

const query = { need: 'read', csv: true, progress: true } as const

@Controller('api/v1/apps/:app')
export class SourcesController {
  private readonly service: SourcesService

  constructor(@Inject(SourcesService) service: SourcesService) {
    this.service = service
  }

  @Endpoint('GET', 'sources', {
    ...query,
    summary: 'Where visitors come from: channels, referrers, campaigns, landing pages',
    query: SourcesParameters,
    answer: SourcesAnswer,
  })
  sources(
    @CurrentApp() app: App,
    @ValidQuery() parameters: SourcesParameters,
    @CurrentClient() client: Client,
  ): Promise<SourcesAnswer> {
    return this.service.sources(app, parameters, client)
  }

  @Endpoint('GET', 'loss', {
    ...query,
    summary: 'Events that trackers have numbered and that never arrived',
    query: LossParameters,
    answer: LossAnswer,
  })
  loss(
    @CurrentApp() app: App,
    @ValidQuery() parameters: LossParameters,
    @CurrentClient() client: Client,
  ): Promise<LossAnswer> {
    return this.service.loss(app, parameters, client)
  }
}
