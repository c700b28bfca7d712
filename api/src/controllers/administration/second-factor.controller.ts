import { Controller, Inject } from '@nestjs/common'
import type { MemberCaller } from '../../access/caller.ts'
import {
  CodeBody,
  NewSecondFactor,
  NewSecondFactorBody,
  RecoveryCodes,
  SecondFactorView,
} from '../../answers/second-factor.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentCaller, ValidBody } from '../../http/parameters.ts'
import { SecondFactorService } from '../../services/administration/second-factor.service.ts'

@Controller('api/v1/me/second-factor')
export class SecondFactorController {
  private readonly factors: SecondFactorService

  constructor(@Inject(SecondFactorService) factors: SecondFactorService) {
    this.factors = factors
  }

  @Endpoint('GET', '', { summary: 'Your second factor', need: 'login', answer: SecondFactorView })
  view(@CurrentCaller() caller: MemberCaller): Promise<SecondFactorView> {
    return this.factors.view(caller)
  }

  @Endpoint('POST', '', {
    summary: 'Create the secret of a second factor',
    note: 'A login needs codes once PUT has sent the first one.',
    need: 'login',
    body: NewSecondFactorBody,
    answer: NewSecondFactor,
    status: 200,
  })
  begin(
    @CurrentCaller() caller: MemberCaller,
    @ValidBody() { current_password: password }: NewSecondFactorBody,
  ): Promise<NewSecondFactor> {
    return this.factors.begin(caller, password)
  }

  @Endpoint('PUT', '', {
    summary: 'Turn the second factor on with its first code',
    note: 'Ends your other sessions.',
    need: 'login',
    body: CodeBody,
    answer: RecoveryCodes,
  })
  async confirm(@CurrentCaller() caller: MemberCaller, @ValidBody() { code }: CodeBody): Promise<RecoveryCodes> {
    return { recovery_codes: await this.factors.confirm(caller, code) }
  }

  @Endpoint('DELETE', '', { summary: 'Turn the second factor off, with a code', need: 'login', body: CodeBody })
  remove(@CurrentCaller() caller: MemberCaller, @ValidBody() { code }: CodeBody): Promise<void> {
    return this.factors.remove(caller, code)
  }
}
