import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { openEmbedded } from '@hopper/storage/embedded'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { assertLogReaches } from './assert-log-reaches.ts'

const engines = inject('engines')
const dir = mkdtempSync(join(tmpdir(), 'hopper-reaches-'))
afterAll(() => rmSync(dir, { recursive: true }))

describe.skipIf(!engines)('a topic that does not fit the tables', () => {
  it('is refused when it ends before the counted position or starts after it, and continues if accepted', async () => {
    const topic = `reaches_${randomBytes(5).toString('hex')}`
    const { lanes, registry, close } = await openEmbedded({ dir, lanes: 1 })
    const admin = new Kafka({ brokers: [engines!.kafka], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const log = await new KafkaEventLog({
      ...kafkaDefaults,
      brokers: [engines!.kafka],
      lanes: 1,
      topic,
      group: topic,
    }).connect()
    const warnings: object[] = []
    const logger = { warn: (details: object) => void warnings.push(details) }
    const envelope = {
      version: 1,
      app: 'a',
      device_id: 'd',
      received_at: 1,
      context: { device: 'unknown', browser: '', os: '' },
      events: [],
    } as const
    const commit = async (position: number): Promise<void> => {
      const lease = await lanes.acquire(0, 'test')
      await lanes.commit(lease, position)
      await lanes.release(lease)
    }
    await log.append(Array.from({ length: 10 }, () => envelope))
    await commit(4)
    await assertLogReaches({ log, lanes, registry }, false, logger)

    await commit(30)
    await expect(assertLogReaches({ log, lanes, registry }, false, logger)).rejects.toMatchObject({
      code: 'HOP_DATA_DAMAGED',
      message: expect.stringContaining('lane 0 ends at position 10, but 30 is counted'),
    })
    await assertLogReaches({ log, lanes, registry }, true, logger)
    expect(warnings).toHaveLength(1)
    const [place] = await log.append([envelope])
    expect(place!.position).toBeGreaterThanOrEqual(20_030)
    expect((await lanes.positions())[0]).toBe(20_030)
    await assertLogReaches({ log, lanes, registry }, false, logger)

    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] })
    await assertLogReaches({ log, lanes, registry }, false, logger)
    await commit(4)
    await expect(assertLogReaches({ log, lanes, registry }, false, logger)).rejects.toMatchObject({
      message: expect.stringContaining('lost positions 4 to 14'),
    })
    await assertLogReaches({ log, lanes, registry }, true, logger)
    expect((await lanes.positions())[0]).toBe(15)
    expect(await registry.losses.list('')).toEqual([
      { lane: 0, first: 10, next: 30, is_cut: true, accepted_at: expect.any(Number) },
      { lane: 0, first: 4, next: 15, is_cut: false, accepted_at: expect.any(Number) },
    ])
    await log.close()
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
    await close()
  }, 60_000)
})
