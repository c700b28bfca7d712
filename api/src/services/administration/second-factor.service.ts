import { Inject, Injectable } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { MemberCaller } from '../../access/caller.ts'
import { endLogins } from '../../access/logins.ts'
import { SecondFactors, type NewSecondFactor } from '../../access/second-factors.ts'
import { SessionGuesses } from '../../access/session-guesses.ts'
import type { SecondFactorView } from '../../answers/second-factor.ts'
import { REGISTRY } from '../../tokens.ts'

/** Lets members manage their second factor. */
@Injectable()
export class SecondFactorService {
  private readonly registry: Registry
  private readonly factors: SecondFactors
  private readonly guesses: SessionGuesses

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(SecondFactors) factors: SecondFactors,
    @Inject(SessionGuesses) guesses: SessionGuesses,
  ) {
    this.registry = registry
    this.factors = factors
    this.guesses = guesses
  }

  async view(caller: MemberCaller): Promise<SecondFactorView> {
    const owner = ownerOf(caller)
    const [on, recovery_codes_left] = await Promise.all([
      this.factors.isOn(owner),
      this.factors.recoveryCodesLeft(owner),
    ])
    return { on, recovery_codes_left }
  }

  /** Creates a secret for the member's authenticator; a member with a password must send it. */
  async begin(caller: MemberCaller, current: string | undefined): Promise<NewSecondFactor> {
    const { password } = (await this.registry.members.get(caller.organization, caller.member))!
    await this.guesses.checkPassword(caller, password, current)
    return this.factors.begin(ownerOf(caller))
  }

  /** Turns the second factor on and ends the other logins, which were made without it. Returns the recovery codes. */
  async confirm(caller: MemberCaller, code: string): Promise<string[]> {
    const codes = await this.guesses.try(caller, () => this.factors.confirm(ownerOf(caller), code))
    await endLogins(this.registry, ownerOf(caller), caller.login)
    return codes
  }

  async remove(caller: MemberCaller, code: string): Promise<void> {
    const owner = ownerOf(caller)
    if (!(await this.factors.isOn(owner))) throw new HopperError('HOP_NOT_FOUND', 'You have no second factor.')
    await this.guesses.try(caller, () => this.factors.check(owner, code))
    await this.factors.remove(owner)
  }
}

function ownerOf({ organization, member }: MemberCaller): { organization: string; id: string } {
  return { organization, id: member }
}
