import { Controller, Inject } from '@nestjs/common'
import { Funnel, type App } from '@hopper/contracts'
import { FunnelPatch, Funnels, FunnelView, SentFunnel } from '../../answers/administration.ts'
import { funnelsTable } from '../../answers/tables.ts'
import { Endpoint } from '../../http/call.ts'
import { PathPart, ValidBody, CurrentApp } from '../../http/parameters.ts'
import { sharedFunnels } from '../../sharing/shared-calls.ts'
import { FunnelsService } from '../../services/administration/funnels.service.ts'

@Controller('api/v1/apps/:app/funnels')
export class FunnelsController {
  private readonly funnels: FunnelsService

  constructor(@Inject(FunnelsService) funnels: FunnelsService) {
    this.funnels = funnels
  }

  @Endpoint('GET', '', {
    summary: 'The funnels',
    need: 'read',
    csv: funnelsTable,
    answer: Funnels,
    shared: sharedFunnels,
  })
  async list(@CurrentApp() app: App): Promise<{ funnels: readonly FunnelView[] }> {
    return { funnels: await this.funnels.views(app, await this.funnels.list(app)) }
  }

  @Endpoint('GET', ':funnel', { summary: 'One funnel', need: 'read', answer: FunnelView })
  async get(@CurrentApp() app: App, @PathPart('funnel') id: string): Promise<FunnelView> {
    return (await this.funnels.views(app, [await this.funnels.get(app, id)]))[0]!
  }

  @Endpoint('POST', '', { summary: 'Add a funnel', need: 'admin', body: SentFunnel, answer: Funnel })
  create(@CurrentApp() app: App, @ValidBody() funnel: SentFunnel): Promise<Funnel> {
    return this.funnels.create(app, funnel)
  }

  @Endpoint('PATCH', ':funnel', { summary: 'Change a funnel', need: 'admin', body: FunnelPatch, answer: Funnel })
  change(@CurrentApp() app: App, @PathPart('funnel') id: string, @ValidBody() patch: FunnelPatch): Promise<Funnel> {
    return this.funnels.change(app, id, patch)
  }

  @Endpoint('DELETE', ':funnel', { summary: 'Remove a funnel', need: 'admin' })
  remove(@CurrentApp() app: App, @PathPart('funnel') id: string): Promise<void> {
    return this.funnels.remove(app, id)
  }
}
