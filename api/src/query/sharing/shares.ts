import { HopperError } from '@hopper/contracts'

/** Who wants something that others want too: a key or a member, for an app. */
export interface Requester {
  readonly app: string
  /** names the key or the member, see `callerName` */
  readonly caller: string
}

/** How much of something there is, and how much of it one app and one caller may have. */
export interface ShareBounds {
  readonly total: number
  readonly perApp: number
  readonly perCaller: number
}

/** Counts what apps and callers have of something. */
export class Shares {
  readonly #apps = new Map<string, number>()
  readonly #callers = new Map<string, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  ofApp({ app }: Requester): number {
    return this.#apps.get(app) ?? 0
  }

  ofCaller({ caller }: Requester): number {
    return this.#callers.get(caller) ?? 0
  }

  add(asker: Requester, number = 1): void {
    this.#total += number
    change(this.#apps, asker.app, number)
    change(this.#callers, asker.caller, number)
  }

  remove(asker: Requester, number = 1): void {
    this.add(asker, -number)
  }

  /** Whether the asker may have one more. */
  hasRoom(asker: Requester, { total, perApp, perCaller }: ShareBounds): boolean {
    return this.#total < total && this.ofApp(asker) < perApp && this.ofCaller(asker) < perCaller
  }

  /**
   * @param what names the limit in the error: `what`, `what_per_app` or `what_per_caller`
   * @throws HopperError HOP_SHARE when the caller or its app has its whole share, HOP_QUERY_BUSY when all of it is
   * taken
   */
  assertRoom(asker: Requester, { total, perApp, perCaller }: ShareBounds, what: string): void {
    if (this.ofCaller(asker) >= perCaller) throw shareTaken(`${what}_per_caller`, perCaller)
    if (this.ofApp(asker) >= perApp) throw shareTaken(`${what}_per_app`, perApp)
    if (this.#total >= total)
      throw new HopperError('HOP_QUERY_BUSY', `The limit ${what} (${total}) is reached.`, {
        details: { limit: what, max: total },
      })
  }
}

function shareTaken(limit: string, max: number): HopperError {
  return new HopperError('HOP_SHARE', `The limit ${limit} (${max}) is reached.`, {
    details: { limit, max, retry_after_seconds: 1 },
  })
}

function change(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}
