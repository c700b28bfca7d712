import { setTimeout as pause } from 'node:timers/promises'
import { decodeEnvelope, type Envelope } from '@hopper/contracts'
import type { EventLog, Lanes } from '@hopper/storage'

interface Snapshot {
  readonly at: number
  readonly ends: readonly number[]
}

/** Where each lane's log ends and how far it has been counted. */
export interface LaneProgress {
  readonly completeTo: number
  readonly ends: readonly number[]
  readonly done: readonly number[]
  /** true while the log does not say where it ends: what is known is from before */
  readonly isLogAway: boolean
}

const SNAPSHOT_EVERY_MS = 250
/** The tables are there whether or not the log answers, so an answer waits for it only so long. */
const ENDS_MS_MAX = 1_000
const SNAPSHOTS_MAX = 240
/** How far two messages of a lane may stand out of the order of their receipt. */
const ORDER_MARGIN_MS = 60_000
/** messages, and bytes of them, of a lane that are looked at to tell what waits */
const PEEKED_MAX = 32
const PEEKED_BYTES_MAX = 256_000
const PEEKED_LANES_MAX = 8

/**
 * Proves up to which instant everything received (that is: acknowledged) has been counted. It remembers where the lanes ended at earlier
 * instants: once every lane has been counted up to such an end, all that was received before that instant is in the tables.
 */
export class Completeness {
  private readonly log: EventLog
  private readonly lanes: Lanes
  private readonly clock: () => number
  /** ascending by time; all of them not yet proved, except the first */
  private snapshots: Snapshot[] = []
  private known: Snapshot = { at: 0, ends: [] }
  private asking: Promise<readonly number[]> | undefined
  private isAway = false

  constructor(log: EventLog, lanes: Lanes, clock: () => number) {
    this.log = log
    this.lanes = lanes
    this.clock = clock
  }

  /** Ask before reading the tables: what is counted now is in what is read afterwards. */
  async progress(): Promise<LaneProgress> {
    const at = this.clock()
    const [ends, done] = await Promise.all([this.ends(), this.lanes.positions()])
    if (!ends) return this.withoutLog(done)
    this.known = { at, ends }
    if (reaches(done, ends)) {
      this.snapshots = [{ at, ends }]
      return { completeTo: at, ends, done, isLogAway: false }
    }
    const proved = this.snapshots.findLast((snapshot) => snapshot.at <= at && reaches(done, snapshot.ends))
    if (proved) this.snapshots = this.snapshots.filter((snapshot) => snapshot.at >= proved.at)
    this.remember({ at, ends })
    const completeTo = proved?.at ?? (await this.firstUncounted(ends, done).catch(() => 0))
    return { completeTo, ends, done, isLogAway: false }
  }

  /** Where the lanes end; undefined when the log does not say in time. One question at a time, and none is waited for while the log is away. */
  private async ends(): Promise<readonly number[] | undefined> {
    this.asking ??= this.log.ends().finally(() => (this.asking = undefined))
    const answered = this.asking.then((ends) => ((this.isAway = false), ends), () => ((this.isAway = true), undefined))
    if (this.isAway) return Promise.race([answered, pause(0, undefined)])
    const inTime = await Promise.race([answered, pause(ENDS_MS_MAX, undefined, { ref: false })])
    this.isAway = inTime === undefined
    return inTime
  }

  /** What was proved before, and what is counted since: the instant of the newest known ends that are reached. */
  private withoutLog(done: readonly number[]): LaneProgress {
    const proved = this.snapshots.findLast(({ ends }) => reaches(done, ends))
    const ends = this.known.ends.length > 0 ? this.known.ends : done
    return { completeTo: proved?.at ?? 0, ends, done, isLogAway: true }
  }

  /** How much waits to be counted; events are estimated from some of the messages. */
  async waiting(progress: LaneProgress): Promise<{ messages: number; events: number }> {
    const waiting = waitingOf(progress)
    const messages = waiting.reduce((sum, { from, end }) => sum + end - from, 0)
    if (progress.isLogAway) return { messages, events: messages }
    const peeked = (await Promise.all(waiting.slice(0, PEEKED_LANES_MAX).map(({ lane, from, end }) => this.peek(lane, from, end)))).flat()
    const events = peeked.reduce((sum, envelope) => sum + (envelope?.events.length ?? 1) + (envelope?.rejected?.length ?? 0), 0)
    return { messages, events: peeked.length === 0 ? messages : Math.round((messages * events) / peeked.length) }
  }

  /** Whether anything that has arrived and is not counted yet may be an app's. Many messages that wait are not looked through. */
  async mayConcern(app: string, progress: LaneProgress): Promise<boolean> {
    const waiting = waitingOf(progress)
    if (progress.isLogAway || waiting.some(({ from, end }) => end - from > PEEKED_MAX)) return true
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

  /** Nothing remembered reaches back far enough (this process is young): the oldest message that waits gives a bound. */
  private async firstUncounted(ends: readonly number[], done: readonly number[]): Promise<number> {
    const waiting = waitingOf({ ends, done })
    const times = await Promise.all(waiting.map(({ lane, from }) => this.receivedAt(lane, from)))
    return Math.max(0, Math.min(this.clock(), ...times) - ORDER_MARGIN_MS)
  }

  private async receivedAt(lane: number, position: number): Promise<number> {
    const [message] = await this.log.read(lane, position, 1)
    if (!message) return this.clock()
    return decoded(message.value)?.received_at ?? 0
  }
}

function waitingOf({ ends, done }: Pick<LaneProgress, 'ends' | 'done'>): { lane: number; from: number; end: number }[] {
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
