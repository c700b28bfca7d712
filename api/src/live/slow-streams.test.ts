import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { withOverrides, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CountedLog, deviceIn, putEvent, type Sent } from '../testing/counted-log.ts'
import { CountedPositions } from './counted-positions.ts'
import { SharedBatches } from './shared-batches.ts'
import { Slices } from './slices.ts'
import { StreamCursor } from './stream-cursor.ts'
import { TailStream } from './tail-stream.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const [LANES, EVENTS, PAYLOAD_BYTES] = [2, 8_000, 6_000]
const T0 = Date.UTC(2026, 2, 30, 9)
const dir = mkdtempSync(join(tmpdir(), 'hopper-slow-'))
let storage: Storage
let log: CountedLog
let reads = 0
/** number of events in the log */
let total = 0
let batches: SharedBatches
let counted: CountedPositions

beforeAll(async () => {
  storage = await openEmbedded({ dir, lanes: LANES })
  log = new CountedLog(storage)
  // 48 MB, and twice that as texts: more than the caches of messages (16 MiB) and of texts (32 MiB) hold
  while (total < EVENTS) await add(1_000)
  const watched = withOverrides(storage.log, {
    read: (...args) => {
      reads++
      return storage.log.read(...args)
    },
  })
  batches = new SharedBatches({ log: watched, reader: storage.reader, registry: storage.registry }, new Slices())
  counted = new CountedPositions(storage.lanes, (error) => {
    throw error
  })
  await counted.read()
})
afterAll(async () => {
  await storage.close()
  rmSync(dir, { recursive: true })
})

async function add(count: number): Promise<void> {
  await log.add(
    'shop',
    Array.from({ length: count }, (_, i) => message(total + i)),
  )
  total += count
}

const devices = [0, 1].map((lane) => deviceIn('shop', lane, LANES))
const message = (number: number): Sent => ({
  device: devices[number % LANES]!,
  received_at: T0,
  events: [putEvent(`e${number}`, JSON.stringify(`${number} ${'x'.repeat(PAYLOAD_BYTES)}`), T0)],
})

function open(): TailStream {
  return new TailStream({
    app: 'shop',
    form: 'puts',
    cursor: StreamCursor.at([0, 0]),
    counted,
    batches,
    failed: (error) => {
      throw error
    },
  })
}

/** Reads the sequence numbers of events until `count` have arrived. */
async function numbers(stream: TailStream, count: number): Promise<number[]> {
  const found: number[] = []
  let text = ''
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    const blocks = (text + String(part)).split('\n\n')
    text = blocks.pop()!
    for (const block of blocks)
      for (const [, number] of block.matchAll(/"payload":"(\d+) /g)) found.push(Number(number))
    if (found.length >= count) break
  }
  return found
}

const inOrder = (found: readonly number[]): number[] => [...found].sort((a, b) => a - b)
const all = (): number[] => Array.from({ length: total }, (_, index) => index)

test('a client that does not read costs little memory, stops no other, and gets all when it reads on', async () => {
  const slow = Array.from({ length: 10 }, open)
  await expect.poll(() => slow.every(({ readableLength }) => readableLength > 0), { timeout: 30_000 }).toBe(true)
  // time in which they would read on, if nothing stopped them
  for (let turn = 0; turn < 500; turn++) await setImmediate()
  const readsBefore = reads
  const quick = open()
  const found = await numbers(quick, total)
  quick.destroy()
  // each lane in its order
  for (let lane = 0; lane < LANES; lane++) {
    const selected = found.filter((number) => number % LANES === lane)
    expect(selected).toEqual(inOrder(selected))
  }
  expect(inOrder(found)).toEqual(all())
  for (const { readableLength } of slow) expect(readableLength).toBeLessThan(65_536 + PAYLOAD_BYTES * 2)
  // The ten share what they read until each was full; without sharing they would have read ten times as much.
  expect(readsBefore).toBeLessThan(8)

  await add(2)
  await counted.read()
  expect(inOrder(await numbers(slow[3]!, total))).toEqual(all())
  for (const stream of slow) stream.destroy()
})

test('streams that read together share what they read', async () => {
  reads = 0
  const one = open()
  await numbers(one, total)
  one.destroy()
  const alone = reads
  batches.clear()
  reads = 0
  const streams = Array.from({ length: 10 }, open)
  const found = await Promise.all(streams.map((stream) => numbers(stream, total)))
  for (const each of found) expect(inOrder(each)).toEqual(all())
  expect(reads).toBeLessThan(alone * 2)
  for (const stream of streams) stream.destroy()
})
