import { Controller, Inject } from '@nestjs/common'
import { Agents, Clicks, PageViews, Traffic, type App } from '@hopper/contracts'
import { AgentsParameters, RangeParameters, TrafficParameters } from '../answers/report-parameters.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, CurrentApp } from '../http/parameters.ts'
import { sharedReport } from '../sharing/shared-calls.ts'
import { TrafficService } from '../services/traffic.service.ts'

@Controller('api/v1/apps/:app')
export class TrafficController {
  private readonly service: TrafficService

  constructor(@Inject(TrafficService) service: TrafficService) {
    this.service = service
  }

  @Endpoint('GET', 'pages/views', {
    summary: 'Views and time per page',
    need: 'read',
    csv: true,
    query: RangeParameters,
    answer: PageViews,
    shared: sharedReport(['overview', 'journeys']),
  })
  pages(@CurrentApp() app: App, @ValidQuery() parameters: RangeParameters): Promise<PageViews> {
    return this.service.pages(app, parameters)
  }

  @Endpoint('GET', 'clicks', {
    summary: 'Most clicked targets',
    need: 'read',
    csv: true,
    query: RangeParameters,
    answer: Clicks,
    shared: sharedReport(['overview', 'elements']),
  })
  clicks(@CurrentApp() app: App, @ValidQuery() parameters: RangeParameters): Promise<Clicks> {
    return this.service.clicks(app, parameters)
  }

  @Endpoint('GET', 'agents', {
    summary: 'Devices, browsers, systems, countries',
    need: 'read',
    csv: true,
    query: AgentsParameters,
    answer: Agents,
  })
  agents(@CurrentApp() app: App, @ValidQuery() parameters: AgentsParameters): Promise<Agents> {
    return this.service.agents(app, parameters)
  }

  @Endpoint('GET', 'traffic', {
    summary: 'Events, views and users over time',
    need: 'read',
    csv: true,
    query: TrafficParameters,
    answer: Traffic,
    shared: sharedReport(['overview'], { by: ['hour', 'day'], count_by: ['person', 'device'] }),
  })
  traffic(@CurrentApp() app: App, @ValidQuery() parameters: TrafficParameters): Promise<Traffic> {
    return this.service.traffic(app, parameters)
  }
}
