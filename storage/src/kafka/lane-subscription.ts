import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, type Batch, type Consumer, type EachBatchPayload } from 'kafkajs'
import type { LaneConsumer, Subscription } from '../ports/event-log.ts'
import { AssignedLane } from './assigned-lane.ts'
import { patientConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'

const HEARTBEATS_PER_SESSION = 5
/** A slower batch no longer keeps the other lanes waiting; its own lane is not fetched until it is done. */
const SLOW_MS = 500
const REJOIN_MS = 1_000
/** permanent errors of Kafka */
const REFUSALS = ['INVALID_SESSION_TIMEOUT', 'GROUP_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED']
/** time that Kafka has to let a member leave */
const LEAVE_MS = 5_000
/** interval of the comparison of the lanes with the bounds of the log */
const CHECK_MS = 3_000
/** limits of one fetch, of a lane and of all lanes, compressed: about nine times as much in memory */
const LANE_BYTES_MAX = 500_000
const FETCH_BYTES_MAX = 4_000_000

/** The first and the next position of each lane. */
export interface LaneBounds {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/**
 * A member of the consumer group. Kafka assigns the lanes; the store decides from where each is read. Nothing is
 * committed to Kafka: its group offsets would be a second truth. Back-pressure is the pull itself: a lane is fetched
 * again only after its batch is done, so at most one batch of each lane is held.
 */
export class LaneSubscription implements Subscription {
  readonly #settings: KafkaSettings
  readonly #bounds: () => Promise<LaneBounds>
  readonly #sockets = new Sockets()
  readonly #kafka: Kafka
  readonly #lanes: readonly AssignedLane[]
  readonly #closing = new AbortController()
  #consumer: Consumer | undefined
  #rejoining: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #timer: NodeJS.Timeout | undefined
  #isChecking = false
  /** lanes whose next position was outside of the log at the last check, with that position */
  readonly #outside = new Map<number, number>()

  constructor(settings: KafkaSettings, consumer: LaneConsumer, bounds: () => Promise<LaneBounds>) {
    this.#settings = settings
    this.#bounds = bounds
    this.#kafka = new Kafka(patientConfig(settings, this.#sockets))
    this.#lanes = Array.from({ length: settings.lanes }, (_, lane) => new AssignedLane(lane, consumer))
  }

  /** The reason why this member is in no group now. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Joins the group. Resolves when Kafka has assigned the lanes, or when it cannot do so yet, as while its coordinators
   * are loading.
   * @throws the error with which Kafka permanently refuses this member
   */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#checkBounds(), CHECK_MS).unref()
    try {
      await this.#join()
    } catch (error) {
      if (REFUSALS.includes((error as { type?: string }).type ?? '')) throw error
      this.#failure = error as Error
      this.#rejoining = this.#rejoin()
    }
  }

  async #join(): Promise<void> {
    const { topic, group, sessionTimeoutMs, lanes, heldBytesMax } = this.#settings
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: sessionTimeoutMs / HEARTBEATS_PER_SESSION,
      rebalanceTimeout: sessionTimeoutMs * 2,
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: Math.min(LANE_BYTES_MAX, Math.ceil(heldBytesMax / lanes)),
      maxBytes: FETCH_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5, restartOnFailure: async () => false },
    })
    this.#consumer = consumer
    let joined = false
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      joined = true
      this.#failure = undefined
      this.#joined(payload.memberAssignment[topic] ?? [])
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.#failure = payload.error
      if (joined) this.#rejoining = this.#rejoin()
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: lanes,
      eachBatch: (payload) => this.#batch(payload),
    })
    if (!joined) throw this.#failure ?? new Error(`Kafka did not let this process into group ${group}.`)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
    this.#hold(this.#lanes.keys())
    await Promise.all(this.#lanes.map((lane) => lane.release()))
    // Kafka may give the lanes to others only now that everything in flight is done.
    await Promise.race([this.#leave(), pause(LEAVE_MS, undefined, { ref: false })])
    this.#sockets.end()
  }

  async #leave(): Promise<void> {
    await this.#rejoining
    await this.#consumer?.disconnect()
  }

  #joined(assigned: readonly number[]): void {
    // Paused until the position is known: a new generation of the group would begin at the start of the log.
    this.#hold(assigned)
    for (const [number, lane] of this.#lanes.entries()) {
      if (!assigned.includes(number) || this.#closing.signal.aborted) void lane.release()
      else if (lane.ready) this.#fetch(number)
      else lane.take(() => this.#fetch(number))
    }
  }

  /**
   * Joins again after a crash, in which the member has lost its lanes. kafkajs itself restarts only after some of the
   * errors.
   */
  async #rejoin(): Promise<void> {
    for (const lane of this.#lanes) void lane.release()
    while (!this.#closing.signal.aborted) {
      await this.#consumer?.disconnect().catch(() => undefined)
      await pause(REJOIN_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined)
      if (this.#closing.signal.aborted) return
      try {
        return await this.#join()
      } catch (error) {
        this.#failure = error as Error
      }
    }
  }

  async #batch({ batch }: EachBatchPayload): Promise<void> {
    const lane = this.#lanes[batch.partition]
    if (!lane?.ready) return this.#hold([batch.partition])
    lane.busy = true
    const slow = new AbortController()
    const delivered = this.#deliver(lane, batch)
    void delivered.then((took) => this.#finish(batch.partition, lane, took)).finally(() => slow.abort())
    await pause(SLOW_MS, undefined, { signal: slow.signal }).catch(() => undefined)
    if (lane.busy) this.#hold([batch.partition])
  }

  async #deliver(lane: AssignedLane, batch: Batch): Promise<boolean> {
    try {
      const from = Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset)
      // kafkajs goes to the start of a lane when the position no longer exists. Any other batch from beyond it is a
      // stale one.
      if (from > lane.next && ((await this.#bounds()).starts[batch.partition] ?? 0) > lane.next) {
        this.#takeAgain(batch.partition, lane)
        return false
      }
      return await lane.deliver(
        from,
        batch.messages.map(({ offset, value }) => ({ position: Number(offset), value: value ?? new Uint8Array() })),
      )
    } catch {
      return false
    }
  }

  /**
   * Looks for lanes whose next position the log no longer has, or does not have although the lane was read up to it:
   * retention has deleted it, or the topic was created again. Kafka delivers nothing for them, or messages from another
   * position.
   * One check is not enough: a fetched batch may be in flight, and a broker that has just become the leader may lag
   * behind for a moment.
   */
  async #checkBounds(): Promise<void> {
    if (this.#isChecking || !this.#lanes.some((lane) => lane.ready)) return
    this.#isChecking = true
    const bounds = await this.#bounds().catch(() => undefined)
    this.#isChecking = false
    if (!bounds) return
    for (const [number, lane] of this.#lanes.entries()) {
      const { next } = lane
      const isOutside = lane.ready && (next < (bounds.starts[number] ?? 0) || next > (bounds.ends[number] ?? 0))
      if (isOutside && this.#outside.get(number) === next) this.#takeAgain(number, lane)
      if (isOutside) this.#outside.set(number, next)
      else this.#outside.delete(number)
    }
  }

  /** Lets the consumer decide about a lane that has lost its next position. */
  #takeAgain(number: number, lane: AssignedLane): void {
    this.#hold([number])
    lane.takeAgain(() => this.#fetch(number))
  }

  /** Ends a batch. A batch that was not taken is fetched again after a pause. */
  async #finish(number: number, lane: AssignedLane, took: boolean): Promise<void> {
    if (!took) {
      this.#hold([number])
      await lane.backOff()
    }
    lane.busy = false
    this.#fetch(number)
  }

  #fetch(number: number): void {
    const { topic } = this.#settings
    const lane = this.#lanes[number]
    if (lane?.ready)
      this.#steer(
        (consumer) => (
          consumer.seek({ topic, partition: number, offset: String(lane.next) }),
          consumer.resume([{ topic, partitions: [number] }])
        ),
      )
  }

  #hold(numbers: Iterable<number>): void {
    this.#steer((consumer) => consumer.pause([{ topic: this.#settings.topic, partitions: [...numbers] }]))
  }

  #steer(work: (consumer: Consumer) => void): void {
    try {
      if (this.#consumer) work(this.#consumer)
    } catch {
      // A consumer that is not running is called again when it has joined.
    }
  }
}
