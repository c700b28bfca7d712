import { HopperError } from '@hopper/contracts'
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'

const VERDICTS_MAX = 1_000
const APPS_MAX = 1_000
/** Share of the time that the patterns of one app may take, and how much of it may be saved up, in ms. */
const SHARE = 0.05
const SAVED_MS_MAX = 500

/** Regular expression of a rule. RE2 takes time linear in the user agent; one that is known is not tested again. */
export class UserAgentPattern {
  readonly #pattern: RE2JS | undefined
  readonly #verdicts = new LRUCache<string, boolean>({ max: VERDICTS_MAX })

  /** @param text one that the API has checked; nothing matches another one */
  constructor(text: string) {
    try {
      this.#pattern = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE)
    } catch {
      this.#pattern = undefined
    }
  }

  /** @throws HopperError HOP_RATE if the app has used up its time */
  matches(userAgent: string, time: PatternTime | undefined): boolean {
    const known = this.#verdicts.get(userAgent)
    if (known !== undefined) return known
    const test = (): boolean => this.#pattern?.matcher(userAgent).find() ?? false
    const verdict = time ? time.spend(test) : test()
    this.#verdicts.set(userAgent, verdict)
    return verdict
  }
}

/**
 * Time that the patterns of one app may take. Linear is not short: who sends ever new user agents to an app with a
 * costly pattern would hold up the events of all others.
 */
export class PatternTime {
  readonly #clock: () => number
  #left = SAVED_MS_MAX
  #at: number

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#at = clock()
  }

  spend<T>(work: () => T): T {
    const begin = this.#clock()
    this.#left = Math.min(SAVED_MS_MAX, this.#left + (begin - this.#at) * SHARE)
    this.#at = begin
    if (this.#left <= 0)
      throw new HopperError(
        'HOP_RATE',
        'The rules of this app about user agents take too long; an admin makes their regular expressions simpler.',
        { details: { rate: 'patterns', by: 'app', retry_after: Math.ceil((1 - this.#left) / SHARE / 1_000) } },
      )
    try {
      return work()
    } finally {
      this.#left -= this.#clock() - begin
    }
  }
}

const times = new LRUCache<string, PatternTime>({ max: APPS_MAX })

/** Returns the time of an app in this process. */
export function patternTimeOf(app: string): PatternTime {
  let time = times.get(app)
  if (!time) times.set(app, (time = new PatternTime()))
  return time
}
