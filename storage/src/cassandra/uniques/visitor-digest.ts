import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Key } from '../../ports/table-definitions.ts'
import { NOBODY, writeNameHash } from '../client/name-hash.ts'
import type { VisitorRow } from '../visitors/visitor-block.ts'

/** Upper bound of the unpacked size of a digest. */
const UNPACKED_BYTES_MAX = 64_000_000

/**
 * The rows of one partition of a visitor table: names as 64-bit hashes in two halves each; both halves are `NOBODY` for
 * the user of an anonymous row.
 */
export interface VisitorDigest {
  /** the rows of `keys[i]` end before row `ends[i]`, at which the rows of the next key begin */
  readonly keys: readonly Key[]
  readonly ends: readonly number[]
  readonly devices: Uint32Array
  readonly users: Uint32Array
}

/** Builds a digest. Rows of a key must be adjacent. */
export function digestRows(rows: readonly VisitorRow[]): VisitorDigest {
  const [devices, users] = [new Uint32Array(2 * rows.length), new Uint32Array(2 * rows.length)]
  const keys: Key[] = []
  const ends: number[] = []
  rows.forEach(({ key, visitor: { user, device } }, index) => {
    writeNameHash(`d:${device}`, devices, 2 * index)
    if (user === '') users.fill(NOBODY, 2 * index, 2 * index + 2)
    else writeNameHash(`u:${user}`, users, 2 * index)
    const last = keys.at(-1)
    if (!last || key.some((value, place) => last[place] !== value)) {
      keys.push(key)
      ends.push(index)
    }
    ends[ends.length - 1] = index + 1
  })
  return { keys, ends, devices, users }
}

/**
 * Packs a digest into one zstd frame: the length of keys and ends as JSON (32 bits, little-endian), that JSON, then the
 * halves of devices and of users.
 */
export function packDigest({ keys, ends, devices, users }: VisitorDigest): Buffer {
  const head = Buffer.from(JSON.stringify([keys, ends]))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return zstdCompressSync(Buffer.concat([length, head, Buffer.from(devices.buffer), Buffer.from(users.buffer)]))
}

/** @throws Error when the digest is damaged */
export function unpackDigest(packed: Uint8Array): VisitorDigest {
  const bytes = zstdDecompressSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  const begin = 4 + bytes.readUInt32LE(0)
  const [keys, ends] = JSON.parse(bytes.toString('utf8', 4, begin)) as [Key[], number[]]
  // Copied, because the remaining bytes may not be aligned.
  const halves = new Uint32Array(Uint8Array.from(bytes.subarray(begin)).buffer)
  return { keys, ends, devices: halves.subarray(0, halves.length / 2), users: halves.subarray(halves.length / 2) }
}
