import type { EventsAnswer } from '@hopper/contracts'
import type { Agent } from './agent.ts'
import { Dropped, type Incoming } from './incoming.ts'

/** What a sender is told about its events, once they are durable. */
export function answerOf(results: readonly (Incoming | Dropped)[], { bot }: Agent): EventsAnswer {
  const rejected = results.some((result) => result instanceof Dropped) ? results.flatMap(rejection) : []
  const accepted = results.length - rejected.length
  return { accepted, rejected, ...(bot !== undefined && accepted > 0 && { bot: accepted, bot_reason: bot }) }
}

function rejection(result: Incoming | Dropped, index: number): EventsAnswer['rejected'] {
  return result instanceof Dropped ? [{ index, reason: result.reason, message: result.message }] : []
}
