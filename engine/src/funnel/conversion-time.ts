import { bucketBounds, durationBucket, type ConversionTime } from '@hopper/contracts'

/** Durations below 2^31 ms fall into cells: 128 an octave, cut once more where a bucket begins inside. The longer ones go by bucket alone. */
const OCTAVES = 31
const CELLS = OCTAVES * 128
const BUCKETS = 256
/** so few values are sorted sooner than counted */
const SORTED_MAX = 256

const cellFrom = (cell: number): number => Math.ceil(2 ** (cell >>> 7) * (1 + (cell & 127) / 128))
const bucketOfCell = Uint8Array.from({ length: CELLS }, (_, cell) => durationBucket(cellFrom(cell)))
/** where the next bucket begins */
const edgeOfCell = Float64Array.from(bucketOfCell, (bucket) => bucketBounds(bucket).to_ms)

/** Counts by half cell: ascending like the durations. */
function halfCell(ms: number): number {
  if (ms < 2) return 0
  if (ms >= 2_147_483_648) return CELLS * 2 + durationBucket(ms)
  const zeros = Math.clz32(ms)
  const cell = ((31 - zeros) << 7) | ((ms << zeros << 1) >>> 25)
  return cell * 2 + Number(ms >= edgeOfCell[cell]!)
}

function bucketOf(half: number): number {
  return half < CELLS * 2 ? bucketOfCell[half >>> 1]! + (half & 1) : half - CELLS * 2
}

/** Median (mean of the middle two when their number is even), average, 90th percentile (nearest rank) and histogram, all exact. `blocks` hold whole ms. */
export function conversionTime(blocks: readonly Float64Array[]): ConversionTime {
  const n = blocks.reduce((total, { length }) => total + length, 0)
  if (n === 0) return { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
  const ranks = [(n - 1) >>> 1, n >>> 1, Math.ceil(n * 0.9) - 1]
  const { values, histogram } = n <= SORTED_MAX ? bySorting(blocks, ranks) : byCounting(blocks, ranks)
  return { median_ms: (values[0]! + values[1]!) / 2, average_ms: sumOf(blocks) / n, p90_ms: values[2]!, histogram }
}

/** A loop: a callback would make an object of each number. */
function sumOf(blocks: readonly Float64Array[]): number {
  let sum = 0
  for (const block of blocks) for (let i = 0; i < block.length; i++) sum += block[i]!
  return sum
}

interface Ranked {
  /** the values of the ranks */
  readonly values: readonly number[]
  readonly histogram: ConversionTime['histogram']
}

function bySorting(blocks: readonly Float64Array[], ranks: readonly number[]): Ranked {
  const sorted = new Float64Array(blocks.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const block of blocks) {
    sorted.set(block, at)
    at += block.length
  }
  sorted.sort()
  const buckets = new Float64Array(BUCKETS)
  for (let i = 0; i < sorted.length; i++) buckets[bucketOf(halfCell(sorted[i]!))]!++
  return { values: ranks.map((rank) => sorted[rank]!), histogram: histogramOf(buckets) }
}

/** In time linear in the values: only those of the ranks' half cells are sorted. */
function byCounting(blocks: readonly Float64Array[], ranks: readonly number[]): Ranked {
  const counts = new Uint32Array(CELLS * 2 + BUCKETS)
  for (const block of blocks) countHalves(block, counts)
  const buckets = new Float64Array(BUCKETS)
  for (let half = 0; half < counts.length; half++) if (counts[half]! > 0) buckets[bucketOf(half)]! += counts[half]!
  return { values: atRanks(ranks, blocks, counts), histogram: histogramOf(buckets) }
}

function countHalves(block: Float64Array, counts: Uint32Array): void {
  for (let i = 0; i < block.length; i++) counts[halfCell(block[i]!)]!++
}

function histogramOf(buckets: Float64Array): ConversionTime['histogram'] {
  const histogram: { from_ms: number; to_ms: number; count: number }[] = []
  for (let bucket = 0; bucket < buckets.length; bucket++) if (buckets[bucket]! > 0) histogram.push({ ...bucketBounds(bucket), count: buckets[bucket]! })
  return histogram
}

function atRanks(ranks: readonly number[], blocks: readonly Float64Array[], counts: Uint32Array): number[] {
  const places = ranks.map((rank) => placeOf(rank, counts))
  const wanted = new Map(places.map(({ half }) => [half, [] as number[]]))
  const isWanted = new Uint8Array(counts.length)
  for (const half of wanted.keys()) isWanted[half] = 1
  for (const block of blocks) pick(block, isWanted, wanted)
  for (const values of wanted.values()) values.sort((a, b) => a - b)
  return places.map(({ half, within }) => wanted.get(half)![within]!)
}

function pick(block: Float64Array, isWanted: Uint8Array, wanted: ReadonlyMap<number, number[]>): void {
  for (let i = 0; i < block.length; i++) {
    const half = halfCell(block[i]!)
    if (isWanted[half] === 1) wanted.get(half)!.push(block[i]!)
  }
}

function placeOf(rank: number, counts: Uint32Array): { readonly half: number; readonly within: number } {
  let half = 0
  let before = 0
  while (before + counts[half]! <= rank) before += counts[half++]!
  return { half, within: rank - before }
}
