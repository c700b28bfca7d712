import type { Fate, FateReason } from '@hopper/contracts'
import type { Judgement, Message } from './judge.ts'

/** Number of events of a batch with the same fate and reason. */
export interface Verdicts {
  readonly fate: Fate
  readonly reason: FateReason
  count: number
}

/** Adds the verdicts of all events of these messages, including those that ingest rejected. */
export function addVerdicts(found: Verdicts[], messages: readonly Message[], { events }: Judgement): void {
  const count = (fate: Fate, reason: FateReason): void => {
    const known = found.find((each) => each.fate === fate && each.reason === reason)
    if (known) known.count++
    else found.push({ fate, reason, count: 1 })
  }
  for (const { fate, reason } of events) count(fate, reason)
  for (const { envelope } of messages) for (const { reason } of envelope.rejected ?? []) count('rejected', reason)
}
