import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { HopperError } from '@hopper/contracts'

/**
 * Writes to a file, or to stdout when it is `-`. A file whose name ends with .zst is compressed. Only its owner may
 * read the file, and it appears under its name when it is complete. Parts are pulled only as fast as they are written.
 */
export async function writeOut(parts: AsyncIterable<string | Uint8Array>, file: string): Promise<void> {
  const source = Readable.from(parts)
  const packed: Transform[] = file.endsWith('.zst')
    ? [createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })]
    : []
  if (file === '-') return pipeline([source, ...packed, process.stdout], { end: false })
  const partial = `${file}.part`
  try {
    await pipeline([source, ...packed, createWriteStream(partial, { mode: 0o600 })])
    await rename(partial, file)
  } catch (cause) {
    await rm(partial, { force: true })
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause
    throw new HopperError('HOP_CONFIG', `The file ${file} cannot be written: ${(cause as Error).message}.`, { cause })
  }
}
