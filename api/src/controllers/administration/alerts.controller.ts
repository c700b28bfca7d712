import { Controller, Inject } from '@nestjs/common'
import { AlertPatch, AlertView, Alerts, ChangedAlert, NewAlert, TestedAlert, type App } from '@hopper/contracts'
import type { Caller } from '../../access/caller.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentApp, CurrentCaller, PathPart, ValidBody } from '../../http/parameters.ts'
import { AlertsService } from '../../services/administration/alerts.service.ts'

const SECRET_NOTE = 'The secret that signs its webhooks is in the answer when it is new, and only then.'

@Controller('api/v1/apps/:app/alerts')
export class AlertsController {
  private readonly alerts: AlertsService

  constructor(@Inject(AlertsService) alerts: AlertsService) {
    this.alerts = alerts
  }

  @Endpoint('GET', '', {
    summary: 'The alerts of the app, with their last check and their last notices',
    note: 'Addresses are shown to admins only.',
    need: 'read',
    answer: Alerts,
  })
  list(@CurrentApp() app: App, @CurrentCaller() caller: Caller): Promise<Alerts> {
    return this.alerts.list(app, caller)
  }

  @Endpoint('GET', ':alert', { summary: 'One alert', need: 'read', answer: AlertView })
  one(@CurrentApp() app: App, @PathPart('alert') id: string, @CurrentCaller() caller: Caller): Promise<AlertView> {
    return this.alerts.one(app, id, caller)
  }

  @Endpoint('POST', '', {
    summary: 'Create an alert: a rule, and where its notices go',
    note: SECRET_NOTE,
    need: 'admin',
    body: NewAlert,
    answer: ChangedAlert,
  })
  create(@CurrentApp() app: App, @ValidBody() alert: NewAlert, @CurrentCaller() caller: Caller): Promise<ChangedAlert> {
    return this.alerts.create(app, alert, caller)
  }

  @Endpoint('PATCH', ':alert', {
    summary: 'Change or silence an alert',
    note: SECRET_NOTE,
    need: 'admin',
    body: AlertPatch,
    answer: ChangedAlert,
  })
  change(
    @CurrentApp() app: App,
    @PathPart('alert') id: string,
    @ValidBody() patch: AlertPatch,
    @CurrentCaller() caller: Caller,
  ): Promise<ChangedAlert> {
    return this.alerts.change(app, id, patch, caller)
  }

  @Endpoint('DELETE', ':alert', { summary: 'Remove an alert', need: 'admin' })
  remove(@CurrentApp() app: App, @PathPart('alert') id: string): Promise<void> {
    return this.alerts.remove(app, id)
  }

  @Endpoint('POST', ':alert/test', {
    summary: 'Send a test notice now',
    note: 'Makes one attempt on each channel, also of a silenced alert, and answers how it went.',
    need: 'admin',
    status: 200,
    answer: TestedAlert,
  })
  async test(@CurrentApp() app: App, @PathPart('alert') id: string): Promise<TestedAlert> {
    return { notice: await this.alerts.test(app, id) }
  }
}
