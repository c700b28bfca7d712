import type { Hesitation } from '@hopper/contracts'

/** Buckets of a histogram that are drawn as one: four in an octave would be hairlines. */
const BUCKETS_PER_BIN = 4

/** A span of durations, with the share of the looks of each group that lasted so long. */
export interface HoverBin {
  readonly from_ms: number
  readonly to_ms: number
  readonly shares: readonly number[]
}

/** Returns the bins of several histograms on one axis, from the shortest to the longest duration of all. */
export function hoverBins(groups: readonly Pick<Hesitation, 'hovers' | 'histogram'>[]): HoverBin[] {
  const edges = [...new Set(groups.flatMap(({ histogram }) => histogram.map(({ from_ms }) => from_ms)))].sort(
    (a, b) => a - b,
  )
  const last = Math.max(0, ...groups.flatMap(({ histogram }) => histogram.map(({ to_ms }) => to_ms)))
  const starts = edges.filter((_, index) => index % BUCKETS_PER_BIN === 0)
  return starts.map((from_ms, index) => {
    const to_ms = starts[index + 1] ?? last
    return {
      from_ms,
      to_ms,
      shares: groups.map(({ hovers, histogram }) => {
        const inside = histogram.filter((bucket) => bucket.from_ms >= from_ms && bucket.from_ms < to_ms)
        const count = inside.reduce((sum, { leave, click }) => sum + leave + click, 0)
        return hovers === 0 ? 0 : count / hovers
      }),
    }
  })
}
