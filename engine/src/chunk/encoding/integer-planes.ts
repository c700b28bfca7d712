/**
 * Integers as byte planes: plane p contains byte p of every value, which separates the slowly changing high bytes from
 * the noisy low ones for zstd.
 */
export type Planes = readonly Uint8Array[]

const TWO_32 = 4_294_967_296

/** Splits non-negative safe integers into as many planes as the largest value needs, at least one. */
export function splitIntegers(values: Float64Array): Planes {
  let max = 0
  for (const value of values) if (value > max) max = value
  let width = 1
  while (256 ** width <= max) width++
  const planes = Array.from({ length: width }, () => new Uint8Array(values.length))
  for (let p = 0; p < planes.length; p++) {
    const plane = planes[p]!
    if (p < 4) for (let i = 0, shift = p * 8; i < values.length; i++) plane[i] = ((values[i]! % TWO_32) >>> shift) & 255
    else
      for (let i = 0, shift = (p - 4) * 8; i < values.length; i++)
        plane[i] = (Math.floor(values[i]! / TWO_32) >>> shift) & 255
  }
  return planes
}

/** Inverse of `splitIntegers`. */
export function joinIntegers(planes: Planes): Float64Array {
  const [p0, p1, p2, p3] = planes
  const length = p0?.length ?? 0
  const values = new Float64Array(length)
  const zero = planes.length < 4 ? new Uint8Array(length) : p0!
  const b1 = p1 ?? zero
  const b2 = p2 ?? zero
  const b3 = p3 ?? zero
  for (let i = 0; i < length; i++) values[i] = (p0![i]! | (b1[i]! << 8) | (b2[i]! << 16) | (b3[i]! << 24)) >>> 0
  for (let p = 4, unit = TWO_32; p < planes.length; p++, unit *= 256) {
    const plane = planes[p]!
    for (let i = 0; i < length; i++) values[i] = values[i]! + plane[i]! * unit
  }
  return values
}

/** Maps signed to unsigned integers and keeps small values small: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** Reverses `zigzag`: 0, 1, 2, 3, 4 become 0, -1, 1, -2, 2. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
