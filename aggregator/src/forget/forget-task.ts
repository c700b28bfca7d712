import type { App, Forget, ForgetPart } from '@hopper/contracts'
import type { RewritableLane } from '../lane/rewritable-lane.ts'

/** An app in an owned lane. */
export interface AppLane {
  readonly app: App
  readonly lane: number
  readonly owned: RewritableLane
}

/** One request to forget a person, in one lane. */
export interface ForgetTask extends AppLane {
  readonly forget: Forget
  /** Throws `LaneLost` when the lane was given away, or the process is about to end. */
  readonly assertOwned: () => void
}

/** Stores the state of a part. */
export type SavePart = (part: ForgetPart) => Promise<void>
