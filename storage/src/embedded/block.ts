import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const MESSAGES_MAX = 500
const BYTES_MAX = 8_000_000
// The checksum detects blocks that the disk has corrupted.
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } }

/**
 * Encodes messages that are committed together as one zstd frame: their lengths (u32, little-endian), then their bytes.
 * Events repeat each other, so the log takes about a sixth of their bytes, and writing them compressed costs less than
 * writing them plain.
 */
export function encodeBlock(values: readonly Uint8Array[]): Uint8Array {
  const lengths = new Uint8Array(new Uint32Array(values.map((value) => value.length)).buffer)
  return zstdCompressSync(Buffer.concat([lengths, ...values]), options)
}

/** Splits messages into blocks of bounded size. A message above the bound is a block of its own. */
export function splitIntoBlocks(values: readonly Uint8Array[]): Uint8Array[][] {
  const blocks: Uint8Array[][] = []
  let bytes = Infinity
  for (const value of values) {
    if (bytes + value.length > BYTES_MAX || blocks.at(-1)!.length >= MESSAGES_MAX) {
      blocks.push([])
      bytes = 0
    }
    blocks.at(-1)!.push(value)
    bytes += value.length
  }
  return blocks
}

/** Decodes the messages of a block that contains `count` of them. */
export function decodeBlock(block: Uint8Array, count: number): Uint8Array[] {
  const raw = zstdDecompressSync(block)
  const values: Uint8Array[] = []
  for (let index = 0, offset = count * 4; index < count; index++) {
    const length = raw.readUInt32LE(index * 4)
    values.push(raw.subarray(offset, offset + length))
    offset += length
  }
  return values
}
