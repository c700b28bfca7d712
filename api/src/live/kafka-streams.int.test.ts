import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { withLog, withOverrides, type Storage } from '@hopper/storage'
import '@hopper/storage/contract/engines'
import { openEmbedded } from '@hopper/storage/embedded'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { CountedLog, deviceIn, putEvent } from '../testing/counted-log.ts'
import { CountedPositions } from './counted-positions.ts'
import { SharedBatches, type Form } from './shared-batches.ts'
import { Slices } from './slices.ts'
import { StreamCursor } from './stream-cursor.ts'
import { TailStream } from './tail-stream.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const engines = inject('engines')
const [LANES, READERS, EVENTS, LIVE_ROUNDS] = [4, 100, 2_000, 5]
/** As many consumer groups as `LaneReaders` has readers, however many streams there are. */
const GROUPS_MAX = 8
const T0 = Date.UTC(2026, 2, 30, 9)

describe.skipIf(!engines)('streams over Kafka', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-streams-'))
  const name = `streams-${randomBytes(6).toString('hex')}`
  const admin = new Kafka({ brokers: [engines?.kafka ?? ''], logLevel: logLevel.NOTHING }).admin()
  let storage: Storage
  let log: CountedLog
  let counted: CountedPositions
  let reads = 0
  let total = 0
  let groupsSeen = 0

  beforeAll(async () => {
    const settings = { ...kafkaDefaults, brokers: [engines!.kafka], topic: name, group: name, lanes: LANES }
    const kafka = await new KafkaEventLog(settings).connect()
    storage = withLog(await openEmbedded({ dir, lanes: LANES }), kafka)
    log = new CountedLog(storage)
    await admin.connect()
    await add(EVENTS)
    counted = new CountedPositions(storage.lanes, rethrow)
    await counted.read()
  })
  afterAll(async () => {
    await storage.close()
    expect(await readingGroups()).toBe(0)
    await admin.deleteTopics({ topics: [name] }).catch(() => undefined)
    await admin.disconnect()
    rmSync(dir, { recursive: true })
  })

  async function add(count: number): Promise<void> {
    const sent = Array.from({ length: count }, (_, i) => ({
      device: deviceIn('shop', (total + i) % LANES, LANES),
      received_at: T0,
      events: [putEvent(`e${total + i}`, `"${total + i} ${'x'.repeat(500)}"`, T0)],
    }))
    await log.add('shop', sent)
    total += count
  }

  async function readingGroups(): Promise<number> {
    const { groups } = await admin.listGroups()
    return groups.filter(({ groupId }) => groupId.startsWith(`${name}-read-`)).length
  }

  function batchesOver(): SharedBatches {
    const watched = withOverrides(storage.log, {
      read: (...args) => {
        reads++
        return storage.log.read(...args)
      },
    })
    return new SharedBatches({ log: watched, reader: storage.reader, registry: storage.registry }, new Slices())
  }

  function open(batches: SharedBatches, form: Form): TailStream {
    const cursor = StreamCursor.at(new Array<number>(LANES).fill(0))
    return new TailStream({ app: 'shop', form, cursor, counted, batches, failed: rethrow })
  }

  /** Reads until every reader has that many events; counts the consumer groups meanwhile. */
  async function readAll(readers: readonly Reader[], count: number): Promise<void> {
    let isDone = false
    const countingGroups = (async () => {
      while (!isDone) {
        groupsSeen = Math.max(groupsSeen, await readingGroups())
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    })()
    await Promise.all(readers.map((reader) => reader.read(count)))
    isDone = true
    await countingGroups
  }

  it(`send ${READERS} readers every event once, read by few consumers that they share`, async () => {
    const alone = new Reader(open(batchesOver(), 'puts'))
    await alone.read(total)
    alone.stream.destroy()
    const readsOfOne = reads
    expect(readsOfOne).toBeGreaterThan(3)

    reads = 0
    const batches = batchesOver()
    const readers = Array.from(
      { length: READERS },
      (_, index) => new Reader(open(batches, index % 2 ? 'puts' : 'events')),
    )
    await readAll(readers, total)
    expect(reads).toBeLessThan(readsOfOne * 2)

    // Events that arrive while the readers follow are read once for all of them.
    reads = 0
    for (let round = 0; round < LIVE_ROUNDS; round++) {
      await add(LANES)
      await counted.read()
      await readAll(readers, total)
    }
    expect(reads).toBeLessThanOrEqual(LIVE_ROUNDS * LANES * 2)
    for (const { numbers } of readers)
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index))
    for (const { stream } of readers) stream.destroy()
    expect(groupsSeen).toBeGreaterThan(0)
    expect(groupsSeen).toBeLessThanOrEqual(GROUPS_MAX)
  })

  it('reads at many places at once with few consumers, each the requested messages', async () => {
    const wanted = Array.from({ length: 60 }, (_, index) => ({
      lane: index % LANES,
      from: (index * 7) % 400,
      limit: 1 + (index % 9),
    }))
    const found = await Promise.all(wanted.map(({ lane, from, limit }) => storage.log.read(lane, from, limit)))
    for (const [index, { from, limit }] of wanted.entries())
      expect(found[index]!.map(({ position }) => position)).toEqual(Array.from({ length: limit }, (_, i) => from + i))
    expect(await readingGroups()).toBeLessThanOrEqual(GROUPS_MAX)
  })
})

/** A client that keeps the numbers of the events that it was sent. */
class Reader {
  readonly stream: TailStream
  readonly numbers: number[] = []
  #text = ''

  constructor(stream: TailStream) {
    this.stream = stream
  }

  async read(count: number): Promise<void> {
    if (this.numbers.length >= count) return
    for await (const part of this.stream.iterator({ destroyOnReturn: false })) {
      const blocks = (this.#text + String(part)).split('\n\n')
      this.#text = blocks.pop()!
      for (const block of blocks)
        for (const [, number] of block.matchAll(/"payload":"\\?"?(\d+) /g)) this.numbers.push(Number(number))
      if (this.numbers.length >= count) break
    }
  }
}

function rethrow(error: unknown): never {
  throw error
}
