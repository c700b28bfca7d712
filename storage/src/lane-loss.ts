import type { LanePositions } from './position-range.ts'

/** Positions of a lane that the log has lost. */
export interface LaneLoss extends LanePositions {
  /** true: they are counted, but the lane ends before them; false: they were deleted before they were counted */
  readonly isCut: boolean
}

interface Bounds {
  readonly start: number
  readonly end: number
}

/**
 * Compares the position up to which a lane is counted with the bounds of its log. Returns undefined when counting can
 * continue from there.
 */
export function lossOf(lane: number, counted: number, { start, end }: Bounds): LaneLoss | undefined {
  if (end < counted) return { lane, first: end, next: counted, isCut: true }
  const next = Math.min(start, end)
  return counted < next ? { lane, first: counted, next, isCut: false } : undefined
}

/** Formats the loss as a clause of a message to an operator. */
export function describeLoss({ lane, first, next, isCut }: LaneLoss): string {
  return isCut
    ? `lane ${lane} ends at position ${first}, but ${next} is counted: the topic was created again or truncated`
    : `lane ${lane} has lost positions ${first} to ${next - 1} before they were counted`
}
