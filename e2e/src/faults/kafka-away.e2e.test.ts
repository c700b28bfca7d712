import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../cluster.ts'
import { canUseJars, jarCache } from '../engines/jars.ts'
import { startKafka, type KafkaBroker } from '../engines/kafka-jar.ts'
import { Service } from '../service.ts'
import { apps, provision } from './apps.ts'
import { figure } from './at-work.ts'
import { endure, expectExact, rowsShort, type Endured } from './endure.ts'
import type { Sending } from './sending.ts'

const engines = inject('engines')
const AWAY_MS = 30_000
const AWAY_MS_CONTROL = 5_000

describe.skipIf(!engines || !(await canUseJars()))('Kafka that is stopped under load, and ingest killed meanwhile', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-kafka-away-'))
  let broker: KafkaBroker
  let product: Cluster
  beforeAll(async () => {
    broker = await startKafka(dir, jarCache)
    product = await cluster({ ...engines!, kafka: broker.address }, { provision, env: { HOPPER_LOG_LEVEL: 'error' } })
  }, 120_000)
  afterAll(async () => {
    await product?.dispose()
    await broker?.process.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  /** Stops Kafka, does something in the middle, starts Kafka again; answers how many requests were acknowledged while it was away. */
  const away = async (sending: Sending, ms: number, meanwhile?: () => Promise<void>): Promise<number> => {
    await sending.more(150)
    await broker.process.stop()
    const before = sending.acknowledged
    const end = performance.now() + ms
    await pause(ms / 2)
    await meanwhile?.()
    await pause(end - performance.now())
    const acknowledged = sending.acknowledged - before
    broker = await broker.restart()
    await sending.more(100)
    return acknowledged
  }

  it('costs nothing that was acknowledged, and ingest goes on acknowledging', async () => {
    let acknowledged = 0
    let waited = 0
    const endured: Endured = await endure({ product, app: apps.proved, seed: 61 }, async (sending) => {
      acknowledged = await away(sending, AWAY_MS, async () => {
        await product.ingest.stop('SIGKILL')
        await product.ingest.start()
      })
      waited = await figure(product.ingest, 'hopper_spool_messages')
    })
    expectExact(endured)
    // 40 requests a second were sent; what ingest could not take while it was dead came later.
    expect(acknowledged).toBeGreaterThan(300)
    expect(waited).toBeGreaterThanOrEqual(0)
  }, 480_000)

  it('control: acknowledged before it is stored, what came while Kafka was away is missing', async () => {
    const env = { HOPPER_LOG_LEVEL: 'error', HOPPER_SPOOL_BYTES: '0', HOPPER_UNSAFE_EARLY_ACK: '1' }
    const careless = await cluster({ ...engines!, kafka: broker.address }, { provision, env })
    try {
      const endured = await endure({ product: careless, app: apps.control, seed: 62 }, async (sending) => void (await away(sending, AWAY_MS_CONTROL)))
      expect(rowsShort(endured)).toBeGreaterThan(0)
    } finally {
      await careless.dispose()
    }
  }, 240_000)

  it('without room in the spool nothing is acknowledged while Kafka is away', async () => {
    const ingest = await Service.of('ingest', [], { ...product.env, HOPPER_SPOOL_BYTES: '0' })
    await ingest.start()
    await broker.process.stop()
    const answer = await fetch(`${ingest.url}/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': apps.control.write }, body })
    expect({ status: answer.status, retryAfter: answer.headers.has('retry-after') }).toEqual({ status: 503, retryAfter: true })
    await ingest.stop('SIGKILL')
    broker = await broker.restart()
  }, 120_000)
})

const body = JSON.stringify({ device_id: 'd', events: [{ type: 'custom', name: 'n', event_id: 'e', timestamp: Date.now() }] })

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
