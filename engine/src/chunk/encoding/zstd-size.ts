const MAGIC = 0xfd2fb528
const HEADER_BYTES_MIN = 6
/** bytes of the content size field by its flag (RFC 8878, section 3.1.1.1) */
const SIZE_BYTES = [0, 2, 4, 8] as const
const DICTIONARY_BYTES = [0, 1, 2, 4] as const

/** Returns the unpacked size in bytes from the header of a zstd frame; undefined if it is not there. */
export function contentSize(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < HEADER_BYTES_MIN || view.getUint32(0, true) !== MAGIC) return undefined
  const descriptor = frame[4]!
  const flag = descriptor >>> 6
  const single = (descriptor & 32) > 0
  const offset = 5 + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!
  if (frame.length < offset + SIZE_BYTES[flag]!) return undefined
  if (flag === 0) return single ? frame[offset] : undefined
  if (flag === 1) return view.getUint16(offset, true) + 256
  return flag === 2 ? view.getUint32(offset, true) : Number(view.getBigUint64(offset, true))
}
