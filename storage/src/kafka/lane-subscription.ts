import { setTimeout as pause } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { LaneConsumer, LogMessage, Subscription } from '../ports/event-log.ts'
import type { KafkaSettings } from './settings.ts'

/** heartbeats that a member may miss before it is given up */
const HEARTBEATS_PER_SESSION = 5
const MESSAGES_PER_BATCH = 500
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 5_000

interface OwnLane {
  /** the next position wanted */
  next: number
  readonly aborter: AbortController
  working: Promise<void>
  /** the pause after the next failure */
  retryMs: number
}

/**
 * A member of the consumer group: Kafka says which lanes are ours, the store says from where each is read. Nothing is committed to Kafka, whose group
 * offsets would be a second truth. Back-pressure is the pull itself: a lane is fetched again only after its batch is done.
 */
export class LaneSubscription implements Subscription {
  readonly #consumer: Consumer
  readonly #settings: KafkaSettings
  readonly #lanes: LaneConsumer
  readonly #own = new Map<number, Promise<OwnLane>>()
  #assigned = new Set<number>()

  constructor(kafka: Kafka, settings: KafkaSettings, lanes: LaneConsumer) {
    this.#settings = settings
    this.#lanes = lanes
    this.#consumer = kafka.consumer({
      groupId: settings.group, sessionTimeout: settings.sessionTimeoutMs, heartbeatInterval: settings.sessionTimeoutMs / HEARTBEATS_PER_SESSION, rebalanceTimeout: settings.sessionTimeoutMs * 2,
      maxWaitTimeInMs: 250, maxBytesPerPartition: 4_000_000, allowAutoTopicCreation: false,
      // A member that gave up would leave its lanes to nobody noticing: go on for ever.
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8, restartOnFailure: async () => true },
    })
  }

  async start(): Promise<void> {
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#assigned = new Set(payload.memberAssignment[this.#settings.topic] ?? [])
      for (const lane of this.#own.keys()) if (!this.#assigned.has(lane)) void this.#revoke(lane)
      // A lane that can not be taken now is taken with its first batch.
      for (const lane of this.#assigned) this.#take(lane).catch(() => undefined)
    })
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#settings.topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: this.#settings.lanes,
      eachBatch: (payload) => this.#batch(payload),
    })
  }

  async close(): Promise<void> {
    await this.#consumer.stop()
    await Promise.all([...this.#own.keys()].map((lane) => this.#revoke(lane)))
    await this.#consumer.disconnect()
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const lane = payload.batch.partition
    const alive = setInterval(() => void payload.heartbeat().catch(() => undefined), this.#settings.sessionTimeoutMs / HEARTBEATS_PER_SESSION)
    let own: OwnLane | undefined
    try {
      own = await this.#take(lane)
      if (!this.#covers(payload, own.next)) {
        this.#consumer.seek({ topic: this.#settings.topic, partition: lane, offset: String(own.next) })
        return
      }
      own.working = this.#deliver(lane, own, payload)
      await own.working
      own.retryMs = RETRY_MS_FIRST
    } catch {
      // What was not resolved is fetched again. The consumer has said why it failed; an error thrown on would only restart the whole member.
      await pause(own?.retryMs ?? RETRY_MS_MAX)
      if (own) own.retryMs = Math.min(own.retryMs * 2, RETRY_MS_MAX)
    } finally {
      clearInterval(alive)
    }
  }

  /** The lane as ours; asks the consumer for its position once. */
  #take(lane: number): Promise<OwnLane> {
    let taken = this.#own.get(lane)
    if (!taken) {
      taken = this.#lanes.assigned(lane).then((next) => ({ next, aborter: new AbortController(), working: Promise.resolve(), retryMs: RETRY_MS_FIRST }))
      this.#own.set(lane, taken)
      taken.catch(() => this.#own.delete(lane))
    }
    return taken
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
    const own = await this.#own.get(lane)?.catch(() => undefined)
    if (!own) return
    this.#own.delete(lane)
    own.aborter.abort()
    await own.working.catch(() => undefined)
    await this.#lanes.revoked(lane)
  }
}
