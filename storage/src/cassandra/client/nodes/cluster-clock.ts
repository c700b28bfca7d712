import { policies, types, type Client, type QueryOptions } from 'cassandra-driver'

/** A measurement is replaced by a less precise one only when it is older than this. */
const PRECISE_MS_MAX = 10_000
/** Above this, the clock of this machine is reported as wrong: it dates events. */
const DIFFERENCE_MS_MAX = 5_000
const QUERY = 'SELECT toUnixTimestamp(now()) AS time FROM system.local'

/** Called when the clocks of this machine and of the cluster begin to differ, and when they agree again. */
export interface ClockLogger {
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

interface Measurement {
  /** ms between the monotonic clock of this process and the time of day in the cluster */
  readonly offset: number
  readonly roundTripMs: number
  /** on the monotonic clock */
  readonly takenAt: number
}

/**
 * Write timestamps by the clock of the cluster. Of two writes Cassandra keeps the one with the larger timestamp, so a
 * process whose time of day was set back, or that follows one with a clock ahead, would write in vain without any
 * error. These timestamps are monotonic and do not depend on the time of day of this machine: they run on its monotonic
 * clock from the time that a node has reported (Cristian's algorithm, 1989).
 */
export class ClusterClock extends policies.timestampGeneration.MonotonicTimestampGenerator {
  readonly #logger: ClockLogger | undefined
  #measured: Measurement | undefined
  #differs = false

  constructor(logger?: ClockLogger) {
    // without warnings of the driver about the time of this machine
    super(0, 0)
    this.#logger = logger
  }

  /**
   * Returns microseconds, always more than the last time. Null before the first measurement: nodes then use their own
   * time.
   */
  override next(client: Client): types.Long | number {
    return this.#measured ? super.next(client) : (null as never)
  }

  /** Returns the time of day in the cluster, in whole ms since the epoch; the driver makes timestamps of it. */
  override getDate(): number {
    return Math.floor(performance.now() + this.#measured!.offset)
  }

  /** Asks a node, the given one if any, for its time. Rejects when it does not answer. */
  async measure(client: Client, options: Pick<QueryOptions, 'host' | 'readTimeout'> = {}): Promise<void> {
    const sentAt = performance.now()
    const queryOptions = { ...options, prepare: false, isIdempotent: false, consistency: types.consistencies.one }
    const row = (await client.execute(QUERY, [], queryOptions)).first()
    this.recordTime(Number(row.get('time') as bigint), sentAt, performance.now())
  }

  /** Records the time that a node reported, ms since the epoch, between two points of the monotonic clock. */
  recordTime(time: number, sentAt: number, receivedAt: number): void {
    const measured = {
      offset: time - (sentAt + receivedAt) / 2,
      roundTripMs: receivedAt - sentAt,
      takenAt: receivedAt,
    }
    const known = this.#measured
    if (!known || measured.roundTripMs <= known.roundTripMs || receivedAt - known.takenAt > PRECISE_MS_MAX)
      this.#measured = measured
    this.#compare(Date.now() - receivedAt - measured.offset, measured.roundTripMs)
  }

  #compare(difference: number, error: number): void {
    const differs = Math.abs(difference) > DIFFERENCE_MS_MAX + error
    if (differs === this.#differs) return
    this.#differs = differs
    if (differs) {
      const seconds = Math.round(difference / 1_000)
      this.#logger?.warn({ seconds }, 'the clock of this machine and that of Cassandra differ; one of them is wrong')
    } else this.#logger?.info({}, 'the clock of this machine and that of Cassandra agree again')
  }
}
