import { Controller, Inject } from '@nestjs/common'
import type { Caller } from '../access/caller.ts'
import { DeadLetters, DeadLettersParameters, LettersToReplay, ReplayedLetters } from '../answers/dead-letters.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentCaller, ValidBody, ValidQuery } from '../http/parameters.ts'
import { DeadLettersService } from '../services/dead-letters.service.ts'

const whose =
  'Of the apps of the organization; a message that names no app of the installation is seen only if it has no other ' +
  'organization.'

@Controller('api/v1/dead-letters')
export class DeadLettersController {
  private readonly letters: DeadLettersService

  constructor(@Inject(DeadLettersService) letters: DeadLettersService) {
    this.letters = letters
  }

  @Endpoint('GET', '', {
    summary: 'Messages of the log that could not be counted',
    note: whose,
    need: 'admin',
    query: DeadLettersParameters,
    csv: true,
    answer: DeadLetters,
  })
  page(@CurrentCaller() caller: Caller, @ValidQuery() parameters: DeadLettersParameters): Promise<DeadLetters> {
    return this.letters.page(caller, parameters)
  }

  @Endpoint('POST', 'replay', {
    summary: 'Append dead letters to the log again, as they are or corrected',
    note:
      `${whose} Each is appended once, also if the call is interrupted and made again with the same content; the ` +
      'aggregator then counts it. One that still cannot be counted stays in the list.',
    need: 'admin',
    status: 200,
    body: LettersToReplay,
    answer: ReplayedLetters,
  })
  replay(@CurrentCaller() caller: Caller, @ValidBody() parameters: LettersToReplay): Promise<ReplayedLetters> {
    return this.letters.replay(caller, parameters)
  }
}
