import { limits } from '../limits.ts'
import { shiftDate, type TimeZone } from '../time-zone.ts'
import type { BotReason, Fate, FateReason } from './fate.ts'

export type FateVerdict = readonly [Fate, FateReason]

const accepted: FateVerdict = ['accepted', 'new']
const historical: FateVerdict = ['accepted', 'historical']
const late: FateVerdict = ['late', 'after_settled']

/** An event that is kept: neither a repetition, nor rejected. */
export interface KeptEvent {
  /** reason for which it counts as a bot's */
  readonly bot: BotReason | undefined
  readonly historical: true | undefined
  /** ms since the epoch */
  readonly received_at: number
  readonly timestamp: number
  /** local date of the event */
  readonly date: string
}

/** Returns the fate of an event that is kept. */
export function keptFate(event: KeptEvent, zone: TimeZone): FateVerdict {
  const { bot, received_at, timestamp, date } = event
  if (bot !== undefined) return ['bot', bot]
  // A date ends after each of its events, so the calendar is consulted only for events that may be late.
  if (received_at <= timestamp + limits.lateAfterMs) return accepted
  const dateEnd = zone.startOf(shiftDate(date, 1))
  if (received_at <= dateEnd + limits.lateAfterMs) return accepted
  return event.historical ? historical : late
}
