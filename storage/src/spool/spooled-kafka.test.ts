import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { broker, freshSettings } from '../kafka/testing/kafka.fixture.ts'
import { KafkaEventLog } from '../kafka/kafka.ts'
import { KafkaProxy, PRODUCE } from '../kafka/testing/proxy.fixture.ts'
import { firstSeen, numbered, upTo } from './numbered.fixture.ts'
import { SpooledLog, spoolDefaults } from './spooled-log.ts'

const DEVICES = ['d0', 'd1', 'd2', 'd3']
const DRAINED_MS = 90_000

describe.skipIf(!broker)('a spool before Kafka', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-spool-kafka-'))
  const settings = freshSettings()
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true })
    const admin = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.deleteTopics({ topics: [settings.topic] })
    await admin.disconnect()
  })

  it('loses nothing and keeps each device in order while Kafka stops, comes back and loses responses', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const log = await SpooledLog.open({ ...spoolDefaults, dir, lanes: settings.lanes }, () =>
      new KafkaEventLog({ ...settings, brokers: [proxy.address] }).connect(),
    )
    const sent = new Map(DEVICES.map((device) => [device, 0]))
    const send = (count: number): Promise<unknown> =>
      Promise.all(
        DEVICES.map(async (device) => {
          for (let n = sent.get(device)!; n < count; n++) {
            await log.append([numbered(device, n)])
            sent.set(device, n + 1)
          }
        }),
      )
    await send(20)
    expect(log.depth.direct).toBe(true)
    await proxy.cutOff()
    await send(60)
    expect(log.depth.direct).toBe(false)
    await proxy.back()
    let answers = 0
    proxy.fate = (apiKey) => (apiKey === PRODUCE && ++answers % 3 === 1 && answers < 8 ? 'cut' : 'pass')
    await send(90)
    await vi.waitFor(() => expect(log.depth.direct).toBe(true), DRAINED_MS)
    await send(100)
    await vi.waitFor(() => expect(log.depth.direct).toBe(true), DRAINED_MS)
    expect(proxy.lost).toBeGreaterThan(0)
    const seen = await firstSeen(log)
    expect(DEVICES.map((device) => seen.get(device))).toEqual(DEVICES.map(() => upTo(100)))
    await log.close()
  }, 300_000)
})
