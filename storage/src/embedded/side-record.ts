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
 * A small file beside a database that records the progress of the database, so that a lost, truncated or replaced
 * database is detected. Two slots are written alternately, each with a checksum: an interrupted write leaves the
 * previous one intact.
 * Writes are not synced individually, which costs microseconds instead of milliseconds: a killed process loses nothing,
 * a power failure loses the writes since the last `sync`.
 */
export class SideRecord<T> {
  readonly #descriptor: number
  #sequence = 0
  #synced = 0
  #syncing = false
  #closing = false

  /** Opens or creates the file. Its last value is read by `readSideRecord`. */
  constructor(file: string) {
    this.#sequence = this.#synced = readSlots(file)[0]?.sequence ?? 0
    this.#descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    // Allocates the space as bytes, not as a hole: a full disk is noticed here and not at a later write.
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

  /** Writes both slots, so that nothing of the previous values is left. */
  replace(value: T): void {
    for (let slot = 0; slot < SLOTS; slot++) this.write(value)
  }

  /** Starts a sync of the writes so far, unless one is in flight. `failed` is called when the disk refuses. */
  sync(onFailed: (error: Error) => void): void {
    if (this.#syncing || this.#synced === this.#sequence) return
    const reaches = this.#sequence
    this.#syncing = true
    fdatasync(this.#descriptor, (error) => {
      this.#syncing = false
      if (error) onFailed(error)
      else this.#synced = reaches
      if (this.#closing) closeSync(this.#descriptor)
    })
  }

  /**
   * Syncs the writes so far. The descriptor stays open while a sync is in flight, since another file could otherwise
   * get its number.
   */
  close(): void {
    if (this.#synced !== this.#sequence) fdatasyncSync(this.#descriptor)
    this.#closing = true
    if (!this.#syncing) closeSync(this.#descriptor)
  }
}

/** Reads the value of a side record; undefined if the file is missing or no slot is intact. */
export function readSideRecord<T>(file: string): T | undefined {
  return readSlots<T>(file)[0]?.value
}

interface Slot<T> {
  readonly sequence: number
  readonly value: T
}

/** The intact slots, newest first. */
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
