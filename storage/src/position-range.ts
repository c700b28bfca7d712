/** Positions of a lane from `first` up to, but not including, `next`. */
export interface PositionRange {
  readonly first: number
  readonly next: number
}

/** Positions of one of several lanes. */
export interface LanePositions extends PositionRange {
  readonly lane: number
}
