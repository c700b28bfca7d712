import { decodeNumbers, type EncodedNumbers } from './number-encoding.ts'

/**
 * Times of rows: row i is at `base + offsets[i]`, in ms. Offsets are non-negative integers, 32 bits wide unless the
 * chunk spans more than 49 days.
 */
export interface TimeOffsets {
  readonly base: number
  readonly offsets: Uint32Array | Float64Array
}

const TWO_32 = 4_294_967_296

/** Decodes time offsets; `span` is an upper bound of the offsets, in ms. */
export function decodeOffsets(encoded: EncodedNumbers, starts: Uint32Array, span: number): TimeOffsets {
  const { encoding, planes, base } = encoded
  if (encoding !== 'run-delta' || planes.length > 4 || span >= TWO_32) {
    return offsetsOf(
      decodeNumbers(encoded, starts, () => new Float64Array(0)),
      base,
      span,
    )
  }
  const zero = planes.length < 4 ? new Uint8Array(planes[0]!.length) : planes[0]!
  const offsets = new Uint32Array(planes[0]!.length)
  addRuns(planes[0]!, planes[1] ?? zero, planes[2] ?? zero, planes[3] ?? zero, starts, offsets)
  return { base, offsets }
}

/** Returns times as offsets from `base`; `span` is an upper bound of them, in ms, which decides their width. */
export function offsetsOf(times: Float64Array, base: number, span: number): TimeOffsets {
  const offsets = span < TWO_32 ? new Uint32Array(times.length) : new Float64Array(times.length)
  for (let i = 0; i < times.length; i++) offsets[i] = times[i]! - base
  return { base, offsets }
}

/** Returns the times (ms since the epoch) of offsets. */
export function timesOf({ base, offsets }: TimeOffsets): Float64Array {
  const times = new Float64Array(offsets.length)
  for (let i = 0; i < times.length; i++) times[i] = base + offsets[i]!
  return times
}

/** Sums the deltas of each run. Separate parameters and a separate function compile to the tightest loop. */
function addRuns(
  b0: Uint8Array,
  b1: Uint8Array,
  b2: Uint8Array,
  b3: Uint8Array,
  starts: Uint32Array,
  out: Uint32Array,
): void {
  const runs = starts.length - 1
  for (let run = 0; run < runs; run++) {
    const end = starts[run + 1]!
    let sum = 0
    for (let i = starts[run]!; i < end; i++)
      out[i] = sum = (sum + (b0[i]! | (b1[i]! << 8) | (b2[i]! << 16) | (b3[i]! << 24))) | 0
  }
}
