/** The hash of no name: the user of an anonymous row. */
export const NOBODY = 0

/**
 * Writes a 64-bit hash of a name to `out[index]` and `out[index + 1]`: two 32-bit MurmurHash3 variants with different
 * constants, over UTF-16 code units. Stored, so it must never change. At least one half is not zero. The probability
 * that two of a million names share a hash is 3 in 100 million.
 */
export function writeNameHash(name: string, out: Uint32Array, index: number): void {
  let high = 0x9747b28c
  let low = 0x3c6ef372
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    let k = Math.imul(unit, 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    high ^= k
    high = Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64
    k = Math.imul(unit, 0x239b961b)
    k = Math.imul((k << 16) | (k >>> 16), 0xab0e9789)
    low ^= k
    low = Math.imul((low << 17) | (low >>> 15), 5) + 0x561ccd1b
  }
  out[index] = mix(high ^ name.length)
  out[index + 1] = mix(low ^ name.length) || 1
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
