import { Controller, Inject } from '@nestjs/common'
import * as contracts from '@hopper/contracts'
import { StageTimeParameters, StagesParameters } from '../answers/report-parameters.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, CurrentApp } from '../http/parameters.ts'
import { StagesService } from '../services/stages.service.ts'

const report = { need: 'read', csv: true } as const

@Controller('api/v1/apps/:app/stages')
export class StagesController {
  private readonly stages: StagesService

  constructor(@Inject(StagesService) stages: StagesService) {
    this.stages = stages
  }

  @Endpoint('GET', 'users', {
    ...report,
    summary: 'Unique users per date and stage',
    query: StagesParameters,
    answer: contracts.StageUsers,
  })
  users(@CurrentApp() app: contracts.App, @ValidQuery() parameters: StagesParameters): Promise<contracts.StageUsers> {
    return this.stages.users(app, parameters)
  }

  @Endpoint('GET', 'conversion', {
    ...report,
    summary: 'Unique users and rate per stage',
    query: StagesParameters,
    answer: contracts.StageConversion,
  })
  conversion(
    @CurrentApp() app: contracts.App,
    @ValidQuery() parameters: StagesParameters,
  ): Promise<contracts.StageConversion> {
    return this.stages.conversion(app, parameters)
  }

  @Endpoint('GET', 'time', {
    ...report,
    summary: 'Average time in a stage',
    query: StageTimeParameters,
    answer: contracts.StageTime,
  })
  time(@CurrentApp() app: contracts.App, @ValidQuery() parameters: StageTimeParameters): Promise<contracts.StageTime> {
    return this.stages.time(app, parameters)
  }

  @Endpoint('GET', 'graph', {
    ...report,
    summary: 'Unique users per transition between stages',
    query: StagesParameters,
    answer: contracts.StageGraph,
  })
  graph(@CurrentApp() app: contracts.App, @ValidQuery() parameters: StagesParameters): Promise<contracts.StageGraph> {
    return this.stages.graph(app, parameters)
  }
}
