import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { canUseJars, jarCache } from '../engines/jars.ts'
import { saslUser, startKafka, type KafkaBroker } from '../engines/kafka-jar.ts'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { metricOf } from './aggregator-state.fixture.ts'
import { runTrial, expectExact, missingRows, type TrialResult } from './trial.fixture.ts'
import { pathsOf, read, Reads, type Read } from './reads.fixture.ts'
import type { Sending } from './sending.fixture.ts'

const engines = inject('engines')
const STOPPED_MS = 30_000
const STOPPED_MS_CONTROL = 5_000
/** Bound of the median: the first answer of a process takes some seconds on a busy machine, with or without Kafka. */
const READ_MS = 3_000
const WAIT_TIMEOUT_MS = 30_000

describe.skipIf(!engines || !(await canUseJars()))(
  'Kafka that is stopped under load while ingest is killed too',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'hopper-kafka-unavailable-'))
    let broker: KafkaBroker
    let installation: Cluster
    beforeAll(async () => {
      broker = await startKafka(dir, jarCache)
      installation = await cluster(
        { ...engines!, kafka: broker.address },
        { provision, env: { HOPPER_LOG_LEVEL: 'error' } },
      )
    }, 120_000)
    afterAll(async () => {
      await installation?.dispose()
      await broker?.process.stop()
      rmSync(dir, { recursive: true, force: true })
    })

    /**
     * Stops Kafka, runs `meanwhile` in the middle, and starts Kafka again; returns the number of requests acknowledged
     * while it was unavailable.
     */
    const stopAndRestart = async (sending: Sending, ms: number, meanwhile?: () => Promise<void>): Promise<number> => {
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

    /** Reads every report once, from an api process that is started while Kafka is unavailable. */
    const readsOfNewApi = async (): Promise<readonly Read[]> => {
      const api = await Service.of('api', [], installation.env)
      await api.start()
      expect(await (await fetch(`${api.url}/ready`)).json()).toMatchObject({
        ready: true,
        engines: expect.arrayContaining([expect.objectContaining({ name: 'kafka', healthy: false })]),
      })
      const status = await statusOf(api.url)
      expect(status).toMatchObject({
        engines: expect.arrayContaining([expect.objectContaining({ name: 'kafka', healthy: false })]),
      })
      // This process has never seen the log: it reports what the previous one has recorded, and no more.
      expect(status.complete_to).toBeGreaterThan(Date.now() - 10 * 60_000)
      expect(status.complete_to).toBeLessThan(Date.now() - 5_000)
      const reads = await Promise.all(pathsOf(apps.tested).map((path) => read(api.url, path, apps.tested.read)))
      await api.stop('SIGTERM')
      return reads
    }

    /** Expects that dates that were complete before Kafka became unavailable still are, and no later ones. */
    const expectKnown = async (): Promise<void> => {
      const { complete_to: completeTo } = await statusOf(installation.apiUrl)
      expect(completeTo).toBeGreaterThan(Date.now() - 10 * 60_000)
      expect(completeTo).toBeLessThan(Date.now() - 5_000)
    }

    const statusOf = async (apiUrl: string): Promise<{ complete_to: number }> => {
      const answer = await fetch(`${apiUrl}/api/v1/status`, {
        headers: { authorization: `Bearer ${apps.tested.read}` },
      })
      return (await answer.json()) as { complete_to: number }
    }

    it('loses nothing acknowledged, and ingest continues to acknowledge', async () => {
      let acknowledged = 0
      let waited = 0
      let reads: readonly Read[] = []
      let fresh: readonly Read[] = []
      const result: TrialResult = await runTrial({ installation, app: apps.tested, seed: 61 }, async (sending) => {
        acknowledged = await stopAndRestart(sending, STOPPED_MS, async () => {
          const reading = new Reads(installation.apiUrl, apps.tested)
          await installation.ingest.stop('SIGKILL')
          await installation.ingest.start()
          fresh = await readsOfNewApi()
          await expectKnown()
          reads = await reading.stop()
        })
        waited = await metricOf(installation.ingest, 'hopper_spool_messages')
      })
      expectExact(result)
      // 40 requests per second were sent; those that ingest could not take while it was down came later.
      expect(acknowledged).toBeGreaterThan(300)
      expect(waited).toBeGreaterThanOrEqual(0)
      const all = [...reads, ...fresh]
      expect([all.filter(({ status }) => status !== 200), reads.length > 50]).toEqual([[], true])
      expect(all.map(({ ms }) => ms).sort((a, b) => a - b)[all.length >> 1]).toBeLessThan(READ_MS)
    }, 480_000)

    it('control: acknowledged before they are stored, events from the time without Kafka are missing', async () => {
      const env = { HOPPER_LOG_LEVEL: 'error', HOPPER_SPOOL_BYTES: '0', HOPPER_UNSAFE_EARLY_ACK: '1' }
      const careless = await cluster({ ...engines!, kafka: broker.address }, { provision, env })
      try {
        const result = await runTrial(
          { installation: careless, app: apps.control, seed: 62 },
          async (sending) => void (await stopAndRestart(sending, STOPPED_MS_CONTROL)),
        )
        expect(missingRows(result)).toBeGreaterThan(0)
      } finally {
        await careless.dispose()
      }
    }, 240_000)

    it('with a wrong password ingest spools events and /ready reports why; with the right one they count', async () => {
      const sasl = {
        HOPPER_KAFKA_BROKERS: broker.saslAddress,
        HOPPER_KAFKA_SASL: 'plain',
        HOPPER_KAFKA_USERNAME: saslUser.name,
        HOPPER_SPOOL_BYTES: '1000000',
      }
      const ingest = await Service.of('ingest', [], { ...installation.env, ...sasl, HOPPER_KAFKA_PASSWORD: 'wrong' })
      await ingest.start()
      const ready = async (): Promise<string> => (await fetch(`${ingest.url}/ready`)).text()
      await until(async () => /authentication/i.test(await ready()), WAIT_TIMEOUT_MS)
      expect((await post(ingest.url)).status).toBe(202)
      expect(JSON.parse(await ready())).toMatchObject({
        ready: true,
        reasons: [],
        components: expect.arrayContaining([
          { name: 'log', healthy: true, detail: expect.stringMatching(/^1 messages wait .*authentication/i) },
        ]),
      })
      expect(await ingest.stop('SIGTERM')).toBe(0)
      const right = await Service.of('ingest', [], {
        ...installation.env,
        ...sasl,
        HOPPER_KAFKA_PASSWORD: saslUser.password,
      })
      await right.start()
      await until(async () => !(await (await fetch(`${right.url}/ready`)).text()).includes('wait'), WAIT_TIMEOUT_MS)
      expect(await right.stop('SIGTERM')).toBe(0)

      const refused = await Service.of('ingest', [], {
        ...installation.env,
        ...sasl,
        HOPPER_KAFKA_PASSWORD: 'wrong',
        HOPPER_SPOOL_BYTES: '0',
      })
      void refused.start().catch(() => undefined)
      await until(async () => (await post(refused.url).catch(() => undefined))?.status === 503, WAIT_TIMEOUT_MS)
      const answer = await fetch(`${refused.url}/ready`)
      expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/authentication/i)])
      await refused.stop('SIGTERM')
    }, 120_000)

    it('with a full spool nothing is acknowledged while Kafka is unavailable', async () => {
      const ingest = await Service.of('ingest', [], { ...installation.env, HOPPER_SPOOL_BYTES: '0' })
      await ingest.start()
      await broker.process.stop()
      const answer = await post(ingest.url)
      expect({ status: answer.status, retryAfter: answer.headers.has('retry-after') }).toEqual({
        status: 503,
        retryAfter: true,
      })
      await ingest.stop('SIGKILL')
      broker = await broker.restart()
    }, 120_000)
  },
)

const body = JSON.stringify({
  device_id: 'd',
  events: [{ type: 'custom', name: 'n', event_id: 'e', timestamp: Date.now() }],
})

function post(ingestUrl: string): Promise<Response> {
  return fetch(`${ingestUrl}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': apps.control.write },
    body,
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
