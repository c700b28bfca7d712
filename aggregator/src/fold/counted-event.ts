import type { Context, Event, StageMatcher, Visitor } from '@hopper/contracts'

/** Event that counts (accepted or late), with everything that the folds of the tables need to know about it. */
export interface CountedEvent<E extends Event = Event> {
  readonly event: E
  readonly context: Context
  readonly visitor: Visitor
  /** whole hours since the app's local date began */
  readonly hour: number
  /** returns a URL as this app stores it */
  readonly page: (url: string) => string
  /** finds the stages of the app's funnels that an event matches; missing where the funnels are not known */
  readonly stages?: StageMatcher | undefined
}
