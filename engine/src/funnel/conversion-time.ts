import { bucketBounds, durationBucket, type ConversionTime } from '@hopper/contracts'

const OCTAVES = 31
const CELLS_PER_OCTAVE = 128
const bits = new Float64Array(1)
const words = new Uint32Array(bits.buffer)

/** The exponent and the first 7 bits of a double from 2 on, counted from those of 2. */
function cellOf(ms: number): number {
  bits[0] = ms
  return (words[1]! >>> 13) - 131_072
}

const bounds = Float64Array.from({ length: OCTAVES * 4 + 1 }, (_, bucket) => bucketBounds(bucket).from_ms)
const bucketOfCell = Uint8Array.from({ length: (OCTAVES - 1) * CELLS_PER_OCTAVE }, (_, cell) =>
  durationBucket(2 ** (1 + Math.floor(cell / CELLS_PER_OCTAVE)) * (1 + (cell % CELLS_PER_OCTAVE) / CELLS_PER_OCTAVE)),
)

/** `durationBucket` without a logarithm, for the millions: a cell has at most one bound in it. */
function bucketOf(ms: number): number {
  if (ms < 2) return 0
  if (ms >= 2_147_483_648) return durationBucket(ms)
  const bucket = bucketOfCell[cellOf(ms)]!
  return bucket + Number(ms >= bounds[bucket + 1]!)
}

/** Median (mean of the middle two when their number is even), average, 90th percentile (nearest rank) and histogram, all exact. */
export function conversionTime(values: Float64Array): ConversionTime {
  const n = values.length
  if (n === 0) return { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
  const counts = new Float64Array(256)
  const buckets = new Uint8Array(n)
  let sum = 0
  for (let i = 0; i < n; i++) {
    const bucket = bucketOf(values[i]!)
    buckets[i] = bucket
    counts[bucket]!++
    sum += values[i]!
  }
  const at = ranks(values, buckets, counts)
  return {
    median_ms: (at((n - 1) >>> 1) + at(n >>> 1)) / 2,
    average_ms: sum / n,
    p90_ms: at(Math.ceil(n * 0.9) - 1),
    histogram: Array.from(counts.entries()).flatMap(([bucket, count]) => (count > 0 ? [{ ...bucketBounds(bucket), count }] : [])),
  }
}

/** The value of a rank: only the values of its bucket are sorted. */
function ranks(values: Float64Array, buckets: Uint8Array, counts: Float64Array): (rank: number) => number {
  const sorted = new Map<number, Float64Array>()
  return (rank) => {
    let bucket = 0
    let before = 0
    while (before + counts[bucket]! <= rank) before += counts[bucket++]!
    let of = sorted.get(bucket)
    if (!of) sorted.set(bucket, (of = valuesOf(bucket, values, buckets, counts[bucket]!).sort()))
    return of[rank - before]!
  }
}

function valuesOf(bucket: number, values: Float64Array, buckets: Uint8Array, count: number): Float64Array {
  const of = new Float64Array(count)
  for (let i = 0, n = 0; n < count; i++) if (buckets[i] === bucket) of[n++] = values[i]!
  return of
}
