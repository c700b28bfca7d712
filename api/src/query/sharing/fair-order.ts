import type { Requester, Shares } from './shares.ts'

/** Maximum number of apps and of callers whose last turn is remembered; a forgotten one counts as not served yet. */
const REMEMBERED_MAX = 10_000

/**
 * Picks the next requester: first the one whose app and caller have the least work running, then the one whose app and
 * caller were served longest ago. A caller with many apps counts as one, and so does an app with many callers, which
 * then take turns among themselves.
 */
export class FairOrder {
  readonly #running: Shares
  readonly #apps = new Map<string, number>()
  readonly #callers = new Map<string, number>()
  #turns = 0

  constructor(atWork: Shares) {
    this.#running = atWork
  }

  /** Returns the next requester; `waiting` is in arrival order. */
  first<W extends Requester>(waiting: Iterable<W>): W | undefined {
    let best: W | undefined
    for (const each of waiting) if (!best || this.#before(each, best)) best = each
    return best
  }

  served({ app, caller }: Requester): void {
    this.#turns++
    remember(this.#apps, app, this.#turns)
    remember(this.#callers, caller, this.#turns)
  }

  #before(a: Requester, b: Requester): boolean {
    const [ranks, others] = [this.#ranks(a), this.#ranks(b)]
    const differing = ranks.findIndex((rank, i) => rank !== others[i])
    return differing >= 0 && ranks[differing]! < others[differing]!
  }

  /** Lists the ranks, most important first; lower goes first. */
  #ranks(requester: Requester): number[] {
    const [appWork, callerWork] = [this.#running.ofApp(requester), this.#running.ofCaller(requester)]
    const [appTurn, callerTurn] = [this.#apps.get(requester.app) ?? 0, this.#callers.get(requester.caller) ?? 0]
    return [Math.max(appWork, callerWork), Math.max(appTurn, callerTurn), callerWork, callerTurn]
  }
}

function remember(turns: Map<string, number>, name: string, turn: number): void {
  turns.delete(name)
  turns.set(name, turn)
  if (turns.size > REMEMBERED_MAX) turns.delete(turns.keys().next().value!)
}
