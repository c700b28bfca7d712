import type { App } from '@hopper/contracts'
import type { ForgettingLane } from '../forget/lane-parts.ts'

/** An app whose old events expire in one lane. */
export interface RetentionPlace {
  /** with the date from which it keeps events */
  readonly app: App & { readonly kept_from: string }
  readonly lane: number
  readonly own: ForgettingLane
  /** events from before this instant (ms) have expired */
  readonly before: number
  /** Throws `NotOurs` when the lane was given away, or the process is about to end. */
  readonly assertOwned: () => void
}
