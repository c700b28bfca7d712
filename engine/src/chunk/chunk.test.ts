import { randomBytes, randomUUID } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { tableFromIPC } from 'apache-arrow'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ArchivedEvent } from '@hopper/contracts'
import { APP, T0, world } from '../contract/random-world.ts'
import { Chunk } from './chunk.ts'
import { chunkRows } from './chunk-rows.ts'
import { ColumnCache } from './column-cache.ts'
import { CELL_BYTES_MAX, encodeChunks } from './encoding/encode-chunk.ts'
import { mergeChunks } from './merge-chunks.ts'

const cover = { app: APP, date: '2026-01-01', lane: 0, first_position: 0, last_position: 99 }
const inLog = (a: ArchivedEvent, b: ArchivedEvent): number => a.index - b.index
const plain = (row: ArchivedEvent): ArchivedEvent => ({
  event: row.event,
  device_id: row.device_id,
  user: row.user,
  context: row.context,
  received_at: row.received_at,
  position: row.position,
  index: row.index,
})

function row(
  index: number,
  data: Record<string, string | number | boolean>,
  device_id = `d${index % 10}`,
): ArchivedEvent {
  return {
    event: { event_id: randomUUID(), timestamp: T0 + index, seq: index, type: 'custom', name: 'a', data },
    device_id,
    user: '',
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    received_at: T0 + index,
    position: index,
    index,
  }
}

describe('chunks', () => {
  it('return the rows they were built from, however they were split and merged', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(world, (generated) => {
        generated.chunks.forEach((chunks, lane) => {
          const expected = generated.rows.filter((r) => r.lane === lane).map(plain)
          expect(chunks.flatMap(chunkRows).sort(inLog)).toEqual(expected)
          const merged = mergeChunks(chunks).map((chunk) => Chunk.of(chunk))
          expect(merged.flatMap(chunkRows).sort(inLog)).toEqual(expected)
          const sliced = mergeChunks(chunks, Math.ceil(expected.length / 3)).map((chunk) => Chunk.of(chunk))
          expect(sliced.flatMap(chunkRows)).toEqual(merged.flatMap(chunkRows))
        })
      }),
      { numRuns: 20 },
    )
  })

  it('are sorted by device hash, timestamp, seq and place in the log', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(world, (generated) => {
        for (const chunks of generated.chunks) {
          for (const chunk of mergeChunks(chunks).map((c) => Chunk.of(c))) {
            const runs = chunk.runs()
            const order = chunkRows(chunk).map((r, i) => ({ r, run: runs.starts.findLastIndex((start) => start <= i) }))
            for (let i = 1; i < order.length; i++) {
              const [a, b] = [order[i - 1]!, order[i]!]
              const places = [
                a.run - b.run,
                a.r.event.timestamp - b.r.event.timestamp,
                a.r.event.seq - b.r.event.seq,
                a.r.position - b.r.position,
                a.r.index - b.r.index,
              ]
              expect(places.find((difference) => difference !== 0)).toBeLessThan(0)
            }
            for (let r = 1; r < runs.keys.length; r++) {
              expect(
                runs.keys[r - 1]! < runs.keys[r]! ||
                  (runs.keys[r - 1] === runs.keys[r] && runs.rests[r - 1]! < runs.rests[r]!),
              ).toBe(true)
            }
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  it('limit cells to 1 MB and the number of columns by splitting a span into parts', () => {
    const large = Array.from({ length: 1_500 }, (_, i) => row(i, { text: randomBytes(1_000).toString('base64url') }))
    const chunks = encodeChunks(large, cover)
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.map(({ summary }) => [summary.part, summary.parts])).toEqual(chunks.map((_, i) => [i, chunks.length]))
    for (const { columns } of chunks)
      for (const cell of columns.values()) expect(cell.length).toBeLessThanOrEqual(CELL_BYTES_MAX)
    const wide = Array.from({ length: 60 }, (_, i) =>
      row(i, Object.fromEntries(Array.from({ length: 30 }, (_, k) => [`key-${i}-${k}`, k]))),
    )
    const parts = encodeChunks(wide, cover)
    for (const { columns } of parts) expect(columns.size).toBeLessThanOrEqual(50)
    expect(parts.flatMap((chunk) => chunkRows(Chunk.of(chunk))).sort(inLog)).toEqual(wide)
  })

  it('can be read column by column by any Arrow reader', () => {
    const [chunk] = encodeChunks([row(0, { price: 1.5 }), row(1, {}, 'd0'), row(2, { price: 7 }, 'd0')], cover)
    const prices = tableFromIPC(zstdDecompressSync(chunk!.columns.get('data.price')!))
    expect([...prices.getChild('number')!]).toEqual([1.5, null, 7])
  })

  it('treat keys such as __proto__ as plain data', () => {
    const data = JSON.parse('{"__proto__": "x", "constructor": 1, "toString": true}') as Record<string, string>
    const [read] = encodeChunks([row(0, data)], cover).flatMap((chunk) => chunkRows(Chunk.of(chunk)))
    const event = read!.event as { data: Record<string, unknown> }
    expect(Object.getOwnPropertyDescriptor(event.data, '__proto__')!.value).toBe('x')
    expect(Object.getPrototypeOf(event.data)).toBe(Object.prototype)
  })

  it('decode only requested columns, once, and evict the least recently used when the cache is full', () => {
    const [encoded] = encodeChunks(
      Array.from({ length: 1_000 }, (_, i) => row(i, { n: i })),
      cover,
    )
    const requested: string[] = []
    const cache = new ColumnCache(20_000)
    const chunk = new Chunk(encoded!.summary, (column) => (requested.push(column), encoded!.columns.get(column)), cache)
    chunk.times()
    chunk.times()
    expect(requested.sort()).toEqual(['runs', 'timestamp'])
    for (const column of ['seq', 'position', 'index', 'received_at', 'seq'] as const) chunk.numbers(column)
    expect(cache.bytes).toBeLessThanOrEqual(20_000)
    chunk.times()
    expect(requested.filter((column) => column === 'timestamp').length).toBeGreaterThan(1)
  })
})
