import { deflateSync, inflateSync, crc32 } from 'node:zlib'

const SIGNATURE_BYTES = 8
const RGB_BYTES = 3

const PALETTE_MAX = 256
const FREQUENT_KEPT = 160

/**
 * Compresses an RGB screenshot again, with a palette of 256 of its colours. The others are at the edges of letters
 * and become the nearest of these. A picture of text and flat areas takes half as much, and looks the same.
 */
export function smallerPng(png: Buffer): Buffer {
  const chunks = chunksOf(png)
  const head = chunks.find(({ type }) => type === 'IHDR')!.data
  const [width, height, depth, colors] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]]
  if (depth !== 8 || colors !== 2) return png
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data)
  const rows = withoutFilters(inflateSync(Buffer.concat(data)), width * RGB_BYTES, height)
  const { palette, indexes } = indexed(rows, width, height)
  const indexedHead = Buffer.from(head)
  indexedHead[9] = 3
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk('IHDR', indexedHead),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(indexes, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Replaces each colour by its index in a palette. */
function indexed(rows: Buffer, width: number, height: number): { palette: Buffer; indexes: Buffer } {
  const step = width * RGB_BYTES + 1
  const colorAt = (x: number, y: number): number => rows.readUIntBE(y * step + 1 + x * RGB_BYTES, RGB_BYTES)
  const counts = new Map<number, number>()
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) counts.set(colorAt(x, y), (counts.get(colorAt(x, y)) ?? 0) + 1)
  const frequent = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color)
  const kept = paletteOf(frequent)
  const palette = Buffer.alloc(kept.length * RGB_BYTES)
  for (const [index, color] of kept.entries()) palette.writeUIntBE(color, index * RGB_BYTES, RGB_BYTES)
  const indexOf = new Map(frequent.map((color) => [color, nearest(color, kept)]))
  const indexes = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) indexes[y * (width + 1) + 1 + x] = indexOf.get(colorAt(x, y))!
  return { palette, indexes }
}

/** Keeps the most frequent colours, then those that are farthest from all kept ones: a thin line keeps its colour. */
function paletteOf(frequent: readonly number[]): number[] {
  const kept = frequent.slice(0, FREQUENT_KEPT)
  const others = frequent.slice(FREQUENT_KEPT).map((color) => ({ color, away: distanceTo(color, kept) }))
  while (kept.length < PALETTE_MAX && others.length > 0) {
    const next = others.reduce((a, b) => (b.away > a.away ? b : a))
    kept.push(next.color)
    others.splice(others.indexOf(next), 1)
    for (const other of others) other.away = Math.min(other.away, distance(other.color, next.color))
  }
  return kept
}

function nearest(color: number, kept: readonly number[]): number {
  const distances = kept.map((other) => distance(color, other))
  return distances.indexOf(Math.min(...distances))
}

function distanceTo(color: number, kept: readonly number[]): number {
  return Math.min(...kept.map((other) => distance(color, other)))
}

function distance(a: number, b: number): number {
  return [16, 8, 0].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0)
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = []
  for (let offset = SIGNATURE_BYTES; offset < png.length;) {
    const bytes = png.readUInt32BE(offset)
    chunks.push({
      type: png.toString('latin1', offset + 4, offset + 8),
      data: png.subarray(offset + 8, offset + 8 + bytes),
    })
    offset += 12 + bytes
  }
  return chunks
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** Undoes the filter of each row (PNG specification, section 9); rows keep their first byte, 0 for no filter. */
function withoutFilters(filtered: Buffer, rowBytes: number, height: number): Buffer {
  const step = rowBytes + 1
  const rows = Buffer.alloc(filtered.length)
  const byteAt = (y: number, x: number): number => (y < 0 || x < 0 ? 0 : rows[y * step + 1 + x]!)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < rowBytes; x++) {
      const [left, up, corner] = [byteAt(y, x - RGB_BYTES), byteAt(y - 1, x), byteAt(y - 1, x - RGB_BYTES)]
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filtered[y * step]!]!
      rows[y * step + 1 + x] = filtered[y * step + 1 + x]! + guess
    }
  return rows
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [toLeft, toUp, toCorner] = [left, up, corner].map((value) => Math.abs(guess - value)) as [
    number,
    number,
    number,
  ]
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}
