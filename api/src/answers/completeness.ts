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
}

const SNAPSHOT_EVERY_MS = 250
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

  constructor(log: EventLog, lanes: Lanes, clock: () => number) {
    this.log = log
    this.lanes = lanes
    this.clock = clock
  }

  /** Ask before reading the tables: what is counted now is in what is read afterwards. */
  async progress(): Promise<LaneProgress> {
    const at = this.clock()
    const [ends, done] = await Promise.all([this.log.ends(), this.lanes.positions()])
    if (reaches(done, ends)) {
      this.snapshots = [{ at, ends }]
      return { completeTo: at, ends, done }
    }
    const proved = this.snapshots.findLast((snapshot) => snapshot.at <= at && reaches(done, snapshot.ends))
    if (proved) this.snapshots = this.snapshots.filter((snapshot) => snapshot.at >= proved.at)
    this.remember({ at, ends })
    return { completeTo: proved?.at ?? (await this.firstUncounted(ends, done)), ends, done }
  }

  /** How much waits to be counted; events are estimated from some of the messages. */
  async waiting(progress: LaneProgress): Promise<{ messages: number; events: number }> {
    const waiting = waitingOf(progress)
    const messages = waiting.reduce((sum, { from, end }) => sum + end - from, 0)
    const peeked = (await Promise.all(waiting.slice(0, PEEKED_LANES_MAX).map(({ lane, from, end }) => this.peek(lane, from, end)))).flat()
    const events = peeked.reduce((sum, envelope) => sum + (envelope?.events.length ?? 1) + (envelope?.rejected?.length ?? 0), 0)
    return { messages, events: peeked.length === 0 ? messages : Math.round((messages * events) / peeked.length) }
  }

  /** Whether anything that has arrived and is not counted yet may be an app's. Many messages that wait are not looked through. */
  async mayConcern(app: string, progress: LaneProgress): Promise<boolean> {
    const waiting = waitingOf(progress)
    if (waiting.some(({ from, end }) => end - from > PEEKED_MAX)) return true
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
