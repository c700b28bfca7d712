import type { TimelineEvent } from '../../format/event-text.ts'

/**
 * Bounds of the arrived events that are kept: characters of their texts, and their number; the oldest are dropped
 * first.
 */
export const KEPT_CHARS = 512 * 1024
export const KEPT_EVENTS = 500

/** An event with its sender and its place in the log. */
export interface PlacedEvent extends TimelineEvent {
  readonly device_id: string
  /** the user that the event counts for; a stream does not know it */
  readonly user?: string
  readonly user_id?: string
  readonly context: Readonly<Record<string, unknown>>
  readonly lane: number
  readonly position: number
  readonly index: number
}

/** The same with its fate, as the stream sends it and a page of the newest events has it. */
export interface LiveEvent extends PlacedEvent {
  readonly fate: string
}

/** Events that arrived, the newest first: a bounded number of them. */
export interface LiveList {
  readonly events: readonly { readonly event: LiveEvent; readonly chars: number }[]
  readonly chars: number
  /** number of events so far, with those that were dropped */
  readonly received: number
}

export const emptyList: LiveList = { events: [], chars: 0, received: 0 }

/** Adds events, the newest last, and drops the oldest ones above the bounds. */
export function withArrived(list: LiveList, texts: readonly string[]): LiveList {
  const events = [
    ...texts.map((text) => ({ event: JSON.parse(text) as LiveEvent, chars: text.length })).reverse(),
    ...list.events,
  ]
  let chars = 0
  let kept = 0
  for (; kept < Math.min(events.length, KEPT_EVENTS); kept++) {
    const next = chars + events[kept]!.chars
    // the newest one is shown however large it is
    if (kept > 0 && next > KEPT_CHARS) break
    chars = next
  }
  return { events: events.slice(0, kept), chars, received: list.received + texts.length }
}

/** Returns whether events were dropped, so that there is a gap before the stored ones. */
export function isCut({ events, received }: LiveList): boolean {
  return events.length < received
}

/** Names the place of an event in the log, which no other event has. */
export function placeOf({ lane, position, index }: LiveEvent): string {
  return `${lane}/${position}/${index}`
}

/**
 * Puts events that arrived before the stored ones, each once: a page that was read later has some of them, too. Those
 * of `all` that are not shown are left out of the stored ones, too.
 */
export function joined(shown: LiveList, stored: readonly LiveEvent[], all: LiveList = shown): readonly LiveEvent[] {
  const events = shown.events.map(({ event }) => event)
  if (isCut(shown)) return events
  const known = new Set([...shown.events, ...all.events].map(({ event }) => placeOf(event)))
  return [
    ...events,
    ...stored.filter((event) => {
      const place = placeOf(event)
      return !known.has(place) && known.add(place)
    }),
  ]
}
