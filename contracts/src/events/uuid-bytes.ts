/** Length of a binary UUID (RFC 9562, section 4). */
export const UUID_BYTES = 16
const DASH = 45
const NO_DIGIT = 255

/** value of each lower-case hexadecimal digit, by character code */
const digits = new Uint8Array(128).fill(NO_DIGIT)
for (const [value, digit] of [...'0123456789abcdef'].entries()) digits[digit.charCodeAt(0)] = value

/** Writes a lower-case UUID as 16 bytes. Returns false for other texts; the bytes at `offset` are then unspecified. */
export function writeUuid(text: string, out: Uint8Array, offset: number): boolean {
  if (text.length !== 36) return false
  for (let place = 0, byte = offset; place < 36; place += 2) {
    if (place === 8 || place === 13 || place === 18 || place === 23) if (text.charCodeAt(place++) !== DASH) return false
    const [high, low] = [text.charCodeAt(place), text.charCodeAt(place + 1)]
    if (high > 127 || low > 127) return false
    const value = (digits[high]! << 4) | digits[low]!
    if (digits[high] === NO_DIGIT || digits[low] === NO_DIGIT) return false
    out[byte++] = value
  }
  return true
}

/** Reads the UUID whose 16 bytes begin at `offset`. */
export function readUuid(from: Buffer, offset: number): string {
  const hex = from.toString('hex', offset, offset + UUID_BYTES)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
