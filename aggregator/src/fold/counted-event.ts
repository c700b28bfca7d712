import type { Context, Event, StageMatcher, Visitor } from '@hopper/contracts'

/** An event that counts (accepted or late), with all that the folds of the tables need to know about it. */
export interface CountedEvent<E extends Event = Event> {
  readonly event: E
  readonly context: Context
  readonly visitor: Visitor
  /** whole hours since the app's local date began */
  readonly hour: number
  /** a URL as this app stores it */
  readonly page: (url: string) => string
  /** which stages of the app's funnels an event means; missing where the funnels are not known */
  readonly stages?: StageMatcher | undefined
}
