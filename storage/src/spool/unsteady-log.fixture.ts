import { HopperError, type Envelope } from '@hopper/contracts'
import type { Appended, EventLog } from '../ports/event-log.ts'

/**
 * Behaviours of the main log of a test: takes everything; refuses; takes it and reports that it did not; leaves it
 * without an answer, taken or not. Hanging appends are answered late, when the behaviour changes.
 */
export const behaviours = ['takes', 'refuses', 'takes unheard', 'hangs', 'hangs, taken'] as const
export type Behaviour = (typeof behaviours)[number]

/** A log whose failure mode is set by the test. */
export interface UnsteadyLog extends EventLog {
  behaviour: Behaviour
  /** number of calls of `append` */
  readonly appendCalls: number
}

const unavailable = (): HopperError => new HopperError('HOP_LOG_UNAVAILABLE', 'as the test wants it')

export function unsteady(log: EventLog): UnsteadyLog {
  let behaviour: Behaviour = 'takes'
  let hanging: (() => void)[] = []
  let appendCalls = 0
  const hang = (): Promise<void> => new Promise((resolve) => hanging.push(resolve))
  const append = async (envelopes: readonly Envelope[]): Promise<readonly Appended[]> => {
    appendCalls++
    const now = behaviour
    if (now === 'takes') return log.append(envelopes)
    if (now === 'takes unheard' || now === 'hangs, taken') await log.append(envelopes)
    if (now.startsWith('hangs')) await hang()
    throw unavailable()
  }
  return {
    lanes: log.lanes,
    append,
    appendMessages: (messages) => log.appendMessages(messages),
    get appendCalls() {
      return appendCalls
    },
    get behaviour() {
      return behaviour
    },
    set behaviour(next) {
      behaviour = next
      hanging.forEach((answer) => answer())
      hanging = []
    },
    subscribe: (consumer) => log.subscribe(consumer),
    read: (...args) => log.read(...args),
    ends: () => log.ends(),
    close: () => log.close(),
  }
}
