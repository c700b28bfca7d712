import { decodeEnvelope } from '@hopper/contracts'
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

  private remember(snapshot: Snapshot): void {
    const last = this.snapshots.at(-1)
    if (last && snapshot.at - last.at < SNAPSHOT_EVERY_MS) return
    // a long backlog: a coarser memory serves as well
    if (this.snapshots.length >= SNAPSHOTS_MAX) this.snapshots = this.snapshots.filter((_, index) => index % 2 === 0)
    this.snapshots.push(snapshot)
  }

  /** Nothing remembered reaches back far enough (this process is young): the oldest message that waits gives a bound. */
  private async firstUncounted(ends: readonly number[], done: readonly number[]): Promise<number> {
    const waiting = ends.map((end, lane) => ({ lane, from: done[lane] ?? 0, end })).filter(({ from, end }) => from < end)
    const times = await Promise.all(waiting.map(({ lane, from }) => this.receivedAt(lane, from)))
    return Math.max(0, Math.min(this.clock(), ...times) - ORDER_MARGIN_MS)
  }

  private async receivedAt(lane: number, position: number): Promise<number> {
    const [message] = await this.log.read(lane, position, 1)
    if (!message) return this.clock()
    try {
      return decodeEnvelope(message.value).received_at
    } catch {
      return 0
    }
  }
}

function reaches(done: readonly number[], ends: readonly number[]): boolean {
  return ends.every((end, lane) => (done[lane] ?? 0) >= end)
}
