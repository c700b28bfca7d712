import { HopperError } from '@hopper/contracts'

/** Begins the name of the readers of shared links, see `callerName`. */
export const READERS_PREFIX = 'shared links of '

/** Requests a shared resource: a key or a member, for an app. */
export interface Requester {
  readonly app: string
  /** name of the key or member, see `callerName` */
  readonly caller: string
}

/** The size of a resource, in total and per app and caller. */
export interface ShareBounds {
  readonly total: number
  readonly perApp: number
  readonly perCaller: number
}

/** Counts the use of a resource per app and caller. */
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

  add(requester: Requester, number = 1): void {
    this.#total += number
    change(this.#apps, requester.app, number)
    change(this.#callers, requester.caller, number)
  }

  remove(requester: Requester, number = 1): void {
    this.add(requester, -number)
  }

  /** Returns whether the requester may have one more. */
  hasRoom(requester: Requester, { total, perApp, ...bounds }: ShareBounds): boolean {
    const perCaller = callerMaxOf(requester, bounds)
    return this.#total < total && this.ofApp(requester) < perApp && this.ofCaller(requester) < perCaller
  }

  /**
   * @param what name of the limit in the error: `what`, `what_per_app` or `what_per_caller`
   * @throws HopperError HOP_SHARE if the caller or its app has used up its share, HOP_QUERY_BUSY if the total is used
   * up
   */
  assertRoom(requester: Requester, { total, perApp, ...bounds }: ShareBounds, what: string): void {
    const perCaller = callerMaxOf(requester, bounds)
    if (this.ofCaller(requester) >= perCaller) throw shareTaken(`${what}_per_caller`, perCaller)
    if (this.ofApp(requester) >= perApp) throw shareTaken(`${what}_per_app`, perApp)
    if (this.#total >= total)
      throw new HopperError('HOP_QUERY_BUSY', `The limit ${what} (${total}) is reached.`, {
        details: { limit: what, max: total },
      })
  }
}

/** Readers of shared links, who are one caller for each app, get half, so that members of the app always have room. */
function callerMaxOf({ caller }: Requester, { perCaller }: Pick<ShareBounds, 'perCaller'>): number {
  return isReader(caller) ? Math.max(1, Math.floor(perCaller / 2)) : perCaller
}

/** Returns whether the name of a caller is that of the readers of shared links, see `callerName`. */
export function isReader(caller: string | undefined): boolean {
  return caller?.startsWith(READERS_PREFIX) ?? false
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
