import type { NumberColumn } from '../event-keys.ts'
import { joinIntegers, splitIntegers, unzigzag, zigzag, type Planes } from './integer-planes.ts'

/**
 * Encoding of a column of whole numbers. `run-delta`: the difference from the previous row within a device's run; for
 * the first row of a run the difference from `base`. `from-timestamp`: the difference from the event's timestamp.
 * `zigzag`: the differences are signed and therefore zigzag coded.
 */
export type NumberEncoding = 'plain' | 'run-delta' | 'zigzag-run-delta' | 'zigzag-from-timestamp'

/** A column of whole numbers as encoded in its frame. */
export interface EncodedNumbers {
  readonly encoding: NumberEncoding
  readonly planes: Planes
  readonly base: number
}

export const numberEncodings: Readonly<Record<NumberColumn, NumberEncoding>> = {
  timestamp: 'run-delta',
  seq: 'zigzag-run-delta',
  position: 'zigzag-run-delta',
  index: 'plain',
  received_at: 'zigzag-from-timestamp',
}

/** Encodes a column; `runs` contains the number of rows of each device. */
export function encodeNumbers(
  column: NumberColumn,
  values: Float64Array,
  base: number,
  runs: Uint32Array,
  timestamps: Float64Array,
): Planes {
  const out = new Float64Array(values.length)
  const encoding = numberEncodings[column]
  if (encoding === 'plain') return splitIntegers(values)
  if (encoding === 'zigzag-from-timestamp') {
    for (let i = 0; i < values.length; i++) out[i] = zigzag(values[i]! - timestamps[i]!)
    return splitIntegers(out)
  }
  let i = 0
  for (const rows of runs) {
    let before = base
    for (const end = i + rows; i < end; i++) {
      const delta = values[i]! - before
      out[i] = encoding === 'run-delta' ? delta : zigzag(delta)
      before = values[i]!
    }
  }
  return splitIntegers(out)
}

/** Returns the number of each row. `timestamps` is only called where the encoding is relative to them. */
export function decodeNumbers(
  { encoding, planes, base }: EncodedNumbers,
  starts: Uint32Array,
  timestamps: () => Float64Array,
): Float64Array {
  if (encoding === 'run-delta' && planes.length === 4) return addFourPlanes(planes, base, starts)
  const values = joinIntegers(planes)
  if (encoding === 'plain') return values
  if (encoding === 'zigzag-from-timestamp') {
    const times = timestamps()
    for (let i = 0; i < values.length; i++) values[i] = unzigzag(values[i]!) + times[i]!
    return values
  }
  const signed = encoding !== 'run-delta'
  for (let run = 0; run < starts.length - 1; run++) {
    let sum = base
    for (let i = starts[run]!, end = starts[run + 1]!; i < end; i++)
      values[i] = sum += signed ? unzigzag(values[i]!) : values[i]!
  }
  return values
}

/** Decodes the rows of one device, from `begin` up to `end`, to the beginning of `out`. */
export function decodeRun(
  encoded: EncodedNumbers,
  begin: number,
  end: number,
  timestamps: () => Float64Array,
  out: Float64Array,
): void {
  const { encoding, planes } = encoded
  if (planes.length <= 4 && encoding !== 'zigzag-from-timestamp') decodeNarrowRun(encoded, begin, end, out)
  else decodeAnyRun(encoded, begin, end, timestamps, out)
}

function decodeAnyRun(
  { encoding, planes, base }: EncodedNumbers,
  begin: number,
  end: number,
  timestamps: () => Float64Array,
  out: Float64Array,
): void {
  const times = encoding === 'zigzag-from-timestamp' ? timestamps() : undefined
  let before = base
  for (let i = begin; i < end; i++) {
    let value = 0
    for (let p = planes.length - 1; p >= 0; p--) value = value * 256 + planes[p]![i]!
    if (encoding === 'run-delta') value = before + value
    else if (encoding === 'zigzag-run-delta') value = before + unzigzag(value)
    else if (times) value = unzigzag(value) + times[i]!
    before = value
    out[i - begin] = value
  }
}

/** Decodes a run whose encoded numbers are below 2^32. */
function decodeNarrowRun(
  { encoding, planes, base }: EncodedNumbers,
  begin: number,
  end: number,
  out: Float64Array,
): void {
  const [b0, b1, b2, b3] = planes as [
    Uint8Array,
    Uint8Array | undefined,
    Uint8Array | undefined,
    Uint8Array | undefined,
  ]
  const signed = encoding === 'zigzag-run-delta'
  const added = encoding !== 'plain'
  let sum = added ? base : 0
  for (let i = begin, to = 0; i < end; i++, to++) {
    let value = b0[i]!
    if (b1) value |= b1[i]! << 8
    if (b2) value |= b2[i]! << 16
    if (b3) value = (value | (b3[i]! << 24)) >>> 0
    if (signed) value = (value >>> 1) ^ -(value & 1)
    out[to] = added ? (sum += value) : value
  }
}

/** Decodes run deltas of four planes in one pass: the timestamps of nearly every chunk. */
function addFourPlanes(planes: Planes, base: number, starts: Uint32Array): Float64Array {
  const [b0, b1, b2, b3] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const values = new Float64Array(b0.length)
  for (let run = 0; run < starts.length - 1; run++) {
    let sum = base
    for (let i = starts[run]!, end = starts[run + 1]!; i < end; i++) {
      values[i] = sum += (b0[i]! | (b1[i]! << 8) | (b2[i]! << 16) | (b3[i]! << 24)) >>> 0
    }
  }
  return values
}
