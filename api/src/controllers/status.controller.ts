import { Controller, Inject } from '@nestjs/common'
import { Status } from '@hopper/contracts'
import type { Caller } from '../access/caller.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentCaller } from '../http/parameters.ts'
import { StatusService } from '../services/status.service.ts'

@Controller('api/v1/status')
export class StatusController {
  private readonly service: StatusService

  constructor(@Inject(StatusService) service: StatusService) {
    this.service = service
  }

  @Endpoint('GET', '', { summary: 'Health of the installation', need: 'read', answer: Status })
  status(@CurrentCaller() caller: Caller): Promise<Status> {
    return this.service.status(caller)
  }
}
