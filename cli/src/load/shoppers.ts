import { agents, type Agent } from './agents.ts'
import type { Random } from './random.ts'
import { homeOf, type Home } from './sessions.ts'

const ACCOUNT_CHANCE = 0.4
const SECOND_DEVICE_CHANCE = 0.25

/** One device used by one person. */
export interface Shopper {
  readonly device: string
  readonly agent: Agent
  readonly home: Home
  /** the user id that the person logs in with; two devices of one person have the same */
  readonly user: string | undefined
  /** 0..1: how likely this person is to continue to the next step */
  readonly interest: number
  visits: number
  busyUntil: number
}

/** All visitors so far. New ones are created, and old ones return: the more recent, the more likely. */
export class Shoppers {
  readonly #random: Random
  readonly #known: Shopper[] = []
  #people = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Returns a shopper who begins a visit at this time. */
  arriving(startMs: number, newcomerChance: number, random: Random): Shopper {
    if (this.#known.length > 0 && !random.chance(newcomerChance)) {
      const back = Math.floor(this.#known.length * random.next() ** 2.5)
      const shopper = this.#known[this.#known.length - 1 - back]!
      if (shopper.busyUntil < startMs) return shopper
    }
    return this.#newcomer(random)
  }

  #newcomer(random: Random): Shopper {
    const fork = this.#random.fork(String(this.#known.length))
    const owner =
      fork.chance(SECOND_DEVICE_CHANCE) && this.#known.length > 0 ? random.pick(this.#known).user : undefined
    const user =
      owner ?? (fork.chance(ACCOUNT_CHANCE) ? `customer-${String(++this.#people).padStart(5, '0')}` : undefined)
    const shopper: Shopper = {
      device: `d-${fork.id()}`,
      agent: fork.weighted(agents),
      // apart, so that it takes no number away from the others
      home: homeOf(fork.fork('home')),
      user,
      interest: Math.min(1, Math.max(0, 0.5 + 0.2 * fork.normal() + (user === undefined ? -0.08 : 0.1))),
      visits: 0,
      busyUntil: 0,
    }
    this.#known.push(shopper)
    return shopper
  }
}
