import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'

const SLOT_BYTES = 32_768
const SLOTS = 2

/**
 * A small file beside a database that says how far the database had come, so that a database that was lost, cut or
 * replaced is noticed. Two slots are written in turn, each with a checksum: a write that was cut leaves the one before
 * it. A write is not synced by itself, which costs microseconds instead of milliseconds: a killed process loses none of
 * it, a machine without power the writes since the last `sync`.
 */
export class SideRecord<T> {
  readonly #descriptor: number
  #sequence = 0
  #synced = 0
  #syncing = false

  /** Opens the file, or makes it. What it said last is read by `readSideRecord`. */
  constructor(file: string) {
    this.#sequence = this.#synced = readSlots(file)[0]?.sequence ?? 0
    this.#descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    // The room is there from now on, as bytes and not as a hole: a full disk is noticed here and not at a write.
    const room = Buffer.alloc(SLOT_BYTES * SLOTS)
    readSync(this.#descriptor, room, 0, room.length, 0)
    if (writeSync(this.#descriptor, room, 0, room.length, 0) < room.length) throw new Error(`${file}: the disk is full`)
    ftruncateSync(this.#descriptor, room.length)
  }

  write(value: T): void {
    const sequence = this.#sequence + 1
    const text = `${sequence} ${JSON.stringify(value)}`
    const bytes = Buffer.from(`${crc32(text)} ${text}\n`)
    if (bytes.length > SLOT_BYTES) throw new RangeError(`A side record of ${bytes.length} bytes is too long.`)
    writeSync(this.#descriptor, bytes, 0, bytes.length, (sequence % SLOTS) * SLOT_BYTES)
    this.#sequence = sequence
  }

  /** Writes both slots, so that nothing of what the file said before is left. */
  replace(value: T): void {
    for (let slot = 0; slot < SLOTS; slot++) this.write(value)
  }

  /** Begins to sync what was written, unless that is under way. `failed` is told when the disk refuses. */
  sync(failed: (error: Error) => void): void {
    if (this.#syncing || this.#synced === this.#sequence) return
    const reaches = this.#sequence
    this.#syncing = true
    fdatasync(this.#descriptor, (error) => {
      this.#syncing = false
      if (error) failed(error)
      else this.#synced = reaches
    })
  }

  close(): void {
    if (this.#synced !== this.#sequence) fdatasyncSync(this.#descriptor)
    closeSync(this.#descriptor)
  }
}

/** What a side record says; undefined when the file is missing or nothing in it is whole. */
export function readSideRecord<T>(file: string): T | undefined {
  return readSlots<T>(file)[0]?.value
}

interface Slot<T> {
  readonly sequence: number
  readonly value: T
}

/** The whole slots, the newest first. */
function readSlots<T>(file: string): Slot<T>[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const slots = Array.from({ length: SLOTS }, (_, slot) =>
    slotOf<T>(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)),
  )
  return slots.filter((slot) => slot !== undefined).sort((a, b) => b.sequence - a.sequence)
}

function slotOf<T>(bytes: Buffer): Slot<T> | undefined {
  const end = bytes.indexOf('\n')
  const [, checksum, text, sequence, json] =
    /^(\d+) ((\d+) (.*))$/.exec(bytes.toString('utf8', 0, Math.max(0, end))) ?? []
  if (text === undefined || crc32(text) !== Number(checksum)) return undefined
  return { sequence: Number(sequence), value: JSON.parse(json!) as T }
}
