import type { Fate, FateReason } from '@hopper/contracts'
import type { FirstSeen, SeenChange } from '../ports/tables.ts'
import { readUuid, writeUuid, UUID_BYTES } from './uuid-bytes.ts'

type SeenRow = Pick<SeenChange['rows'][number], 'event_id' | 'position' | 'fate' | 'reason'>

/** It stands in the store, so it must never change its meaning. */
const VERSION = 1
const HEAD_BYTES = 17

/**
 * Ids that stood in the log for the first time, as one cell: version (8 bits), how many, how many of them are UUIDs and how many are other texts of
 * Latin-1 (16 bits each), smallest position (64 bits, a float), length of the verdicts (16 bits), the distinct verdicts as JSON; then of all ids in turn
 * the position and the number of the verdict, as varints; then the ids: 16 bytes for each UUID, else length and text, Latin-1 before UTF-16. At most 65,535 ids.
 */
export function packSeen(rows: readonly SeenRow[]): Buffer {
  const kinds: [SeenRow[], SeenRow[], SeenRow[]] = [[], [], []]
  const uuid = Buffer.alloc(UUID_BYTES)
  let bytesMax = HEAD_BYTES
  let first = Infinity
  for (const row of rows) {
    const kind = writeUuid(row.event_id, uuid, 0) ? 0 : isLatin1(row.event_id) ? 1 : 2
    kinds[kind].push(row)
    bytesMax += 20 + (kind === 0 ? UUID_BYTES : 2 * row.event_id.length)
    first = Math.min(first, row.position)
  }
  const verdicts = [...new Set(rows.map(({ fate, reason }) => `${fate}\0${reason}`))]
  const json = Buffer.from(JSON.stringify(verdicts))
  const block = Buffer.allocUnsafe(bytesMax + json.length)
  block.writeUInt8(VERSION, 0)
  block.writeUInt16LE(rows.length, 1)
  block.writeUInt16LE(kinds[0].length, 3)
  block.writeUInt16LE(kinds[1].length, 5)
  block.writeDoubleLE(first, 7)
  block.writeUInt16LE(json.length, 15)
  let at = HEAD_BYTES + json.copy(block, HEAD_BYTES)
  const ordered = kinds.flat()
  for (const { position, fate, reason } of ordered) {
    at = writeVarint(block, at, position - first)
    at = writeVarint(block, at, verdicts.length === 1 ? 0 : verdicts.indexOf(`${fate}\0${reason}`))
  }
  for (const [kind, some] of kinds.entries()) for (const { event_id } of some) at = writeId(block, at, kind, event_id)
  return block.subarray(0, at)
}

/** The ids of a block. @throws RangeError when it is damaged */
export function seenIdsOf(cell: Uint8Array): string[] {
  const ids: string[] = []
  readBlock(cell, (id) => void ids.push(id))
  return ids
}

/** Puts those of the wanted ids that a block has into `found`; of two positions of an id the smaller counts. @throws RangeError when it is damaged */
export function findSeen(cell: Uint8Array, wanted: ReadonlySet<string>, found: Map<string, FirstSeen>): void {
  readBlock(cell, (id, seen) => {
    if (!wanted.has(id)) return
    const verdict = seen()
    if (verdict.position < (found.get(id)?.position ?? Infinity)) found.set(id, verdict)
  })
}

function readBlock(cell: Uint8Array, visit: (id: string, seen: () => FirstSeen) => void): void {
  const block = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength)
  if (block.readUInt8(0) !== VERSION) throw new RangeError('no block of seen ids')
  const [ids, uuids, latin] = [block.readUInt16LE(1), block.readUInt16LE(3), block.readUInt16LE(5)]
  const first = block.readDoubleLE(7)
  const metaBegin = HEAD_BYTES + block.readUInt16LE(15)
  const seenAt = (wanted: number): FirstSeen => {
    cursor.at = metaBegin
    for (let before = 0; before < 2 * wanted; before++) readVarint(block)
    const position = first + readVarint(block)
    const verdicts = JSON.parse(block.toString('utf8', HEAD_BYTES, metaBegin)) as string[]
    const [fate, reason] = verdicts[readVarint(block)]!.split('\0') as [Fate, FateReason]
    return { position, fate, reason }
  }
  cursor.at = metaBegin
  for (let before = 0; before < 2 * ids; before++) readVarint(block)
  let at = cursor.at
  for (let number = 0; number < ids; number++) {
    if (number < uuids) {
      visit(readUuid(block, at), () => seenAt(number))
      at += UUID_BYTES
      continue
    }
    cursor.at = at
    const end = readVarint(block) + cursor.at
    visit(block.toString(number < uuids + latin ? 'latin1' : 'utf16le', cursor.at, end), () => seenAt(number))
    at = end
  }
  if (at !== block.length) throw new RangeError('a block of seen ids is damaged')
}

function writeId(block: Buffer, at: number, kind: number, id: string): number {
  if (kind === 0) {
    writeUuid(id, block, at)
    return at + UUID_BYTES
  }
  const begin = writeVarint(block, at, kind === 1 ? id.length : 2 * id.length)
  return begin + block.write(id, begin, kind === 1 ? 'latin1' : 'utf16le')
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 255) return false
  return true
}

function writeVarint(block: Buffer, at: number, value: number): number {
  let rest = value
  let next = at
  for (; rest > 127; rest = Math.floor(rest / 128)) block[next++] = (rest % 128) | 128
  block[next++] = rest
  return next
}

/** where the varint that was read last ends: an object for each would cost more than the varint */
const cursor = { at: 0 }

function readVarint(block: Buffer): number {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = block.readUInt8(cursor.at++)
    value += (byte & 127) * scale
    if (byte < 128) return value
  }
}
