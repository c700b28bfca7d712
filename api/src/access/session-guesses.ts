import { Inject, Injectable } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import { CLOCK, type Clock } from '../tokens.ts'
import type { MemberCaller } from './caller.ts'
import { FailureCounter } from './failure-counter.ts'
import { verifyPassword } from './password.ts'

const GUESSES_MAX = 10
const WINDOW_MS = 15 * 60_000

/** Bounds the passwords and codes that are tried in a session: somebody may have found an open one. */
@Injectable()
export class SessionGuesses {
  private readonly clock: Clock
  private readonly failures = new FailureCounter(GUESSES_MAX, WINDOW_MS)

  constructor(@Inject(CLOCK) clock: Clock) {
    this.clock = clock
  }

  /**
   * Runs a check that throws for a wrong guess.
   * @throws HopperError HOP_RATE after too many wrong ones
   */
  try<T>({ login }: MemberCaller, check: () => Promise<T>): Promise<T> {
    return this.failures.guard(login, this.clock(), check)
  }

  /**
   * Checks the current password of the caller, if there is one.
   * @throws HopperError HOP_LOGIN_FAILED, or HOP_RATE after too many wrong ones
   */
  async checkPassword(caller: MemberCaller, stored: string | undefined, sent: string | undefined): Promise<void> {
    if (stored === undefined) return
    await this.try(caller, async () => {
      if (!(await verifyPassword(sent ?? '', stored)))
        throw new HopperError('HOP_LOGIN_FAILED', 'The current password is wrong; correct current_password.')
    })
  }
}
