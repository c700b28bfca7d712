import { Controller, Inject } from '@nestjs/common'
import { AuditRun, Audits, NewAudit } from '@hopper/contracts'
import type { Caller } from '../../access/caller.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentCaller, ValidBody } from '../../http/parameters.ts'
import { AuditsService } from '../../services/audits.service.ts'

@Controller('api/v1/audits')
export class AuditsController {
  private readonly audits: AuditsService

  constructor(@Inject(AuditsService) audits: AuditsService) {
    this.audits = audits
  }

  @Endpoint('GET', '', {
    summary: 'The last audits: recounts that were compared with every table',
    note: 'Of the apps of the organization, and of the whole installation.',
    need: 'read',
    answer: Audits,
  })
  list(@CurrentCaller() caller: Caller): Promise<Audits> {
    return this.audits.list(caller)
  }

  @Endpoint('POST', '', {
    summary: 'Begin an audit',
    note:
      'Of one app, or of all apps of the organization. It runs in the background, one at a time in an installation; ' +
      'GET audits has its progress and its result.',
    need: 'admin',
    status: 202,
    body: NewAudit,
    answer: AuditRun,
  })
  run(@CurrentCaller() caller: Caller, @ValidBody() audit: NewAudit): Promise<AuditRun> {
    return this.audits.run(caller, audit)
  }
}
