import { durationBucket, bucketBounds } from '@hopper/contracts'

/** Whole ms; narrow where all are below 2^32. */
export type Durations = Uint32Array | Float64Array

/** Durations by bin, ascending; those of a bin in no order. Plain data, of which any number can be looked at together. */
export interface BinnedTimes {
  /** ascending, each with a duration */
  readonly bins: Uint16Array
  /** behind the last duration of each of these */
  readonly ends: Uint32Array
  readonly values: Durations
  readonly sum: number
}

/** Durations below 2^31 ms fall into cells: 128 an octave, cut once more where a bucket begins inside. The longer ones go by bucket alone. */
const OCTAVES = 31
const CELLS = OCTAVES * 128
export const BUCKETS = 256
export const BINS = CELLS * 2 + BUCKETS
/** so few values are sorted sooner than counted */
const SORTED_MAX = 512

const cellFrom = (cell: number): number => Math.ceil(2 ** (cell >>> 7) * (1 + (cell & 127) / 128))
const bucketOfCell = Uint8Array.from({ length: CELLS }, (_, cell) => durationBucket(cellFrom(cell)))
/** where the next bucket begins */
const edgeOfCell = Float64Array.from(bucketOfCell, (bucket) => bucketBounds(bucket).to_ms)
/** the bucket that all durations of a bin belong to */
export const bucketOfBin = Uint8Array.from({ length: BINS }, (_, bin) => {
  const cell = bin >>> 1
  if (cell >= CELLS) return bin - CELLS * 2
  return bucketOfCell[cell]! + (edgeOfCell[cell]! < cellFrom(cell + 1) ? bin & 1 : 0)
})

/** Ascending like the durations. */
function binOf(ms: number): number {
  if (ms < 2) return 0
  if (ms >= 2_147_483_648) return CELLS * 2 + durationBucket(ms)
  const zeros = Math.clz32(ms)
  const cell = ((31 - zeros) << 7) | ((ms << zeros << 1) >>> 25)
  return cell * 2 + Number(ms >= edgeOfCell[cell]!)
}

/** In time linear in the durations, unless they are few. These may be sorted in place. */
export function binTimes(durations: Durations): BinnedTimes {
  return durations.length <= SORTED_MAX ? bySorting(durations) : byCounting(durations)
}

function bySorting(durations: Durations): BinnedTimes {
  durations.sort()
  const bins = new Uint16Array(durations.length)
  const ends = new Uint32Array(durations.length)
  let last = -1
  for (let i = 0; i < durations.length; i++) {
    const bin = binOf(durations[i]!)
    if (last < 0 || bins[last] !== bin) bins[++last] = bin
    ends[last] = i + 1
  }
  return { bins: bins.slice(0, last + 1), ends: ends.slice(0, last + 1), values: durations, sum: sumOf(durations) }
}

function byCounting(durations: Durations): BinnedTimes {
  const binOfEach = new Uint16Array(durations.length)
  const places = new Uint32Array(BINS)
  countBins(durations, binOfEach, places)
  const bins = new Uint16Array(BINS)
  const ends = new Uint32Array(BINS)
  let used = 0
  let end = 0
  for (let bin = 0; bin < BINS; bin++) {
    const count = places[bin]!
    if (count === 0) continue
    places[bin] = end
    bins[used] = bin
    ends[used++] = end += count
  }
  const values = durations instanceof Uint32Array ? new Uint32Array(durations.length) : new Float64Array(durations.length)
  scatter(durations, binOfEach, places, values)
  return { bins: bins.slice(0, used), ends: ends.slice(0, used), values, sum: sumOf(durations) }
}

function countBins(durations: Durations, binOfEach: Uint16Array, counts: Uint32Array): void {
  for (let i = 0; i < durations.length; i++) {
    const bin = binOf(durations[i]!)
    binOfEach[i] = bin
    counts[bin]!++
  }
}

function scatter(durations: Durations, binOfEach: Uint16Array, places: Uint32Array, values: Durations): void {
  for (let i = 0; i < durations.length; i++) values[places[binOfEach[i]!]!++] = durations[i]!
}

/** A loop: a callback would make an object of each number. */
function sumOf(durations: Durations): number {
  let sum = 0
  for (let i = 0; i < durations.length; i++) sum += durations[i]!
  return sum
}
