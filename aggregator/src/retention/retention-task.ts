import type { App } from '@hopper/contracts'
import type { RewritableLane } from '../lane/rewritable-lane.ts'

/** An app whose old events expire in one lane. */
export interface RetentionTask {
  /** with the date from which it keeps events */
  readonly app: App & { readonly kept_from: string }
  readonly lane: number
  readonly owned: RewritableLane
  /** events from before this instant (ms) have expired */
  readonly before: number
  /** Throws `LaneLost` when the lane was given away, or the process is about to end. */
  readonly assertOwned: () => void
}
