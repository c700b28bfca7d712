/** of a run that has not begun, in `ends` */
export const NOT_BEGUN = 65_535
/** of a unit whose first attempt may not be the furthest: no unit ends at level 0 */
export const LATE_START = 0

/** What became of the units of a chunk. Used again from chunk to chunk. */
export class Followed {
  /** the runs of the units that began: so many of `runs` */
  units = 0
  runs = new Uint32Array(0)
  /** by run: how its unit ended (`endOf`), `LATE_START` or `NOT_BEGUN`, and the row that it began with */
  ends = new Uint16Array(0)
  starts = new Uint32Array(0)
  /** units that are `LATE_START`: all their attempts are to be searched */
  late = 0
  /** durations: from the step before to step `gapSteps`, 0 for all from the first to the last; and the run, whose unit may be `LATE_START` */
  gaps = 0
  gapSteps = new Uint8Array(0)
  gapMs = new Float64Array(0)
  gapOf = new Uint32Array(0)

  /** Makes room for a chunk of so many rows. */
  clear(rows: number): void {
    this.units = this.late = this.gaps = 0
    if (this.ends.length > rows) return
    this.runs = new Uint32Array(rows + 1)
    this.ends = new Uint16Array(rows + 1)
    this.starts = new Uint32Array(rows + 1)
    // a unit has no more durations than rows: the first comes without one, and makes room for that of all
    this.gapSteps = new Uint8Array(rows + 1)
    this.gapMs = new Float64Array(rows + 1)
    this.gapOf = new Uint32Array(rows + 1)
  }

  /** Drops the durations of units that are `LATE_START`. */
  dropLate(): void {
    const { gaps, gapSteps, gapMs, gapOf, ends } = this
    let kept = 0
    for (let i = 0; i < gaps; i++) {
      gapSteps[kept] = gapSteps[i]!
      gapMs[kept] = gapMs[i]!
      gapOf[kept] = gapOf[i]!
      kept += Number(ends[gapOf[i]!] !== LATE_START)
    }
    this.gaps = kept
  }
}
