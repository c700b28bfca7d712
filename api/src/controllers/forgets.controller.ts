import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { ForgetAnswer, ForgetsAnswer } from '../answers/forgets.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentApp, PathPart } from '../http/parameters.ts'
import { ForgetsService } from '../services/forgets.service.ts'

const note =
  'A person is `u:USER` (with the events of all its devices that are its own) or `d:DEVICE`; without a prefix it is ' +
  'a user. Events received before the call are removed everywhere; the answer has the id under which `forgets` shows ' +
  'progress and the certificate.'

@Controller('api/v1/apps/:app')
export class ForgetsController {
  private readonly forgets: ForgetsService

  constructor(@Inject(ForgetsService) forgets: ForgetsService) {
    this.forgets = forgets
  }

  @Endpoint('DELETE', 'persons/:person', {
    summary: 'Forget a person',
    need: 'admin',
    note,
    status: 202,
    answer: ForgetAnswer,
  })
  request(@CurrentApp() app: App, @PathPart('person') id: string): Promise<ForgetAnswer> {
    return this.forgets.request(app, id)
  }

  @Endpoint('GET', 'forgets', {
    summary: 'Requests to forget a person, newest first',
    need: 'admin',
    answer: ForgetsAnswer,
  })
  list(@CurrentApp() app: App): Promise<ForgetsAnswer> {
    return this.forgets.list(app)
  }

  @Endpoint('GET', 'forgets/:forget', {
    summary: 'The progress of forgetting a person, and the certificate',
    need: 'admin',
    answer: ForgetAnswer,
  })
  one(@CurrentApp() app: App, @PathPart('forget') id: string): Promise<ForgetAnswer> {
    return this.forgets.one(app, id)
  }
}
