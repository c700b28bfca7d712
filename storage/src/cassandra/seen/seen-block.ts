import { readUuid, UUID_BYTES, writeUuid, type Fate, type FateReason } from '@hopper/contracts'
import type { FirstSeen, SeenChange } from '../../ports/tables.ts'

type SeenRow = Pick<SeenChange['rows'][number], 'event_id' | 'position' | 'fate' | 'reason'>

/** Stored, so its meaning must never change. */
const VERSION = 1
const HEAD_BYTES = 17
/** overhead of an id besides its text: length, position and verdict */
const ROW_BYTES_MAX = 20
/** upper bound of the size of all existing verdicts */
const VERDICT_BYTES_MAX = 4_096

/**
 * Packs ids that occurred in the log for the first time into one cell. Format:
 * - version (8 bits), number of ids, number of UUIDs and number of other Latin-1 texts (16 bits each), smallest
 * position (a 64-bit float), length of the verdicts (16 bits);
 * - the ids: 16 bytes for each UUID, then length and text of each other id, Latin-1 before UTF-16;
 * - the distinct verdicts as JSON;
 * - for each id its position and the index of its verdict.
 * Lengths, positions (relative to the smallest) and indexes are varints. At most 65,535 ids.
 */
export function packSeen(rows: readonly SeenRow[]): Buffer {
  let bytesMax = HEAD_BYTES
  for (const { event_id } of rows) bytesMax += ROW_BYTES_MAX + 2 * event_id.length
  const block = Buffer.allocUnsafe(bytesMax + VERDICT_BYTES_MAX)
  const ordered: SeenRow[] = []
  let offset = HEAD_BYTES
  let others: SeenRow[] | undefined
  for (const row of rows) {
    if (!writeUuid(row.event_id, block, offset)) (others ??= []).push(row)
    else {
      ordered.push(row)
      offset += UUID_BYTES
    }
  }
  const uuids = ordered.length
  const [latin, wide] = [
    others?.filter(({ event_id }) => isLatin1(event_id)) ?? [],
    others?.filter(({ event_id }) => !isLatin1(event_id)) ?? [],
  ]
  for (const { event_id } of latin) offset = writeText(block, offset, event_id, 'latin1')
  for (const { event_id } of wide) offset = writeText(block, offset, event_id, 'utf16le')
  ordered.push(...latin, ...wide)
  return writeHead(block, ordered, { uuids, latin: latin.length, idsEnd: offset })
}

/** Writes the parts before and after the ids. */
function writeHead(
  block: Buffer,
  rows: readonly SeenRow[],
  { uuids, latin, idsEnd }: { uuids: number; latin: number; idsEnd: number },
): Buffer {
  const verdicts = verdictsOf(rows)
  const json = JSON.stringify(verdicts.map(({ fate, reason }) => [fate, reason]))
  const first = rows.reduce((least, { position }) => Math.min(least, position), Infinity)
  block.writeUInt8(VERSION, 0)
  block.writeUInt16LE(rows.length, 1)
  block.writeUInt16LE(uuids, 3)
  block.writeUInt16LE(latin, 5)
  block.writeDoubleLE(first, 7)
  let offset = idsEnd + block.write(json, idsEnd, 'latin1')
  block.writeUInt16LE(offset - idsEnd, 15)
  for (const { position, fate, reason } of rows) {
    offset = writeVarint(block, offset, position - first)
    block[offset++] =
      verdicts.length === 1 ? 0 : verdicts.findIndex((verdict) => verdict.fate === fate && verdict.reason === reason)
  }
  return block.subarray(0, offset)
}

function verdictsOf(rows: readonly SeenRow[]): Pick<SeenRow, 'fate' | 'reason'>[] {
  const verdicts: SeenRow[] = []
  let last: SeenRow | undefined
  for (const row of rows) {
    if (row.fate === last?.fate && row.reason === last.reason) continue
    last = row
    if (!verdicts.some(({ fate, reason }) => fate === row.fate && reason === row.reason)) verdicts.push(row)
  }
  return verdicts
}

/**
 * All ids of a block.
 * @throws RangeError when the block is damaged
 */
export function seenIdsOf(cell: Uint8Array): string[] {
  const block = openBlock(cell)
  return Array.from({ length: block.ids }, (_, number) => block.idOf(number))
}

/**
 * All ids of a block with their first occurrence, in the order of the block.
 * @throws RangeError when the block is damaged
 */
export function unpackSeen(cell: Uint8Array): SeenRow[] {
  const { ids, idOf, all } = openBlock(cell)
  const seen = all()
  return Array.from({ length: ids }, (_, number) => ({ event_id: idOf(number), ...seen[number]! }))
}

/**
 * A set of ids to look up. The first four bytes of a UUID distinguish it from nearly all others, without building its
 * text.
 */
export class WantedIds {
  readonly all: ReadonlySet<string>
  readonly heads = new Set<number>()

  constructor(ids: Iterable<string>) {
    this.all = new Set(ids)
    const bytes = Buffer.alloc(UUID_BYTES)
    for (const id of this.all) if (writeUuid(id, bytes, 0)) this.heads.add(bytes.readUInt32LE(0))
  }
}

/**
 * Adds the wanted ids that a block contains to `found`. The smaller of two positions of an id wins.
 * @throws RangeError when the block is damaged
 */
export function findSeen(cell: Uint8Array, wanted: WantedIds, found: Map<string, FirstSeen>): void {
  const block = openBlock(cell)
  for (let number = 0; number < block.ids; number++) {
    if (number < block.uuids && !wanted.heads.has(block.headOf(number))) continue
    const id = block.idOf(number)
    if (!wanted.all.has(id)) continue
    const verdict = block.seenOf(number)
    if (verdict.position < (found.get(id)?.position ?? Infinity)) found.set(id, verdict)
  }
}

/** Accessors of a block, by the index of an id; the first `uuids` ids are UUIDs. */
interface Block {
  readonly ids: number
  readonly uuids: number
  readonly headOf: (number: number) => number
  readonly idOf: (number: number) => string
  readonly seenOf: (number: number) => FirstSeen
  readonly all: () => FirstSeen[]
}

function openBlock(cell: Uint8Array): Block {
  const block = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength)
  if (block.readUInt8(0) !== VERSION) throw new RangeError('not a block of seen ids')
  const [ids, uuids, latin] = [block.readUInt16LE(1), block.readUInt16LE(3), block.readUInt16LE(5)]
  const begins = new Uint32Array(ids + 1)
  cursor.offset = HEAD_BYTES
  for (let number = 0; number < ids; number++) {
    begins[number] = cursor.offset
    cursor.offset = number < uuids ? cursor.offset + UUID_BYTES : readVarint(block) + cursor.offset
  }
  const idsEnd = (begins[ids] = cursor.offset)
  if (endOf(block, idsEnd, ids) !== block.length) throw new RangeError('a block of seen ids is damaged')
  return {
    ids,
    uuids,
    seenOf: seenIn(block, idsEnd),
    all: () => allSeenIn(block, idsEnd, ids),
    headOf: (number) => block.readUInt32LE(begins[number]),
    idOf: (number) =>
      number < uuids
        ? readUuid(block, begins[number]!)
        : readText(block, begins[number]!, number < uuids + latin ? 'latin1' : 'utf16le'),
  }
}

/** Returns a function that reads the position and the verdict of an id by its index. */
function seenIn(block: Buffer, idsEnd: number): (wanted: number) => FirstSeen {
  const first = block.readDoubleLE(7)
  const begin = idsEnd + block.readUInt16LE(15)
  return (wanted) => {
    cursor.offset = begin
    for (let before = 0; before < 2 * wanted; before++) readVarint(block)
    const position = first + readVarint(block)
    const verdicts = JSON.parse(block.toString('latin1', idsEnd, begin)) as [Fate, FateReason][]
    const [fate, reason] = verdicts[readVarint(block)]!
    return { position, fate, reason }
  }
}

function allSeenIn(block: Buffer, idsEnd: number, ids: number): FirstSeen[] {
  const first = block.readDoubleLE(7)
  const begin = idsEnd + block.readUInt16LE(15)
  const verdicts = JSON.parse(block.toString('latin1', idsEnd, begin)) as [Fate, FateReason][]
  cursor.offset = begin
  return Array.from({ length: ids }, () => {
    const position = first + readVarint(block)
    const [fate, reason] = verdicts[readVarint(block)]!
    return { position, fate, reason }
  })
}

function endOf(block: Buffer, idsEnd: number, ids: number): number {
  cursor.offset = idsEnd + block.readUInt16LE(15)
  for (let before = 0; before < 2 * ids; before++) readVarint(block)
  return cursor.offset
}

function writeText(block: Buffer, offset: number, text: string, encoding: 'latin1' | 'utf16le'): number {
  const begin = writeVarint(block, offset, encoding === 'latin1' ? text.length : 2 * text.length)
  return begin + block.write(text, begin, encoding)
}

function readText(block: Buffer, offset: number, encoding: 'latin1' | 'utf16le'): string {
  cursor.offset = offset
  const end = readVarint(block) + cursor.offset
  return block.toString(encoding, cursor.offset, end)
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 255) return false
  return true
}

function writeVarint(block: Buffer, offset: number, value: number): number {
  let rest = value
  let next = offset
  for (; rest > 127; rest = Math.floor(rest / 128)) block[next++] = (rest % 128) | 128
  block[next++] = rest
  return next
}

/** End of the last varint that was read. Returning an object for each would cost more than reading the varint. */
const cursor = { offset: 0 }

function readVarint(block: Buffer): number {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = block.readUInt8(cursor.offset++)
    value += (byte & 127) * scale
    if (byte < 128) return value
  }
}
