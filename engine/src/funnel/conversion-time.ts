import { bucketBounds, durationBucket, type ConversionTime } from '@hopper/contracts'

/**
 * Durations below 2^31 ms are assigned to cells, 128 per octave; a cell in which a bucket begins is split there. Longer
 * durations are only assigned to buckets.
 */
const OCTAVES = 31
const CELLS = OCTAVES * 128
const BUCKETS = 256
/**
 * From this number on, durations are counted by half cell, in the thread that found them. Fewer are counted by bucket,
 * because there are fewer buckets than half cells to iterate over.
 */
const COUNTED_MIN = 10_000

const cellFrom = (cell: number): number => Math.ceil(2 ** (cell >>> 7) * (1 + (cell & 127) / 128))
const bucketOfCell = Uint8Array.from({ length: CELLS }, (_, cell) => durationBucket(cellFrom(cell)))
/** start of the next bucket, in ms */
const edgeOfCell = Float64Array.from(bucketOfCell, (bucket) => bucketBounds(bucket).to_ms)

/** Returns the half cell of a duration; half cells ascend like the durations. */
function halfCell(ms: number): number {
  if (ms < 2) return 0
  if (ms >= 2_147_483_648) return CELLS * 2 + durationBucket(ms)
  const zeros = Math.clz32(ms)
  const cell = ((31 - zeros) << 7) | (((ms << zeros) << 1) >>> 25)
  return cell * 2 + Number(ms >= edgeOfCell[cell]!)
}

function bucketOf(half: number): number {
  return half < CELLS * 2 ? bucketOfCell[half >>> 1]! + (half & 1) : half - CELLS * 2
}

/**
 * Durations counted by half cell, as plain data: the thread that finds them counts them, merging only adds the counts.
 */
export interface CountedDurations {
  count: number
  /** ms */
  sum: number
  readonly halves: Uint32Array
}

/** Counts durations by half cell; `blocks` contain whole ms. */
export function countDurations(blocks: readonly Float64Array[]): CountedDurations {
  const halves = new Uint32Array(CELLS * 2 + BUCKETS)
  const counted: CountedDurations = { count: 0, sum: 0, halves }
  for (const block of blocks) {
    counted.count += block.length
    counted.sum += countHalves(block, halves)
  }
  return counted
}

/** Counts durations if there are at least `COUNTED_MIN`; fewer are cheaper to count after merging. */
export function countedWhenMany(blocks: readonly Float64Array[]): CountedDurations | undefined {
  return countOf(blocks) < COUNTED_MIN ? undefined : countDurations(blocks)
}

/** Adds counted durations to others, in place. */
export function addDurations(to: CountedDurations, { count, sum, halves }: CountedDurations): void {
  to.count += count
  to.sum += sum
  for (let half = 0; half < halves.length; half++) to.halves[half]! += halves[half]!
}

/**
 * Computes the median (mean of the middle two for an even number), average, 90th percentile (nearest rank) and
 * histogram, all exact. `counted` contains the counts of all blocks, if known.
 */
export function conversionTime(blocks: readonly Float64Array[], counted?: CountedDurations): ConversionTime {
  const count = counted?.count ?? countOf(blocks)
  if (count === 0) return { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
  const ranks = [(count - 1) >>> 1, count >>> 1, Math.ceil(count * 0.9) - 1]
  const fine = counted ?? countedWhenMany(blocks)
  const { values, sum, buckets } = fine ? byHalfCell(blocks, ranks, fine) : byBucket(blocks, ranks)
  return {
    median_ms: (values[0]! + values[1]!) / 2,
    average_ms: sum / count,
    p90_ms: values[2]!,
    histogram: histogramOf(buckets),
  }
}

function countOf(blocks: readonly Float64Array[]): number {
  return blocks.reduce((total, { length }) => total + length, 0)
}

interface Ranked {
  /** the values at the ranks */
  readonly values: readonly number[]
  readonly sum: number
  /** number of durations by bucket */
  readonly buckets: Uint32Array
}

function byBucket(blocks: readonly Float64Array[], ranks: readonly number[]): Ranked {
  const buckets = new Uint32Array(BUCKETS)
  let sum = 0
  for (const block of blocks) {
    for (let i = 0; i < block.length; i++) {
      const ms = block[i]!
      sum += ms
      buckets[bucketOf(halfCell(ms))]!++
    }
  }
  return { values: atRanks(ranks, blocks, buckets, rangeOfBucket), sum, buckets }
}

function byHalfCell(
  blocks: readonly Float64Array[],
  ranks: readonly number[],
  { sum, halves }: CountedDurations,
): Ranked {
  const buckets = new Uint32Array(BUCKETS)
  for (let half = 0; half < halves.length; half++) if (halves[half]! > 0) buckets[bucketOf(half)]! += halves[half]!
  return { values: atRanks(ranks, blocks, halves, rangeOfHalf), sum, buckets }
}

/** Adds the durations of a block to the counts; returns their sum. */
function countHalves(block: Float64Array, halves: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < block.length; i++) {
    const ms = block[i]!
    sum += ms
    halves[halfCell(ms)]!++
  }
  return sum
}

function histogramOf(buckets: Uint32Array): ConversionTime['histogram'] {
  const histogram: { from_ms: number; to_ms: number; count: number }[] = []
  for (let bucket = 0; bucket < buckets.length; bucket++)
    if (buckets[bucket]! > 0) histogram.push({ ...bucketBounds(bucket), count: buckets[bucket]! })
  return histogram
}

/**
 * Selects the values at three ascending ranks, in time linear in the values: only the values in the cells of the ranks
 * are sorted. `counts` are by cell, ascending like the values.
 */
function atRanks(
  ranks: readonly number[],
  blocks: readonly Float64Array[],
  counts: Uint32Array,
  rangeOf: (cell: number) => Range,
): number[] {
  const places = ranks.map((rank) => placeOf(rank, counts))
  const ranges = places.map(({ cell }, index) =>
    places.findIndex((place) => place.cell === cell) === index ? rangeOf(cell) : emptyRange(),
  )
  for (const block of blocks) pick(block, ranges)
  const sorted = ranges.map(({ values }) => Float64Array.from(values).sort())
  return places.map(({ cell, within }) => sorted[places.findIndex((place) => place.cell === cell)]![within]!)
}

/** The range of a cell in whole ms, given by its middle, and the values found in it. */
interface Range {
  readonly middle: number
  /** distance from the middle to the first and to the last value; negative for an empty range */
  readonly radius: number
  readonly values: number[]
}

function rangeOfHalf(half: number): Range {
  return rangeFrom(firstOf(half), firstOf(half + 1))
}

function rangeOfBucket(bucket: number): Range {
  const { from_ms, to_ms } = bucketBounds(bucket)
  return rangeFrom(from_ms, to_ms)
}

/** Creates the range from `from` inclusive to `to` exclusive. */
function rangeFrom(from: number, to: number): Range {
  return { middle: (from + to - 1) / 2, radius: (to - 1 - from) / 2, values: [] }
}

function emptyRange(): Range {
  return { middle: 0, radius: -1, values: [] }
}

/**
 * Collects the values in the ranges in one pass. Almost no value is within a radius of a middle, so the branch
 * predictor is nearly always right; it could not predict comparisons with the bounds.
 */
function pick(block: Float64Array, ranges: readonly Range[]): void {
  const [low, middle, high] = [ranges[0]!, ranges[1]!, ranges[2]!]
  const [lowAt, lowRadius, middleAt, middleRadius, highAt, highRadius] = [
    low.middle,
    low.radius,
    middle.middle,
    middle.radius,
    high.middle,
    high.radius,
  ]
  for (let i = 0; i < block.length; i++) {
    const ms = block[i]!
    if (Math.abs(ms - lowAt) <= lowRadius) low.values.push(ms)
    else if (Math.abs(ms - middleAt) <= middleRadius) middle.values.push(ms)
    else if (Math.abs(ms - highAt) <= highRadius) high.values.push(ms)
  }
}

/** Returns the smallest whole ms of a half cell, or of the next non-empty one. */
function firstOf(half: number): number {
  let [low, high] = [0, Number.MAX_SAFE_INTEGER]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (halfCell(middle) >= half) high = middle
    else low = middle + 1
  }
  return low
}

function placeOf(rank: number, counts: Uint32Array): { readonly cell: number; readonly within: number } {
  let cell = 0
  let before = 0
  while (before + counts[cell]! <= rank) before += counts[cell++]!
  return { cell, within: rank - before }
}
