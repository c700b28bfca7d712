import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'

const READ_BYTES = 1 << 18
const TAIL_BYTES = 1_024
const HEADER_BYTES_MAX = 64_000
const [LINE_FEED, QUOTE] = [0x0a, 0x22]

export function isCompressed(path: string): boolean {
  return path.endsWith('.gz')
}

/** Yields the content of a file from a byte on, decompressed when its name ends with `.gz`. */
export async function* contentFrom(path: string, offset: number): AsyncGenerator<Uint8Array> {
  if (!isCompressed(path)) {
    yield* createReadStream(path, { start: offset, highWaterMark: READ_BYTES }) as AsyncIterable<Uint8Array>
    return
  }
  const raw = createReadStream(path, { highWaterMark: READ_BYTES })
  const content = pipeline(raw, createGunzip({ chunkSize: READ_BYTES }), () => undefined)
  let skip = offset
  for await (const part of content as AsyncIterable<Uint8Array>) {
    if (part.length > skip) yield part.subarray(skip)
    skip = Math.max(0, skip - part.length)
  }
}

/** Reads the first record of a CSV file, its header; undefined when it is not complete. */
export async function readHeader(path: string): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of contentFrom(path, 0)) {
    parts.push(part)
    bytes += part.length
    if (bytes >= HEADER_BYTES_MAX) break
  }
  const begin = Buffer.concat(parts, bytes)
  let isWithin = false
  for (let index = 0; index < Math.min(begin.length, HEADER_BYTES_MAX); index++) {
    if (begin[index] === QUOTE) isWithin = !isWithin
    else if (begin[index] === LINE_FEED && !isWithin) return begin.subarray(0, index + 1)
  }
  return undefined
}

/** Hashes the last bytes of a file before an offset. */
export async function tailOf(path: string, offset: number): Promise<string> {
  const from = Math.max(0, offset - TAIL_BYTES)
  const bytes = Buffer.alloc(offset - from)
  const file = await open(path)
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
    return createHash('sha256').update(bytes.subarray(0, bytesRead)).digest('base64url')
  } finally {
    await file.close()
  }
}
