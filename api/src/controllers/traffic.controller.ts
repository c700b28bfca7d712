import { Controller, Inject } from '@nestjs/common'
import { Agents, Clicks, PageViews, Traffic, type App } from '@hopper/contracts'
import { AgentsAsked, RangeAsked, TrafficAsked } from '../answers/asked.ts'
import { Calls } from '../http/call.ts'
import { Asked, TheApp } from '../http/parameters.ts'
import { TrafficService } from '../services/traffic.service.ts'

@Controller('api/v1/apps/:app')
export class TrafficController {
  private readonly service: TrafficService

  constructor(@Inject(TrafficService) service: TrafficService) {
    this.service = service
  }

  @Calls('GET', 'pages/views', {
    summary: 'Views and time per page',
    need: 'read',
    csv: true,
    query: RangeAsked,
    answer: PageViews,
  })
  pages(@TheApp() app: App, @Asked() asked: RangeAsked): Promise<PageViews> {
    return this.service.pages(app, asked)
  }

  @Calls('GET', 'clicks', {
    summary: 'Most clicked targets',
    need: 'read',
    csv: true,
    query: RangeAsked,
    answer: Clicks,
  })
  clicks(@TheApp() app: App, @Asked() asked: RangeAsked): Promise<Clicks> {
    return this.service.clicks(app, asked)
  }

  @Calls('GET', 'agents', {
    summary: 'Devices, browsers, systems, countries',
    need: 'read',
    csv: true,
    query: AgentsAsked,
    answer: Agents,
  })
  agents(@TheApp() app: App, @Asked() asked: AgentsAsked): Promise<Agents> {
    return this.service.agents(app, asked)
  }

  @Calls('GET', 'traffic', {
    summary: 'Events, views and users over time',
    need: 'read',
    csv: true,
    query: TrafficAsked,
    answer: Traffic,
  })
  traffic(@TheApp() app: App, @Asked() asked: TrafficAsked): Promise<Traffic> {
    return this.service.traffic(app, asked)
  }
}
