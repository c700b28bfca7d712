import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { LaneConsumer, LogMessage, Subscription } from '../ports/event-log.ts'
import type { KafkaSettings } from './settings.ts'

const HEARTBEAT_MS = 2_000
const MESSAGES_PER_BATCH = 500

interface OwnLane {
  /** the next position wanted */
  next: number
  readonly aborter: AbortController
  working: Promise<void>
}

/**
 * A member of the consumer group: Kafka says which lanes are ours, the store says from where each is read. Nothing is committed to Kafka, whose group
 * offsets would be a second truth. Back-pressure is the pull itself: a lane is fetched again only after its batch is done.
 */
export class LaneSubscription implements Subscription {
  readonly #consumer: Consumer
  readonly #settings: KafkaSettings
  readonly #lanes: LaneConsumer
  readonly #own = new Map<number, OwnLane>()
  #assigned = new Set<number>()

  constructor(kafka: Kafka, settings: KafkaSettings, lanes: LaneConsumer) {
    this.#settings = settings
    this.#lanes = lanes
    this.#consumer = kafka.consumer({
      groupId: settings.group, sessionTimeout: settings.sessionTimeoutMs, heartbeatInterval: HEARTBEAT_MS, rebalanceTimeout: settings.sessionTimeoutMs * 2,
      maxWaitTimeInMs: 250, maxBytesPerPartition: 4_000_000, allowAutoTopicCreation: false,
      // A member that gave up would leave its lanes to nobody noticing: go on for ever.
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8, restartOnFailure: async () => true },
    })
  }

  async start(): Promise<void> {
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#assigned = new Set(payload.memberAssignment[this.#settings.topic] ?? [])
      for (const lane of this.#own.keys()) if (!this.#assigned.has(lane)) void this.#revoke(lane)
    })
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#settings.topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: this.#settings.lanes,
      eachBatch: (payload) => this.#batch(payload),
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#own.values()].map(({ working }) => working.catch(() => undefined)))
    await this.#consumer.stop()
    await Promise.all([...this.#own.keys()].map((lane) => this.#revoke(lane)))
    await this.#consumer.disconnect()
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const lane = payload.batch.partition
    const alive = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_MS)
    try {
      const own = this.#own.get(lane) ?? (await this.#take(lane))
      if (Number(payload.batch.messages[0]?.offset ?? own.next) !== own.next && !this.#covers(payload, own.next)) {
        this.#consumer.seek({ topic: this.#settings.topic, partition: lane, offset: String(own.next) })
        return
      }
      own.working = this.#deliver(lane, own, payload)
      await own.working
    } catch (error) {
      // Forget the lane, so that it is taken again and read from where the store stands.
      await this.#revoke(lane)
      throw error
    } finally {
      clearInterval(alive)
    }
  }

  async #take(lane: number): Promise<OwnLane> {
    const own: OwnLane = { next: await this.#lanes.assigned(lane), aborter: new AbortController(), working: Promise.resolve() }
    this.#own.set(lane, own)
    return own
  }

  #covers({ batch }: EachBatchPayload, position: number): boolean {
    return Number(batch.firstOffset() ?? position) <= position && position <= Number(batch.lastOffset())
  }

  async #deliver(lane: number, own: OwnLane, { batch, isStale, isRunning, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const wanted = batch.messages.filter(({ offset }) => Number(offset) >= own.next)
    for (let at = 0; at < wanted.length; at += MESSAGES_PER_BATCH) {
      if (!isRunning() || isStale() || own.aborter.signal.aborted) return
      const part = wanted.slice(at, at + MESSAGES_PER_BATCH)
      const messages: LogMessage[] = part.map(({ offset, value }) => ({ position: Number(offset), value: value ?? new Uint8Array() }))
      await this.#lanes.batch(lane, messages, own.aborter.signal)
      own.next = messages.at(-1)!.position + 1
      resolveOffset(part.at(-1)!.offset)
      await heartbeat()
    }
  }

  async #revoke(lane: number): Promise<void> {
    const own = this.#own.get(lane)
    if (!own) return
    this.#own.delete(lane)
    own.aborter.abort()
    await own.working.catch(() => undefined)
    await this.#lanes.revoked(lane)
  }
}
