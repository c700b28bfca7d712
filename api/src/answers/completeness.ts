import { setTimeout as pause } from 'node:timers/promises'
import { decodeEnvelope, type Envelope } from '@hopper/contracts'
import { lossOf, type EventLog, type LaneLoss, type Lanes, type Registry } from '@hopper/storage'
import { LastSeen } from './last-seen.ts'

interface Snapshot {
  readonly at: number
  readonly ends: readonly number[]
}

/** The last response of the log, with the positions counted at that time. */
interface Known extends Snapshot {
  readonly done: readonly number[]
  /** monotonic time at which both had been read */
  readonly readAt: number
}

/** The end positions of the lanes. */
interface Ends {
  readonly ends: readonly number[]
  /** time of the request to the log: what is received later may not be in the answer */
  readonly at: number
  /** monotonic time of the request to the log */
  readonly requestedAt: number
}

/** A cached figure that was read from the log. */
interface CachedFigure {
  /** monotonic time */
  readonly at: number
  readonly figure: Promise<number>
  hasFailed: boolean
}

/** The end of each lane's log and how far it has been counted. */
export interface LaneProgress {
  /** the instant before which everything received is counted, ms since the epoch; null if none is known */
  readonly completeTo: number | null
  readonly ends: readonly number[]
  /** the position before which everything is counted, by lane */
  readonly done: readonly number[]
  /** the same for the app that was asked about: while another app is deferred, further than `done` */
  readonly ownDone: readonly number[]
  /** true while the log does not report its ends: the values are from its last response */
  readonly isLogUnavailable: boolean
  /**
   * true if a lane ends before its counted position: its topic was recreated or truncated, so its end proves nothing
   */
  readonly isLogCut: boolean
}

const SNAPSHOT_INTERVAL_MS = 250
/** The tables can be read without the log, so an answer waits for the log at most this long. */
const ENDS_MS_MAX = 1_000
const SNAPSHOTS_MAX = 240
const WATCH_MS = 2_000
/** Maximum deviation of a lane's messages from the order of their receipt. */
const ORDER_MARGIN_MS = 60_000
/** messages, and their bytes, that are read from a lane to inspect its backlog */
const PEEKED_MAX = 32
const PEEKED_BYTES_MAX = 256_000
const PEEKED_LANES_MAX = 8
/** Reading a lane needs a consumer of its own, so the result is cached for this long. */
const CACHED_MS = 2_000

/** Records of the installation with facts that lanes and log do not have. */
export type ProgressRecords = Pick<Registry, 'ahead' | 'lastSeenLog'>

/**
 * Determines the instant up to which everything received (that is: acknowledged) has been counted. It remembers where
 * the lanes ended at earlier instants: once every lane has been counted up to such an end, the tables contain
 * everything that was received before that instant. With records, it also knows what an earlier process has seen, and
 * that one app need not wait for deferred ones.
 */
export class Completeness {
  private readonly log: EventLog
  private readonly lanes: Lanes
  private readonly clock: () => number
  private readonly records: ProgressRecords | undefined
  private readonly lastSeen: LastSeen | undefined
  /** ascending by time; only the first may be proved already */
  private snapshots: Snapshot[] = []
  private known: Known = { at: 0, ends: [], done: [], readAt: 0 }
  private reading: Promise<Ends> | undefined
  private isUnavailable = false
  private firstUncounted: CachedFigure | undefined
  private eventsPerMessage: CachedFigure | undefined

  constructor(log: EventLog, lanes: Lanes, clock: () => number, records?: ProgressRecords) {
    this.log = log
    this.lanes = lanes
    this.clock = clock
    this.records = records
    this.lastSeen = records && new LastSeen(records.lastSeenLog)
  }

  /**
   * Polls in the background until stopped, so that an instant is known even if the log becomes unavailable before the
   * first request; records what it sees for the processes that start while it is.
   */
  watch(): { stop(): void } {
    let isPolling = false
    const startReading = async (): Promise<void> => {
      if (isPolling) return
      isPolling = true
      // A request reports the error to its caller; here the next poll tries again.
      await this.record().catch(() => undefined)
      isPolling = false
    }
    const timer = setInterval(() => void startReading(), WATCH_MS).unref()
    void startReading()
    return { stop: () => clearInterval(timer) }
  }

  private async record(): Promise<void> {
    const { isLogUnavailable, isLogCut, completeTo } = await this.progress()
    const { at, ends } = this.known
    if (!isLogUnavailable && !isLogCut) await this.lastSeen?.put({ at, ends, complete_to: completeTo })
  }

  /**
   * Determines the progress, for one app or for all. Call it before reading the tables: they then contain at least what
   * it reports as counted.
   */
  async progress(app?: string): Promise<LaneProgress> {
    const [answer, done] = await Promise.all([this.ends(), this.lanes.positions()])
    const ownDone = app === undefined ? done : await this.doneOf(app, done, answer?.ends ?? this.known.ends)
    if (!answer) return this.withoutLog(done, ownDone)
    const { ends, at, requestedAt } = answer
    const common = { ends, done, ownDone, isLogUnavailable: false }
    // Everything counted before the log was read was in the log.
    const isLogCut =
      this.known.readAt <= requestedAt && this.known.done.some((counted, lane) => counted > (ends[lane] ?? 0))
    if (isLogCut) return { ...common, completeTo: await this.provedBefore(ownDone), isLogCut }
    this.known = { at, ends, done, readAt: performance.now() }
    if (reaches(done, ends)) {
      this.snapshots = [{ at, ends }]
      return { ...common, completeTo: at, isLogCut }
    }
    const proved = this.proved(done, at)
    if (proved) this.snapshots = this.snapshots.filter((snapshot) => snapshot.at >= proved.at)
    this.remember({ at, ends })
    if (reaches(ownDone, ends)) return { ...common, completeTo: at, isLogCut }
    const completeTo = this.proved(ownDone, at)?.at ?? (await this.beforeSnapshots(ends, done, ownDone))
    return { ...common, completeTo, isLogCut }
  }

  /** Progress of the lanes for one app: lanes whose owner defers other apps may be ahead. */
  private async doneOf(app: string, done: readonly number[], ends: readonly number[]): Promise<readonly number[]> {
    if (!this.records || reaches(done, ends)) return done
    const all = await this.records.ahead.list('')
    return done.map((position, lane) => {
      const found = all.find((each) => each.lane === lane && each.position === position)
      if (!found) return position
      return Object.hasOwn(found.behind, app) ? found.behind[app]! : found.ahead
    })
  }

  /**
   * Reads the ends of the lanes; undefined if the log does not respond in time. At most one request is in flight, and
   * callers do not wait for it while the log is unavailable.
   */
  private async ends(): Promise<Ends | undefined> {
    this.reading ??= this.readEnds().finally(() => (this.reading = undefined))
    const answered = this.reading.then(
      (answer) => ((this.isUnavailable = false), answer),
      () => ((this.isUnavailable = true), undefined),
    )
    if (this.isUnavailable) return Promise.race([answered, pause(0, undefined)])
    const inTime = await Promise.race([answered, pause(ENDS_MS_MAX, undefined, { ref: false })])
    this.isUnavailable = inTime === undefined
    return inTime
  }

  private async readEnds(): Promise<Ends> {
    const [at, requestedAt] = [this.clock(), performance.now()]
    return { at, requestedAt, ends: await this.log.ends() }
  }

  /** Reports progress without the log, from the ends that this process or an earlier one saw last. */
  private async withoutLog(done: readonly number[], ownDone: readonly number[]): Promise<LaneProgress> {
    const seen = this.known.ends.length > 0 ? this.known.ends : ((await this.lastSeen?.get())?.ends ?? [])
    const ends = done.map((position, lane) => Math.max(position, seen[lane] ?? 0))
    return {
      completeTo: await this.provedBefore(ownDone),
      ends,
      done,
      ownDone,
      isLogUnavailable: true,
      isLogCut: false,
    }
  }

  /** The newest snapshot whose ends have been reached. */
  private proved(done: readonly number[], until = Infinity): Snapshot | undefined {
    return this.snapshots.findLast(({ at, ends }) => at <= until && reaches(done, ends))
  }

  /** The newest instant that this process or an earlier one can prove without the present ends of the log. */
  private async provedBefore(done: readonly number[]): Promise<number | null> {
    return this.proved(done)?.at ?? (await this.lastSeen?.proved(done)) ?? null
  }

  /**
   * An instant for a young process: the one that an earlier process proved, or that of the oldest uncounted message.
   */
  private async beforeSnapshots(
    ends: readonly number[],
    done: readonly number[],
    ownDone: readonly number[],
  ): Promise<number | null> {
    const oldest = this.firstUncountedOf(ends, done).catch(() => 0)
    const known = Math.max(await oldest, (await this.lastSeen?.proved(ownDone)) ?? 0)
    return known > 0 ? known : null
  }

  /**
   * Lists the messages that the log has lost. A lane with a loss stays stopped until somebody accepts it. Empty while
   * the log is unavailable.
   */
  async losses({ ends, done, isLogUnavailable: isLogUnavailable, isLogCut }: LaneProgress): Promise<LaneLoss[]> {
    if (isLogUnavailable) return []
    const starts = (await this.log.starts?.().catch(() => [])) ?? []
    // Without a truncation, a lane counted beyond its end was counted further between the two reads.
    const endOf = (lane: number): number => (isLogCut ? (ends[lane] ?? 0) : Math.max(ends[lane] ?? 0, done[lane] ?? 0))
    return done
      .map((counted, lane) => lossOf(lane, counted, { start: starts[lane] ?? 0, end: endOf(lane) }))
      .filter((loss) => loss !== undefined)
  }

  /** The backlog. Its number of events is estimated from a sample of the messages. */
  async waiting(progress: LaneProgress): Promise<{ messages: number; events: number }> {
    const waiting = waitingOf(progress)
    const messages = waiting.reduce((sum, { from, end }) => sum + end - from, 0)
    if (progress.isLogUnavailable) return { messages, events: messages }
    if (messages <= PEEKED_MAX) return { messages, events: Math.round(messages * (await this.peekedRatio(waiting))) }
    this.eventsPerMessage = fresh(this.eventsPerMessage) ?? startReading(this.peekedRatio(waiting))
    return { messages, events: Math.round(messages * (await this.eventsPerMessage.figure)) }
  }

  /** Average events per message, over a sample of the backlog. */
  private async peekedRatio(waiting: readonly WaitingPart[]): Promise<number> {
    const lanes = waiting.slice(0, PEEKED_LANES_MAX).map(({ lane, from, end }) => this.peek(lane, from, end))
    const peeked = (await Promise.all(lanes)).flat()
    if (peeked.length === 0) return 1
    return (
      peeked.reduce((sum, seen) => sum + (seen?.events.length ?? 1) + (seen?.rejected?.length ?? 0), 0) / peeked.length
    )
  }

  /**
   * Returns whether the backlog may contain events of an app, from the progress of that app. A long backlog is not read
   * and counts as yes.
   */
  async mayConcern(app: string, progress: LaneProgress): Promise<boolean> {
    const waiting = waitingOf({ ends: progress.ends, done: progress.ownDone })
    if (progress.isLogUnavailable || progress.isLogCut || waiting.some(({ from, end }) => end - from > PEEKED_MAX))
      return true
    const answers = waiting.map(async ({ lane, from, end }) => {
      const seen = await this.peek(lane, from, end)
      return seen.length < end - from || seen.some((envelope) => envelope?.app === app)
    })
    return (await Promise.all(answers)).includes(true)
  }

  /** Reads the first messages of a lane's backlog; undefined stands for a message that cannot be decoded. */
  private async peek(lane: number, from: number, end: number): Promise<(Envelope | undefined)[]> {
    const messages = await this.log.read(lane, from, Math.min(PEEKED_MAX, end - from), PEEKED_BYTES_MAX)
    return messages.filter(({ position }) => position < end).map(({ value }) => decodeIfPossible(value))
  }

  private remember(snapshot: Snapshot): void {
    const last = this.snapshots.at(-1)
    if (last && snapshot.at - last.at < SNAPSHOT_INTERVAL_MS) return
    // with a long backlog, half of the snapshots are enough
    if (this.snapshots.length >= SNAPSHOTS_MAX) this.snapshots = this.snapshots.filter((_, index) => index % 2 === 0)
    this.snapshots.push(snapshot)
  }

  /**
   * Used when no snapshot reaches back far enough (this process is young). The receipt of the oldest uncounted message
   * is a lower bound, which stays valid as counting advances.
   */
  private async firstUncountedOf(ends: readonly number[], done: readonly number[]): Promise<number> {
    const oldest = async (): Promise<number> => {
      const times = await Promise.all(waitingOf({ ends, done }).map(({ lane, from }) => this.receivedAt(lane, from)))
      return Math.max(0, Math.min(this.clock(), ...times) - ORDER_MARGIN_MS)
    }
    this.firstUncounted = fresh(this.firstUncounted) ?? startReading(oldest())
    return this.firstUncounted.figure
  }

  private async receivedAt(lane: number, position: number): Promise<number> {
    const [message] = await this.log.read(lane, position, 1, 1)
    if (!message) return this.clock()
    // Messages deleted before they were counted may be older than anything that is left.
    if (message.position > position && ((await this.log.starts?.())?.[lane] ?? 0) > position) return 0
    return decodeIfPossible(message.value)?.received_at ?? 0
  }
}

/** The backlog of a lane. */
interface WaitingPart {
  readonly lane: number
  readonly from: number
  readonly end: number
}

function startReading(figure: Promise<number>): CachedFigure {
  const entry: CachedFigure = { at: performance.now(), figure, hasFailed: false }
  figure.catch(() => (entry.hasFailed = true))
  return entry
}

function fresh(last: CachedFigure | undefined): CachedFigure | undefined {
  return last && !last.hasFailed && performance.now() - last.at < CACHED_MS ? last : undefined
}

function waitingOf({ ends, done }: Pick<LaneProgress, 'ends' | 'done'>): WaitingPart[] {
  return ends.map((end, lane) => ({ lane, from: done[lane] ?? 0, end })).filter(({ from, end }) => from < end)
}

/** Decodes an envelope; one that cannot be decoded will become a dead letter. */
function decodeIfPossible(value: Uint8Array): Envelope | undefined {
  try {
    return decodeEnvelope(value)
  } catch {
    return undefined
  }
}

function reaches(done: readonly number[], ends: readonly number[]): boolean {
  return ends.every((end, lane) => (done[lane] ?? 0) >= end)
}
