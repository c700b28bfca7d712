/**
 * A 64-bit device hash is split into its upper 53 bits (exact in a double) and the 11 bits below. Devices are ordered
 * by the upper bits, then by the lower.
 */
export const REST_BITS = 11

/** Returns the upper 53 bits, by which devices are ordered first. */
export function keyOf(high: number, low: number): number {
  return high * 2_097_152 + (low >>> REST_BITS)
}

/** Returns the 11 bits below. */
export function restOf(low: number): number {
  return low & ((1 << REST_BITS) - 1)
}

/** Formats a hash as 16 hex digits, which sort like the hash. */
export function hashText(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
