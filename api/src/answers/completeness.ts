import { setTimeout as pause } from 'node:timers/promises'
import { decodeEnvelope, type Envelope } from '@hopper/contracts'
import { lossOf, type EventLog, type LaneLoss, type Lanes } from '@hopper/storage'

interface Snapshot {
  readonly at: number
  readonly ends: readonly number[]
}

/** The last answer of the log, and what was counted then. */
interface Known extends Snapshot {
  readonly done: readonly number[]
  /** on the monotonic clock, when that had been read */
  readonly readAt: number
}

/** Where the lanes end. */
interface Ends {
  readonly ends: readonly number[]
  /** on the monotonic clock, when the log was asked */
  readonly askedAt: number
}

/** A figure that was looked up in the log. */
interface Look {
  /** on the monotonic clock */
  readonly at: number
  readonly figure: Promise<number>
  hasFailed: boolean
}

/** Where each lane's log ends and how far it has been counted. */
export interface LaneProgress {
  readonly completeTo: number
  readonly ends: readonly number[]
  readonly done: readonly number[]
  /** true while the log does not say where it ends: what is known is from before */
  readonly isLogAway: boolean
  /** whether a lane ends before what was counted of it: its topic was made again or cut, so its end proves nothing */
  readonly isLogCut: boolean
}

const SNAPSHOT_EVERY_MS = 250
/** The tables are there whether or not the log answers, so an answer waits for it only so long. */
const ENDS_MS_MAX = 1_000
const SNAPSHOTS_MAX = 240
const WATCH_MS = 2_000
/** How far two messages of a lane may stand out of the order of their receipt. */
const ORDER_MARGIN_MS = 60_000
/** messages, and bytes of them, of a lane that are looked at to tell what waits */
const PEEKED_MAX = 32
const PEEKED_BYTES_MAX = 256_000
const PEEKED_LANES_MAX = 8
/** Looking into a lane takes a consumer of its own, so what a look has told is taken for this long. */
const LOOK_EVERY_MS = 2_000

/**
 * Proves up to which instant everything received (that is: acknowledged) has been counted. It remembers where the lanes
 * ended at earlier instants: once every lane has been counted up to such an end, all that was received before that
 * instant is in the tables.
 */
export class Completeness {
  private readonly log: EventLog
  private readonly lanes: Lanes
  private readonly clock: () => number
  /** ascending by time; all of them not yet proved, except the first */
  private snapshots: Snapshot[] = []
  private known: Known = { at: 0, ends: [], done: [], readAt: 0 }
  private asking: Promise<Ends> | undefined
  private isAway = false
  private firstUncounted: Look | undefined
  private eventsPerMessage: Look | undefined

  constructor(log: EventLog, lanes: Lanes, clock: () => number) {
    this.log = log
    this.lanes = lanes
    this.clock = clock
  }

  /**
   * Looks by itself until it is stopped, so that an instant is known when the log goes away before anyone has asked.
   */
  watch(): { stop(): void } {
    let isLooking = false
    const look = async (): Promise<void> => {
      if (isLooking) return
      isLooking = true
      // Who asks for an answer is told why there is none; the next look tries again.
      await this.progress().catch(() => undefined)
      isLooking = false
    }
    const timer = setInterval(() => void look(), WATCH_MS).unref()
    void look()
    return { stop: () => clearInterval(timer) }
  }

  /** Ask before reading the tables: what is counted now is in what is read afterwards. */
  async progress(): Promise<LaneProgress> {
    const at = this.clock()
    const [answer, done] = await Promise.all([this.ends(), this.lanes.positions()])
    if (!answer) return this.withoutLog(done)
    const { ends, askedAt } = answer
    // What was counted before the log was asked was in the log.
    const isLogCut =
      this.known.readAt <= askedAt && this.known.done.some((counted, lane) => counted > (ends[lane] ?? 0))
    if (isLogCut) return { completeTo: this.proved(done)?.at ?? 0, ends, done, isLogAway: false, isLogCut }
    this.known = { at, ends, done, readAt: performance.now() }
    if (reaches(done, ends)) {
      this.snapshots = [{ at, ends }]
      return { completeTo: at, ends, done, isLogAway: false, isLogCut }
    }
    const proved = this.snapshots.findLast((snapshot) => snapshot.at <= at && reaches(done, snapshot.ends))
    if (proved) this.snapshots = this.snapshots.filter((snapshot) => snapshot.at >= proved.at)
    this.remember({ at, ends })
    const completeTo = proved?.at ?? (await this.firstUncountedOf(ends, done).catch(() => 0))
    return { completeTo, ends, done, isLogAway: false, isLogCut }
  }

  /**
   * Where the lanes end; undefined when the log does not say in time. One question at a time, and none is waited for
   * while the log is away.
   */
  private async ends(): Promise<Ends | undefined> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined))
    const answered = this.asking.then(
      (answer) => ((this.isAway = false), answer),
      () => ((this.isAway = true), undefined),
    )
    if (this.isAway) return Promise.race([answered, pause(0, undefined)])
    const inTime = await Promise.race([answered, pause(ENDS_MS_MAX, undefined, { ref: false })])
    this.isAway = inTime === undefined
    return inTime
  }

  private async ask(): Promise<Ends> {
    const askedAt = performance.now()
    return { askedAt, ends: await this.log.ends() }
  }

  /** What was proved before, and what is counted since: the instant of the newest known ends that are reached. */
  private withoutLog(done: readonly number[]): LaneProgress {
    const ends = this.known.ends.length > 0 ? this.known.ends : done
    return { completeTo: this.proved(done)?.at ?? 0, ends, done, isLogAway: true, isLogCut: false }
  }

  private proved(done: readonly number[]): Snapshot | undefined {
    return this.snapshots.findLast(({ ends }) => reaches(done, ends))
  }

  /**
   * What the log has lost of its lanes, which stand still there until somebody accepts it; none while the log does not
   * say.
   */
  async losses({ ends, done, isLogAway, isLogCut }: LaneProgress): Promise<LaneLoss[]> {
    if (isLogAway) return []
    const starts = (await this.log.starts?.().catch(() => [])) ?? []
    // Without a cut, a lane that is counted beyond its end was counted on between two questions.
    const endOf = (lane: number): number => (isLogCut ? (ends[lane] ?? 0) : Math.max(ends[lane] ?? 0, done[lane] ?? 0))
    return done
      .map((counted, lane) => lossOf(lane, counted, { start: starts[lane] ?? 0, end: endOf(lane) }))
      .filter((loss) => loss !== undefined)
  }

  /** How much waits to be counted; events are estimated from some of the messages. */
  async waiting(progress: LaneProgress): Promise<{ messages: number; events: number }> {
    const waiting = waitingOf(progress)
    const messages = waiting.reduce((sum, { from, end }) => sum + end - from, 0)
    if (progress.isLogAway) return { messages, events: messages }
    if (messages <= PEEKED_MAX) return { messages, events: Math.round(messages * (await this.peekedRatio(waiting))) }
    this.eventsPerMessage = fresh(this.eventsPerMessage) ?? look(this.peekedRatio(waiting))
    return { messages, events: Math.round(messages * (await this.eventsPerMessage.figure)) }
  }

  /** Events for each message, of some that wait. */
  private async peekedRatio(waiting: readonly WaitingPart[]): Promise<number> {
    const lanes = waiting.slice(0, PEEKED_LANES_MAX).map(({ lane, from, end }) => this.peek(lane, from, end))
    const peeked = (await Promise.all(lanes)).flat()
    if (peeked.length === 0) return 1
    return (
      peeked.reduce((sum, seen) => sum + (seen?.events.length ?? 1) + (seen?.rejected?.length ?? 0), 0) / peeked.length
    )
  }

  /**
   * Whether anything that has arrived and is not counted yet may be an app's. Many messages that wait are not looked
   * through.
   */
  async mayConcern(app: string, progress: LaneProgress): Promise<boolean> {
    const waiting = waitingOf(progress)
    if (progress.isLogAway || progress.isLogCut || waiting.some(({ from, end }) => end - from > PEEKED_MAX)) return true
    const looks = waiting.map(async ({ lane, from, end }) => {
      const seen = await this.peek(lane, from, end)
      return seen.length < end - from || seen.some((envelope) => envelope?.app === app)
    })
    return (await Promise.all(looks)).includes(true)
  }

  /** The first messages that wait in a lane; undefined for one that cannot be decoded. */
  private async peek(lane: number, from: number, end: number): Promise<(Envelope | undefined)[]> {
    const messages = await this.log.read(lane, from, Math.min(PEEKED_MAX, end - from), PEEKED_BYTES_MAX)
    return messages.filter(({ position }) => position < end).map(({ value }) => decoded(value))
  }

  private remember(snapshot: Snapshot): void {
    const last = this.snapshots.at(-1)
    if (last && snapshot.at - last.at < SNAPSHOT_EVERY_MS) return
    // a long backlog: a coarser memory serves as well
    if (this.snapshots.length >= SNAPSHOTS_MAX) this.snapshots = this.snapshots.filter((_, index) => index % 2 === 0)
    this.snapshots.push(snapshot)
  }

  /**
   * Nothing remembered reaches back far enough (this process is young): the oldest message that waits gives a bound,
   * which stays true while more is counted.
   */
  private async firstUncountedOf(ends: readonly number[], done: readonly number[]): Promise<number> {
    const oldest = async (): Promise<number> => {
      const times = await Promise.all(waitingOf({ ends, done }).map(({ lane, from }) => this.receivedAt(lane, from)))
      return Math.max(0, Math.min(this.clock(), ...times) - ORDER_MARGIN_MS)
    }
    this.firstUncounted = fresh(this.firstUncounted) ?? look(oldest())
    return this.firstUncounted.figure
  }

  private async receivedAt(lane: number, position: number): Promise<number> {
    const [message] = await this.log.read(lane, position, 1, 1)
    if (!message) return this.clock()
    // What was deleted before it was counted may be older than anything that is left.
    if (message.position > position && ((await this.log.starts?.())?.[lane] ?? 0) > position) return 0
    return decoded(message.value)?.received_at ?? 0
  }
}

/** What of a lane waits to be counted. */
interface WaitingPart {
  readonly lane: number
  readonly from: number
  readonly end: number
}

function look(figure: Promise<number>): Look {
  const begun: Look = { at: performance.now(), figure, hasFailed: false }
  figure.catch(() => (begun.hasFailed = true))
  return begun
}

function fresh(last: Look | undefined): Look | undefined {
  return last && !last.hasFailed && performance.now() - last.at < LOOK_EVERY_MS ? last : undefined
}

function waitingOf({ ends, done }: Pick<LaneProgress, 'ends' | 'done'>): WaitingPart[] {
  return ends.map((end, lane) => ({ lane, from: done[lane] ?? 0, end })).filter(({ from, end }) => from < end)
}

/** What cannot be decoded is going to be a dead letter. */
function decoded(value: Uint8Array): Envelope | undefined {
  try {
    return decodeEnvelope(value)
  } catch {
    return undefined
  }
}

function reaches(done: readonly number[], ends: readonly number[]): boolean {
  return ends.every((end, lane) => (done[lane] ?? 0) >= end)
}
