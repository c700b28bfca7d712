import { Controller, Inject } from '@nestjs/common'
import { Funnel, type App } from '@hopper/contracts'
import { FunnelPatch, Funnels, FunnelView, SentFunnel } from '../answers/administration.ts'
import { funnelsTable } from '../answers/tables.ts'
import { Calls } from '../http/call.ts'
import { PathPart, Sent, TheApp } from '../http/parameters.ts'
import { FunnelsService } from '../services/funnels.service.ts'

@Controller('api/v1/apps/:app/funnels')
export class FunnelsController {
  private readonly funnels: FunnelsService

  constructor(@Inject(FunnelsService) funnels: FunnelsService) {
    this.funnels = funnels
  }

  @Calls('GET', '', { summary: 'The funnels', need: 'read', csv: funnelsTable, answer: Funnels })
  async list(@TheApp() app: App): Promise<{ funnels: readonly FunnelView[] }> {
    return { funnels: await this.funnels.views(app, await this.funnels.list(app)) }
  }

  @Calls('GET', ':funnel', { summary: 'One funnel', need: 'read', answer: FunnelView })
  async get(@TheApp() app: App, @PathPart('funnel') id: string): Promise<FunnelView> {
    return (await this.funnels.views(app, [await this.funnels.get(app, id)]))[0]!
  }

  @Calls('POST', '', { summary: 'Add a funnel', need: 'administrate', body: SentFunnel, answer: Funnel })
  create(@TheApp() app: App, @Sent() funnel: SentFunnel): Promise<Funnel> {
    return this.funnels.create(app, funnel)
  }

  @Calls('PATCH', ':funnel', { summary: 'Change a funnel', need: 'administrate', body: FunnelPatch, answer: Funnel })
  change(@TheApp() app: App, @PathPart('funnel') id: string, @Sent() patch: FunnelPatch): Promise<Funnel> {
    return this.funnels.change(app, id, patch)
  }

  @Calls('DELETE', ':funnel', { summary: 'Remove a funnel', need: 'administrate' })
  remove(@TheApp() app: App, @PathPart('funnel') id: string): Promise<void> {
    return this.funnels.remove(app, id)
  }
}
