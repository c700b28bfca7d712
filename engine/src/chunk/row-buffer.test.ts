import { hash, randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { ArchivedEvent, Value } from '@hopper/contracts'
import { Chunk } from './chunk.ts'
import { chunkRows } from './chunk-rows.ts'
import { encodeBuffer, encodeGroups } from './encoding/encode-chunk.ts'
import { mergeChunks } from './merge-chunks.ts'
import { RowBuffer } from './row-buffer.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const T0 = Date.UTC(2026, 0, 1)
const cover = { app: 'a', date: '2026-01-01', lane: 0, first_position: 0, last_position: 1_000_000 }
const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const
let drawn = 0
/** Returns random characters, the same in every run. */
const text = (chars: number): string => {
  let characters = ''
  while (characters.length < chars) characters += hash('sha256', String(drawn++), 'base64url')
  return characters.slice(0, chars)
}

type Shape = Partial<ArchivedEvent['event']> & {
  readonly data?: Record<string, Value>
  readonly device?: string
  readonly date?: string
}

/** Everything that senders may vary from event to event. */
const shapes: Record<string, (i: number) => Shape> = {
  'keys of data': () => ({ data: Object.fromEntries(Array.from({ length: 64 }, () => [text(4), 1])) }),
  'long keys': () => ({ data: Object.fromEntries(Array.from({ length: 8 }, () => [text(128), true])) }),
  values: () => ({ data: { a: text(12), b: drawn / 7, c: text(3) } }),
  'long values': () => ({ data: { a: text(1_500) } }),
  dates: (i) => ({ date: String(i), timestamp: T0 - i * 86_400_000 }),
  devices: () => ({ device: text(20) }),
  sessions: () => ({ session_id: text(24) }),
  'event ids that are no UUIDs': () => ({ event_id: text(30) }),
}

function rowOf(i: number, { data, device = 'd', date: _, ...fields }: Shape): ArchivedEvent {
  const event = {
    event_id: randomUUID(),
    timestamp: T0 + i,
    seq: i,
    type: 'custom' as const,
    name: 'n',
    ...fields,
    ...(data ? { data } : {}),
  }
  return {
    event: event as ArchivedEvent['event'],
    device_id: device,
    user: '',
    context,
    received_at: T0,
    position: i,
    index: 0,
  }
}

it.each(Object.entries(shapes))(
  'events with ever new %s take memory and time proportional to their bytes',
  { timeout: 120_000 },
  (_, shapeOf) => {
    const shaped = Array.from({ length: 2_000 }, (_, i) => shapeOf(i))
    const rows = shaped.map((shape, i) => rowOf(i, shape))
    const sent = rows.reduce((sum, { event, device_id }) => sum + JSON.stringify(event).length + device_id.length, 0)
    const buffer = new RowBuffer('a')
    const began = process.cpuUsage()
    rows.forEach((row, i) => buffer.put(row, shaped[i]!.date ?? '2026-01-01'))
    expect(buffer.bytes).toBeLessThan(40 * sent)
    const chunks = encodeBuffer(buffer, cover)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1_000).toBeLessThan(500 + sent / 400)
    for (const { summary } of chunks) expect(Object.keys(summary.columns).length).toBeLessThan(250)
    const read = chunks.flatMap((chunk) => chunkRows(Chunk.of(chunk)))
    expect(read.sort((a, b) => a.position - b.position)).toEqual(rows)
  },
)

it('a buffer estimates its memory roughly right', () => {
  const count = 20_000
  const rows = Array.from({ length: count }, (_, i) => rowOf(i, { ...shapes['values']!(i), device: `d${i >> 3}` }))
  const before = memory()
  const buffer = RowBuffer.of('a', rows)
  const taken = memory() - before
  expect(rows).toHaveLength(count)
  expect(buffer.bytes).toBeGreaterThan(taken / 2)
  expect(buffer.bytes).toBeLessThan(count * 1_000)
})

it('a buffer with few rows is small', () => {
  const before = memory()
  const buffers = Array.from({ length: 2_000 }, (_, i) => RowBuffer.of(`app ${i}`, [rowOf(i, {})]))
  expect((memory() - before) / buffers.length).toBeLessThan(20_000)
})

it('a merge gives frequent keys a column and spills keys that became rare', () => {
  const rare = (i: number): Shape => ({
    data: Object.fromEntries(
      Array.from({ length: 30 }, (_, k) => [`k${i}-${k}`, k % 3 === 0 ? String(k) : k % 3 === 1 ? k : true]),
    ),
  })
  const rows = Array.from({ length: 64 }, (_, i) =>
    rowOf(i, { data: { ...rare(i).data!, often: i, ...(i % 8 === 0 ? { only: 'x' } : {}) } }),
  )
  const chunks = rows.flatMap((row, i) =>
    encodeBuffer(RowBuffer.of('a', [row]), { ...cover, first_position: i, last_position: i }),
  )
  expect(chunks[1]!.summary.columns).toHaveProperty('spilled')
  const [merged, ...more] = mergeChunks(chunks.map((chunk) => Chunk.of(chunk)))
  expect(more).toEqual([])
  expect(merged!.summary.columns).toHaveProperty(['data.often'])
  expect(merged!.summary.columns).not.toHaveProperty(['data.k0-0'])
  const chunk = Chunk.of(merged!)
  expect(chunk.values('data.k7-3')!.values).toEqual([null, '3'])
  expect(chunkRows(chunk).sort((a, b) => a.position - b.position)).toEqual(rows)
})

it('the rows of a buffer are encoded as one span per group', () => {
  const buffer = new RowBuffer('a')
  const rows = Array.from({ length: 100 }, (_, i) => rowOf(i, { device: `d${i % 7}`, data: { i } }))
  rows.forEach((row, i) => buffer.put(row, `2026-01-0${1 + (i % 3)}`))
  const covers = [0, 1].map((n) => ({ ...cover, date: `2026-01-0${1 + n}`, dates: [] }))
  const groupOf = (date: string, position: number): number | undefined =>
    position < 10 ? undefined : date === '2026-01-01' ? 0 : 1
  const spans = [...encodeGroups(buffer, covers, groupOf)]
  const found = spans.map((chunks) =>
    chunks
      .flatMap((chunk) => chunkRows(Chunk.of(chunk)))
      .map(({ position }) => position)
      .sort((a, b) => a - b),
  )
  const wanted = [0, 1].map((n) =>
    rows.map(({ position }) => position).filter((position) => position >= 10 && (position % 3 === 0) === (n === 0)),
  )
  expect(new Set(found.map(String))).toEqual(new Set(wanted.map(String)))
})

function memory(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
