import { limits, type BotReason, type EventChange, type EventsAnswer } from '@hopper/contracts'
import type { Change, Changes } from '../repair/changes.ts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

/** Accepted events that bots have sent, by reason. */
export type Bots = ReadonlyMap<BotReason, number>

/** Builds the answer to a request, once its events are durable. */
export function answerOf(results: readonly (Incoming | Dropped)[], ofBody: Changes, bots: Bots): EventsAnswer {
  const rejected = results.some((result) => result instanceof Dropped) ? results.flatMap(rejection) : []
  const [first] = bots.keys()
  return {
    accepted: results.length - rejected.length,
    rejected,
    ...listChanges(results, ofBody),
    ...(first !== undefined && { bot: sumOf(bots), bot_reason: first }),
  }
}

function sumOf(bots: Bots): number {
  return [...bots.values()].reduce((sum, events) => sum + events, 0)
}

function rejection(result: Incoming | Dropped, index: number): EventsAnswer['rejected'] {
  return result instanceof Dropped ? [{ index, reason: result.reason, message: result.message }] : []
}

/** Lists the changes of accepted events; changes of rejected events do not matter, since they are not stored. */
function listChanges(
  results: readonly (Incoming | Dropped)[],
  ofBody: Changes,
): Pick<EventsAnswer, 'changed' | 'changed_total'> | undefined {
  const named: EventChange[] = withIndex(ofBody.named, null)
  let total = ofBody.total
  for (const result of results) {
    if (result instanceof Dropped || result.changes === undefined) continue
    total += result.changes.total
    if (named.length < limits.changesNamedMax) named.push(...withIndex(result.changes.named, result.index))
  }
  if (total === 0) return undefined
  const first = named.slice(0, limits.changesNamedMax)
  return { changed: first, ...(total > first.length && { changed_total: total }) }
}

function withIndex(changes: readonly Change[], index: number | null): EventChange[] {
  return changes.map((change) => ({ index, ...change }))
}
