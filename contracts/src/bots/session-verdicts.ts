import { botReasons, type BotReason } from '../events/fate.ts'
import type { EventType } from '../events/event.ts'
import { limits } from '../limits.ts'
import type { OwnVerdict } from './bot-rules.ts'

/** Events of one session that are further apart than this do not decide about each other. */
export const SESSION_REACH_MS = 86_400_000
const MINUTE_MS = 60_000
const actions: ReadonlySet<EventType> = new Set(['click', 'url_change', 'btn_time'])

/** Event of a session. */
export interface SessionEvent {
  /** ms since the epoch */
  readonly timestamp: number
  readonly own: OwnVerdict
  /** see `isAction` */
  readonly isAction: boolean
}

/** Returns whether an event of this type is something that a person does, as opposed to what a page sends by itself. */
export function isAction(type: EventType): boolean {
  return actions.has(type)
}

/**
 * The verdict about the events of one session, from all of them together: their order, batches and time of arrival make
 * no difference. An event has the verdict of the events of its session that are at most a day away, so a session that
 * is not longer has one verdict: human if one of them is human by a rule, else a bot's if one of them is a bot's by
 * itself, or if they were faster than a person can be. Of several reasons, the first of `botReasons` is given.
 */
export class SessionVerdict {
  /** by verdict, the times of the events that speak for it, ascending */
  readonly #times = new Map<BotReason | 'human', number[]>()

  constructor(events: readonly SessionEvent[]) {
    const ordered = [...events].sort((a, b) => a.timestamp - b.timestamp)
    for (const { own, timestamp } of ordered) if (own !== undefined) this.#record(own, timestamp)
    const acted = ordered.filter((event) => event.isAction)
    for (let index = limits.actionsPerMinuteMax; index < acted.length; index++) {
      const first = acted[index - limits.actionsPerMinuteMax]!
      if (acted[index]!.timestamp - first.timestamp < MINUTE_MS) this.#record('rate', acted[index]!.timestamp)
    }
  }

  /** Returns the reason for which an event at this time is a bot's; undefined if it is not. */
  at(timestamp: number): BotReason | undefined {
    if (this.#times.size === 0 || this.#has('human', timestamp)) return undefined
    return botReasons.find((reason) => this.#has(reason, timestamp))
  }

  #record(verdict: BotReason | 'human', timestamp: number): void {
    const times = this.#times.get(verdict)
    if (times) times.push(timestamp)
    else this.#times.set(verdict, [timestamp])
  }

  #has(verdict: BotReason | 'human', timestamp: number): boolean {
    const times = this.#times.get(verdict)
    if (!times) return false
    let [low, high] = [0, times.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (times[middle]! < timestamp - SESSION_REACH_MS) low = middle + 1
      else high = middle
    }
    return low < times.length && times[low]! <= timestamp + SESSION_REACH_MS
  }
}
