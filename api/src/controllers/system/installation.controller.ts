import { Controller, Inject } from '@nestjs/common'
import { AppFates, Disk, Processes, Refusals, type App } from '@hopper/contracts'
import type { Caller } from '../../access/caller.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentApp, CurrentCaller } from '../../http/parameters.ts'
import { InstallationService } from '../../services/installation.service.ts'
import { StatusService } from '../../services/status.service.ts'

@Controller('api/v1')
export class InstallationController {
  private readonly installation: InstallationService
  private readonly status: StatusService

  constructor(
    @Inject(InstallationService) installation: InstallationService,
    @Inject(StatusService) status: StatusService,
  ) {
    this.installation = installation
    this.status = status
  }

  @Endpoint('GET', 'apps/:app/fates', {
    summary: 'What became of the events of the app that were received in the last 30 days, by date and reason',
    need: 'read',
    answer: AppFates,
  })
  fates(@CurrentApp() app: App): Promise<AppFates> {
    return this.status.fatesOf(app)
  }

  @Endpoint('GET', 'disk', {
    summary: 'The disk that the installation uses, by part, and when it is full',
    note: 'Measured every minute by each process that writes files, and of Cassandra as far as it reports sizes.',
    need: 'read',
    answer: Disk,
  })
  disk(): Promise<Disk> {
    return this.installation.disk()
  }

  @Endpoint('GET', 'processes', {
    summary: 'The processes of the installation, their versions, and the last warnings and errors of each',
    note: 'The texts are those of the log, without values. Stored each minute, and a second after a problem.',
    need: 'admin',
    answer: Processes,
  })
  processes(): Promise<Processes> {
    return this.installation.processes()
  }

  @Endpoint('GET', 'refusals', {
    summary: 'Requests to ingest that were refused in the last 30 days, by reason, app and origin',
    note:
      'Of the apps that the caller may see. A request whose key is of no app is shown to the organization that lists ' +
      'its origin for an app, or if there is no other organization.',
    need: 'read',
    answer: Refusals,
  })
  refusals(@CurrentCaller() caller: Caller): Promise<Refusals> {
    return this.installation.refusals(caller)
  }
}
