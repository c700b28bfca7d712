import { bucketBounds, type ConversionTime } from '@hopper/contracts'
import { BINS, bucketOfBin, BUCKETS, type BinnedTimes } from './binned-times.ts'

const firstBinOf = Uint16Array.from({ length: BUCKETS }, (_, bucket) => Math.max(0, bucketOfBin.indexOf(bucket)))

/** Median (mean of the middle two when their number is even), average, 90th percentile (nearest rank) and histogram, all exact, of all parts together. */
export function conversionTime(parts: readonly BinnedTimes[]): ConversionTime {
  const n = parts.reduce((total, { values }) => total + values.length, 0)
  if (n === 0) return { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
  const bins = new Uint32Array(BINS)
  const buckets = new Uint32Array(BUCKETS)
  for (const part of parts) count(part, bins, buckets)
  const at = (rank: number): number => {
    const bucket = placeOf(rank, buckets, 0)
    const bin = placeOf(bucket.within, bins, firstBinOf[bucket.place]!)
    return valuesOf(parts, bin.place)[bin.within]!
  }
  return {
    median_ms: (at((n - 1) >>> 1) + at(n >>> 1)) / 2,
    average_ms: parts.reduce((total, { sum }) => total + sum, 0) / n,
    p90_ms: at(Math.ceil(n * 0.9) - 1),
    histogram: histogramOf(buckets),
  }
}

function count({ bins, ends }: BinnedTimes, ofBins: Uint32Array, ofBuckets: Uint32Array): void {
  for (let i = 0, begin = 0; i < bins.length; i++) {
    const size = ends[i]! - begin
    ofBins[bins[i]!]! += size
    ofBuckets[bucketOfBin[bins[i]!]!]! += size
    begin = ends[i]!
  }
}

/** Where the value of a rank is counted, and its rank there; from place `first` on, with which the ranks begin. */
function placeOf(rank: number, counts: Uint32Array, first: number): { readonly place: number; readonly within: number } {
  let place = first
  let before = 0
  while (before + counts[place]! <= rank) before += counts[place++]!
  return { place, within: rank - before }
}

/** The durations of a bin, ascending. */
function valuesOf(parts: readonly BinnedTimes[], bin: number): Float64Array {
  const found = parts.flatMap(({ bins, ends, values }) => {
    const i = bins.indexOf(bin)
    return i < 0 ? [] : Array.from(values.subarray(i > 0 ? ends[i - 1] : 0, ends[i]))
  })
  return Float64Array.from(found).sort()
}

function histogramOf(buckets: Uint32Array): ConversionTime['histogram'] {
  const histogram: { from_ms: number; to_ms: number; count: number }[] = []
  for (let bucket = 0; bucket < BUCKETS; bucket++) if (buckets[bucket]! > 0) histogram.push({ ...bucketBounds(bucket), count: buckets[bucket]! })
  return histogram
}
