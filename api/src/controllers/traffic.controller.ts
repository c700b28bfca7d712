import { Controller, Inject } from '@nestjs/common'
import { Agents, Clicks, PageViews, Traffic, type App } from '@hopper/contracts'
import { AgentsAsked, RangeAsked, TrafficAsked } from '../answers/asked.ts'
import { Endpoint } from '../http/call.ts'
import { ValidQuery, CurrentApp } from '../http/parameters.ts'
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
    query: RangeAsked,
    answer: PageViews,
  })
  pages(@CurrentApp() app: App, @ValidQuery() asked: RangeAsked): Promise<PageViews> {
    return this.service.pages(app, asked)
  }

  @Endpoint('GET', 'clicks', {
    summary: 'Most clicked targets',
    need: 'read',
    csv: true,
    query: RangeAsked,
    answer: Clicks,
  })
  clicks(@CurrentApp() app: App, @ValidQuery() asked: RangeAsked): Promise<Clicks> {
    return this.service.clicks(app, asked)
  }

  @Endpoint('GET', 'agents', {
    summary: 'Devices, browsers, systems, countries',
    need: 'read',
    csv: true,
    query: AgentsAsked,
    answer: Agents,
  })
  agents(@CurrentApp() app: App, @ValidQuery() asked: AgentsAsked): Promise<Agents> {
    return this.service.agents(app, asked)
  }

  @Endpoint('GET', 'traffic', {
    summary: 'Events, views and users over time',
    need: 'read',
    csv: true,
    query: TrafficAsked,
    answer: Traffic,
  })
  traffic(@CurrentApp() app: App, @ValidQuery() asked: TrafficAsked): Promise<Traffic> {
    return this.service.traffic(app, asked)
  }
}
