import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { HopperError } from '@hopper/contracts'
import { LINE_BYTES_MAX } from '../export/dump-lines.ts'

/** the first bytes of a zstd frame (RFC 8878) */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** Yields the lines of a file, or of stdin when it is `-`, decompressed when it is a zstd frame. */
export async function* readLines(file: string): AsyncGenerator<string> {
  try {
    yield* splitLines(await unpacked(file === '-' ? process.stdin : createReadStream(file)))
  } catch (cause) {
    const { syscall, code, message } = cause as NodeJS.ErrnoException
    if (syscall !== undefined || code?.startsWith('ZSTD_'))
      throw new HopperError('HOP_CONFIG', `${file} cannot be read: ${message}.`, { cause })
    throw cause
  }
}

async function unpacked(source: Readable): Promise<AsyncIterable<Uint8Array>> {
  const parts = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const first = await parts.next()
  const whole = Readable.from(chained(first.done ? [] : [first.value], parts))
  if (first.done || !ZSTD_MAGIC.equals(first.value.subarray(0, 4))) return whole as AsyncIterable<Uint8Array>
  const unpack = createZstdDecompress()
  whole.on('error', (error) => unpack.destroy(error)).pipe(unpack)
  return unpack as AsyncIterable<Uint8Array>
}

async function* chained(begin: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* begin
  for (let part = await rest.next(); !part.done; part = await rest.next()) yield part.value
}

/** Splits at line feeds. Text after the last line feed is a line too. */
export async function* splitLines(parts: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const part of parts) {
    let from = 0
    for (let index = part.indexOf(10); index >= 0; index = part.indexOf(10, from)) {
      yield Buffer.concat([...held, part.subarray(from, index)]).toString('utf8')
      held = []
      bytes = 0
      from = index + 1
    }
    held.push(part.subarray(from))
    bytes += part.length - from
    if (bytes > LINE_BYTES_MAX)
      throw new HopperError(
        'HOP_CONFIG',
        `A line is longer than ${LINE_BYTES_MAX} bytes: this is not a dump of Hopper.`,
      )
  }
  if (bytes > 0) yield Buffer.concat(held).toString('utf8')
}
