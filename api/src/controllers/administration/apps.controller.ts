import { Controller, Inject } from '@nestjs/common'
import { Apps, type App } from '@hopper/contracts'
import type { Caller } from '../../access/caller.ts'
import { AppPatch, AppView, CreatedApp, NewApp, Organizations } from '../../answers/administration.ts'
import { Endpoint } from '../../http/call.ts'
import { ValidBody, CurrentApp, CurrentCaller } from '../../http/parameters.ts'
import { AppsService } from '../../services/administration/apps.service.ts'

@Controller('api/v1')
export class AppsController {
  private readonly apps: AppsService

  constructor(@Inject(AppsService) apps: AppsService) {
    this.apps = apps
  }

  @Endpoint('GET', 'apps', { summary: 'The apps that the caller may see', need: 'read', csv: true, answer: Apps })
  list(@CurrentCaller() caller: Caller): Promise<Apps> {
    return this.apps.list(caller)
  }

  @Endpoint('POST', 'apps', {
    summary: 'Add an app; its keys are shown only once',
    need: 'admin',
    body: NewApp,
    answer: CreatedApp,
  })
  create(@CurrentCaller() caller: Caller, @ValidBody() app: NewApp): Promise<CreatedApp> {
    return this.apps.create(caller, app)
  }

  @Endpoint('GET', 'apps/:app', { summary: 'One app', need: 'read', answer: AppView })
  get(@CurrentApp() app: App): Promise<AppView> {
    return this.apps.view(app)
  }

  @Endpoint('PATCH', 'apps/:app', { summary: 'Change an app', need: 'admin', body: AppPatch, answer: AppView })
  change(@CurrentApp() app: App, @ValidBody() patch: AppPatch): Promise<AppView> {
    return this.apps.change(app, patch)
  }

  @Endpoint('GET', 'organizations', {
    summary: "The caller's organization",
    need: 'read',
    csv: true,
    answer: Organizations,
  })
  organizations(@CurrentCaller() caller: Caller): Promise<Organizations> {
    return this.apps.organizations(caller)
  }
}
