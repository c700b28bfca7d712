import { Controller, Inject } from '@nestjs/common'
import * as contracts from '@hopper/contracts'
import { StageTimeAsked, StagesAsked } from '../answers/asked.ts'
import { Calls } from '../http/call.ts'
import { Asked, TheApp } from '../http/parameters.ts'
import { StagesService } from '../services/stages.service.ts'

const report = { need: 'read', csv: true } as const

@Controller('api/v1/apps/:app/stages')
export class StagesController {
  private readonly stages: StagesService

  constructor(@Inject(StagesService) stages: StagesService) {
    this.stages = stages
  }

  @Calls('GET', 'users', {
    ...report,
    summary: 'Unique users per date and stage',
    query: StagesAsked,
    answer: contracts.StageUsers,
  })
  users(@TheApp() app: contracts.App, @Asked() asked: StagesAsked): Promise<contracts.StageUsers> {
    return this.stages.users(app, asked)
  }

  @Calls('GET', 'conversion', {
    ...report,
    summary: 'Unique users and rate per stage',
    query: StagesAsked,
    answer: contracts.StageConversion,
  })
  conversion(@TheApp() app: contracts.App, @Asked() asked: StagesAsked): Promise<contracts.StageConversion> {
    return this.stages.conversion(app, asked)
  }

  @Calls('GET', 'time', {
    ...report,
    summary: 'Average time in a stage',
    query: StageTimeAsked,
    answer: contracts.StageTime,
  })
  time(@TheApp() app: contracts.App, @Asked() asked: StageTimeAsked): Promise<contracts.StageTime> {
    return this.stages.time(app, asked)
  }

  @Calls('GET', 'graph', {
    ...report,
    summary: 'Unique users per move between stages',
    query: StagesAsked,
    answer: contracts.StageGraph,
  })
  graph(@TheApp() app: contracts.App, @Asked() asked: StagesAsked): Promise<contracts.StageGraph> {
    return this.stages.graph(app, asked)
  }
}
