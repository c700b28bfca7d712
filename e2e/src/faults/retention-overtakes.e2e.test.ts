import { decodeEnvelope } from '@hopper/contracts'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { whenCounted, getJson } from '../installations/installation.ts'
import { randomTraffic } from '../traffic/random-traffic.ts'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { metricOf } from './aggregator-state.fixture.ts'

const engines = inject('engines')
const WAIT_TIMEOUT_MS = 150_000

interface Status {
  readonly accepted_losses?: readonly object[]
  readonly complete_to: number
  readonly fates: readonly { readonly events: number }[]
  readonly lanes: readonly {
    readonly lane: number
    readonly next: number
    readonly done: number
    readonly lag: number
    readonly lost?: { first: number; next: number }
  }[]
}

describe.skipIf(!engines)('retention that overtakes an aggregator', () => {
  let installation: Cluster
  beforeAll(async () => {
    installation = await cluster(engines!, {
      provision,
      env: { HOPPER_LOG_LEVEL: 'info', HOPPER_KAFKA_SESSION_MS: '6000' },
    })
    await installation.start()
  }, 120_000)
  afterAll(() => installation?.dispose())

  const status = (): Promise<Status> => getJson<Status>(installation, '/api/v1/status', apps.tested.read)
  const eventsCounted = async (): Promise<number> => (await status()).fates.reduce((sum, { events }) => sum + events, 0)
  /** Returns the number of events sent. */
  const send = async (seed: number): Promise<number> => {
    const requests = randomTraffic({ devices: 40, eventsPerDevice: 10, seed, now: Date.now() }).flat()
    await Promise.all(
      requests.map((request) => sendUntilAcknowledged(installation.ingestUrl, apps.tested.write, request)),
    )
    return requests.reduce((sum, { events }) => sum + events.length, 0)
  }

  it('stops the lane and reports it everywhere; nothing is skipped before somebody accepts the loss', async () => {
    const [aggregator] = installation.aggregators as [Service]
    let sent = await send(1)
    await whenCounted(installation, apps.tested.read)
    expect(await eventsCounted()).toBe(sent)

    aggregator.signal('SIGSTOP')
    sent += await send(2)
    const { lane, done, next } = (await status()).lanes.reduce((most, each) => (each.lag > most.lag ? each : most))
    const deleted = await deleteUncounted(installation, { lane, first: done, next: next - 2 })
    aggregator.signal('SIGCONT')

    const lostMessages = (): Promise<number> => metricOf(aggregator, 'hopper_aggregator_lost_messages')
    await until(async () => (await lostMessages()) > 0, WAIT_TIMEOUT_MS).catch((cause: Error) => {
      throw new Error(aggregator.output.slice(-3_000), { cause })
    })
    // The aggregator still counts the messages that the broker had sent before it was stopped.
    const first = next - 2 - (await lostMessages())
    expect(first).toBeGreaterThanOrEqual(done)
    const lost = deleted.filter(({ position }) => position >= first).reduce((sum, { events }) => sum + events, 0)
    expect(lost).toBeGreaterThan(0)
    const ready = await fetch(`${aggregator.url}/ready`)
    expect([ready.status, await ready.text()]).toEqual([
      503,
      expect.stringContaining(`lanes: lane ${lane} has lost positions ${first} to ${next - 3}`),
    ])
    expect(aggregator.output).toContain('start an aggregator once with --accept-loss')
    await until(
      async () => (await status()).lanes.every((each) => each.lane === lane || each.lag === 0),
      WAIT_TIMEOUT_MS,
    )
    const { lanes, complete_to: completeTo } = await status()
    expect(lanes[lane]).toMatchObject({ done: first, next, lost: { first, next: next - 2 } })
    expect(lanes.filter((each) => each.lost)).toHaveLength(1)
    expect(completeTo).toBeLessThan(Date.now() - 1_000)

    const refused = await Service.of('aggregator', [], installation.env)
    await expect(refused.start()).rejects.toThrow(/HOP_DATA_DAMAGED.*has lost positions/)
    expect(await refused.stop('SIGKILL')).toBe(4)

    const accepting = await Service.of('aggregator', [], { ...installation.env, HOPPER_ACCEPT_LOSS: 'true' })
    await accepting.start()
    expect(accepting.output).toContain('accepted by --accept-loss')
    await whenCounted(installation, apps.tested.read)
    expect(await eventsCounted()).toBe(sent - lost)
    sent += await send(3)
    await whenCounted(installation, apps.tested.read)
    expect(await eventsCounted()).toBe(sent - lost)
    const after = await status()
    expect(after.lanes.filter((each) => each.lost)).toEqual([])
    expect(after.accepted_losses).toEqual([
      { lane, first, next: next - 2, is_cut: false, accepted_at: expect.any(Number) },
    ])
    await until(async () => (await fetch(`${aggregator.url}/ready`)).status === 200, WAIT_TIMEOUT_MS)
    expect(await accepting.stop('SIGTERM')).toBe(0)
  }, 600_000)
})

/** A deleted message, with the number of its events. */
interface Deleted {
  readonly position: number
  readonly events: number
}

/** Deletes uncounted messages of a lane, as retention does. */
async function deleteUncounted(
  { openStorage, env }: Cluster,
  { lane, first, next }: { lane: number; first: number; next: number },
): Promise<readonly Deleted[]> {
  const { log, close } = await openStorage()
  const messages = await log.read(lane, first, next - first)
  await close()
  const admin = new Kafka({ brokers: [engines!.kafka], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const topic = env['HOPPER_KAFKA_TOPIC']!
  // kafkajs deletes only in topics that it knows.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: lane, offset: String(next) }] })
  await admin.disconnect()
  return messages.map(({ position, value }) => ({ position, events: decodeEnvelope(value).events.length }))
}
