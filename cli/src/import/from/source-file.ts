import { createHash, type Hash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { HopperError } from '@hopper/contracts'

const READ_BYTES = 1 << 20
const UNPACKED_BYTES = 1 << 18

/** Identification of the content of a file. */
export interface FileIdentity {
  readonly size: number
  readonly mtimeMs: number
  /** of the bytes as they are on the disk, in hex */
  readonly sha256: string
}

/**
 * A regular file that is read twice: once for its checksum, which identifies the import, and once for its content. A
 * file that changes in between, or while it is read, is noticed.
 */
export class SourceFile {
  readonly path: string
  readonly identity: FileIdentity
  #bytesRead = 0

  private constructor(path: string, identity: FileIdentity) {
    this.path = path
    this.identity = identity
  }

  /**
   * Reads the file for its checksum.
   * @throws HopperError HOP_CONFIG when it cannot be read
   */
  static async open(path: string): Promise<SourceFile> {
    if (path === '-') throw new HopperError('HOP_CONFIG', 'Such a file is read twice, so it cannot come from a pipe.')
    const before = await regularFile(path)
    const hash = createHash('sha256')
    for await (const part of bytesOf(path)) hash.update(part)
    const { size, mtimeMs } = before
    const file = new SourceFile(path, { size, mtimeMs, sha256: hash.digest('hex') })
    await file.assertUnchanged()
    return file
  }

  /** bytes on the disk that were read for the content so far */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /**
   * Yields the content, decompressed when the name ends with `.gz`.
   * @throws HopperError HOP_CONFIG when it cannot be read, and at the end when the content differs from the one that
   * the checksum was computed from
   */
  async *content(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    this.#bytesRead = 0
    const raw = Readable.from(this.#counted(hash))
    // The errors of both reach the reader through the last stream.
    const content = this.path.endsWith('.gz')
      ? pipeline(raw, createGunzip({ chunkSize: UNPACKED_BYTES }), () => undefined)
      : raw
    try {
      yield* content as AsyncIterable<Uint8Array>
    } catch (cause) {
      throw asReadError(this.path, cause)
    }
    // Whatever follows the end of compressed data is part of the file too.
    await finished(raw.resume())
    if (hash.digest('hex') !== this.identity.sha256) throw this.#changed()
  }

  /** @throws HopperError HOP_CONFIG when the file has a different size or time of change than at first */
  async assertUnchanged(): Promise<void> {
    const { size, mtimeMs } = await regularFile(this.path)
    if (size !== this.identity.size || mtimeMs !== this.identity.mtimeMs) throw this.#changed()
  }

  async *#counted(hash: Hash): AsyncGenerator<Uint8Array> {
    for await (const part of bytesOf(this.path)) {
      hash.update(part)
      this.#bytesRead += part.length
      yield part
    }
  }

  #changed(): HopperError {
    return new HopperError(
      'HOP_CONFIG',
      `${this.path} has changed while it was imported. What was read before is imported; ` +
        'import the file again when nothing writes to it any more: no event counts twice.',
    )
  }
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw asReadError(path, cause)
  }
}

/** A pipe cannot be read twice, and a device might never end. */
async function regularFile(path: string): Promise<Stats> {
  const found = await stat(path).catch((cause: unknown) => {
    throw asReadError(path, cause)
  })
  if (!found.isFile()) throw new HopperError('HOP_CONFIG', `${path} is not a file.`)
  return found
}

function asReadError(path: string, cause: unknown): unknown {
  if (cause instanceof HopperError) return cause
  const { syscall, code, message } = cause as NodeJS.ErrnoException
  if (syscall === undefined && !code?.startsWith('Z_')) return cause
  return new HopperError('HOP_CONFIG', `${path} cannot be read: ${message}.`, { cause })
}
