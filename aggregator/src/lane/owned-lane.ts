import { appOfMessage, headOf } from '@hopper/contracts'
import {
  isLeaseExpired,
  type Archive,
  type DeadLetter,
  type EventLog,
  type Lease,
  type LogMessage,
  type TableWriter,
} from '@hopper/storage'
import { ArchiveBuffer, type HeldTimes } from '../archive-buffer.ts'
import { DeferredApps, type ByteBudget } from './deferred/deferred-apps.ts'
import type { ChooseDeferred } from './deferred/heavy-apps.ts'
import { LanePass, type Applied, type Counted } from './lane-pass.ts'
import { Pauses } from './pauses.ts'
import { LanePast } from '../judge/lane-past.ts'
import type { MessageGate } from '../memory/message-gate.ts'
import type { LaneMerges } from '../merge/lane-merges.ts'
import type { IdentifiedDevices } from '../seen/identified-devices.ts'
import type { SeenFilters } from '../seen/seen-filters.ts'
import type { CountedApp } from '../judge/judge.ts'
import type { Verdicts } from '../judge/verdicts.ts'
import { WrittenVisitors } from '../fold/written-visitors.ts'

const WRITTEN_VISITORS_MAX = 20_000
const RENEWALS_PER_LEASE = 4
/** Limits of one read when messages are read from the log again. */
const READ_MESSAGES = 4_000
const READ_BYTES = 4_000_000
/** Memory limit of the rows of deferred apps that are archived together: packing them blocks the thread. */
const DEFERRED_ROW_BYTES_MAX = 2_000_000

/** Progress of counting a lane. */
export interface Reached {
  /** position before which everything is counted */
  readonly position: number
  /** set while apps are deferred: how far the other apps together are counted, and each deferred app */
  readonly ahead?: { readonly position: number; readonly behind: ReadonlyMap<string, number> }
}

/** Destinations of the events of a lane, and the sources that it reads. */
export interface LaneTargets {
  readonly writer: TableWriter
  /** filters of the ids that `writer` contains */
  readonly seen: SeenFilters
  readonly identified: IdentifiedDevices
  readonly archive: Archive | undefined
  /** maximum times that events are buffered before they are archived together */
  readonly archiveHeld: HeldTimes
  /** returns the memory limit of the buffered rows of the lane before they are archived, in bytes */
  readonly rowBytesMax: () => number
  /** bounds the messages that all lanes process concurrently */
  readonly gate: MessageGate
  /** bounds the messages of deferred apps that all lanes process concurrently */
  readonly deferredGate: MessageGate
  /** memory budget for held messages of deferred apps, shared by all lanes */
  readonly held: ByteBudget
  /** returns whether there are several apps, so that one with a large backlog could delay another */
  readonly mayDefer: () => boolean
  readonly chooseDeferred: ChooseDeferred
  readonly log: Pick<EventLog, 'read'>
  /** merging of the archive's spans of this lane */
  readonly merges: LaneMerges | undefined
  readonly appOf: (id: string) => Promise<CountedApp | undefined>
  readonly watermarkCheck: boolean
}

/**
 * Owned lane: turns its messages into changes of the tables, exactly once. An app with more events than can be counted
 * in time is deferred: a second pass counts it in turns, behind the first pass, which continues with all other apps.
 */
export class OwnedLane {
  #lease!: Lease
  #renewAt = 0
  /** position of the next message to read; everything before it is in the tables, except for deferred messages */
  position: number
  committed: number
  /** the last recorded progress of apps ahead of deferred ones, as text */
  aheadCommitted: string | undefined
  readonly merges: LaneMerges | undefined
  readonly #targets: LaneTargets
  readonly #buffers: readonly (ArchiveBuffer | undefined)[]
  readonly #front: LanePass
  readonly #behind: LanePass
  readonly #deferred: DeferredApps
  readonly #written = new WrittenVisitors(WRITTEN_VISITORS_MAX)
  readonly #pauses = new Pauses()
  /** true while a batch is written, and after one was refused: some of it may be in the tables */
  isHalfWritten = false
  #replayed: ReadonlySet<number> | undefined
  /** true while the first pass may buffer rows of deferred apps that must be archived before those of the second */
  #mustArchiveFront = false

  constructor(lease: Lease, position: number, targets: LaneTargets) {
    const { writer, seen, identified, archive, archiveHeld, rowBytesMax, gate, deferredGate, merges } = targets
    const { lane } = lease
    this.#targets = targets
    this.lease = lease
    this.position = this.committed = position
    this.merges = merges
    this.#deferred = new DeferredApps(targets.held)
    const bufferOf = (): ArchiveBuffer | undefined =>
      archive && new ArchiveBuffer(archive, lane, position, archiveHeld, (partition) => merges?.appended(partition))
    const common = {
      lane,
      writer,
      identified,
      past: new LanePast(lane, writer, { seen, identified }),
      written: this.#written,
      readReplayed: () => this.#readReplayed(),
      currentLease: () => this.currentLease(),
      appOf: targets.appOf,
      watermarkCheck: targets.watermarkCheck,
    }
    const [first, second] = (this.#buffers = [bufferOf(), bufferOf()])
    this.#front = new LanePass({ ...common, buffer: first, gate, rowBytesMax })
    const behindBytesMax = (): number => Math.min(rowBytesMax(), DEFERRED_ROW_BYTES_MAX)
    this.#behind = new LanePass({ ...common, buffer: second, gate: deferredGate, rowBytesMax: behindBytesMax })
  }

  get lease(): Lease {
    return this.#lease
  }

  set lease(lease: Lease) {
    const now = performance.now()
    this.#lease = lease
    this.#renewAt = now + (lease.expiresAt - now) / RENEWALS_PER_LEASE
  }

  /** True when the lease should be renewed. */
  get shouldRenew(): boolean {
    return performance.now() >= this.#renewAt
  }

  /** True when another owner may have the lane by now. */
  get isExpired(): boolean {
    return isLeaseExpired(this.#lease)
  }

  /**
   * Returns a lease whose end is always the current one: a long batch continues when the lease was renewed meanwhile.
   */
  currentLease(): Lease {
    const until = (): number => this.#lease.expiresAt
    return {
      ...this.#lease,
      get expiresAt() {
        return until()
      },
    }
  }

  /** True while some apps are deferred. */
  get isDeferring(): boolean {
    return !this.#deferred.isEmpty
  }

  /** Position before which everything is in the tables. */
  get counted(): number {
    return this.#deferred.isEmpty ? this.position : Math.min(this.position, this.#deferred.next)
  }

  /** Progress of the lane in the tables. */
  get reached(): Reached {
    if (this.#deferred.isEmpty) return { position: this.position }
    return { position: this.counted, ahead: { position: this.position, behind: this.#deferred.positions } }
  }

  /**
   * Counts delivered messages; those of deferred apps are counted later. Rejects when the tables could not take the
   * batch; it may then be delivered again.
   */
  apply(delivered: readonly LogMessage[]): Promise<Applied> {
    return this.#pauses.during(() => this.#apply(delivered))
  }

  async #apply(delivered: readonly LogMessage[]): Promise<Applied> {
    const applied = { verdicts: [] as Verdicts[], deadLetters: [] as DeadLetter[] }
    const others = this.#withoutDeferred(delivered)
    this.isHalfWritten = true
    for (let begin = 0; begin < others.length;) {
      const { messages, verdicts, deadLetters } = await this.#front.count(begin === 0 ? others : others.slice(begin))
      applied.verdicts.push(...verdicts)
      applied.deadLetters.push(...deadLetters)
      begin += messages
      if (begin < others.length) this.position = Math.max(this.position, others[begin]!.position)
    }
    this.isHalfWritten = false
    this.position = Math.max(this.position, delivered.at(-1)!.position + 1)
    return applied
  }

  /**
   * Counts some messages of deferred apps, about `bytesMax` bytes; returns undefined when none are left. Call it again
   * only after it has settled. Rejects as `apply` does; the same messages are then counted next time.
   */
  countDeferred(bytesMax: number): Promise<Counted | undefined> {
    return this.#pauses.during(() => this.#countDeferred(bytesMax))
  }

  async #countDeferred(bytesMax: number): Promise<Counted | undefined> {
    if (this.#deferred.isEmpty) return undefined
    if (this.#mustArchiveFront) {
      this.#mustArchiveFront = false
      await this.#front.archive().catch((error: unknown) => {
        this.#mustArchiveFront = true
        throw error
      })
    }
    if (this.#deferred.isDone) {
      await this.#behind.archive()
      // More messages may have arrived meanwhile.
      if (this.#deferred.isDone) {
        this.#deferred.clear()
        this.#front.forget()
        return undefined
      }
    }
    await this.#readMissing()
    const piece = this.#deferred.piece(bytesMax)
    const counted =
      piece.messages.length === 0
        ? { messages: 0, verdicts: [], deadLetters: [] }
        : await this.#behind.count(piece.messages, bytesMax)
    this.#deferred.counted(piece, counted.messages)
    return counted
  }

  /** Estimated memory of the rows that wait for the archive, in bytes. */
  get rowBytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + (buffer?.bytes ?? 0), 0)
  }

  /** Like `archive`, but does nothing and returns undefined while buffered rows should wait for more. */
  async archiveDue(): Promise<Reached | undefined> {
    const { reached } = this
    const isDue = this.#buffers.map((buffer) => buffer?.isDue ?? true)
    if (isDue[0]) await this.#front.archive()
    if (isDue[1]) await this.#behind.archive()
    return isDue.every(Boolean) ? reached : undefined
  }

  /** Appends buffered events to the archive; returns how far every event is in the tables and in the archive. */
  async archive(): Promise<Reached> {
    const { reached } = this
    await this.#front.archive()
    await this.#behind.archive()
    return reached
  }

  /** Runs work that writes counters of the lane outside of its batches, while no batch is being written. */
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    return this.#front.exclusively(() => this.#behind.exclusively(work))
  }

  /**
   * Runs work while no batch is being judged or written: batches wait for it. Shorter waits need `exclusively` only.
   */
  paused<T>(work: () => Promise<T>): Promise<T> {
    return this.#pauses.pause(work)
  }

  /** Drops the cache of written visitor rows; call it before some are removed. */
  clearVisitorCache(): void {
    this.#written.clear()
  }

  /** Reads the positions of replayed dead letters once: a letter can only be replayed after the lane has passed it. */
  async #readReplayed(): Promise<ReadonlySet<number>> {
    return (this.#replayed ??= new Set(await this.#targets.writer.replayed?.(this.#lease.lane)))
  }

  /** Releases held messages; call it when the lane is no longer counted. */
  close(): void {
    this.#deferred.clear()
  }

  /** Returns the delivered messages without those of deferred apps, which are held for their turns. */
  #withoutDeferred(delivered: readonly LogMessage[]): readonly LogMessage[] {
    const { mayDefer, chooseDeferred } = this.#targets
    if (!mayDefer() && !this.isDeferring) return delivered
    const apps = delivered.map(appOf)
    const [first] = delivered
    if (mayDefer()) {
      const waitedMs = Date.now() - (headOf(first!.value).received_at ?? 0)
      for (const app of chooseDeferred({ bytes: bytesByApp(delivered, apps), waitedMs })) {
        if (!this.#deferred.defer(app, first!.position)) continue
        this.#behind.forget()
        this.#mustArchiveFront = true
      }
    }
    return this.isDeferring ? this.#deferred.route(delivered, apps) : delivered
  }

  async #readMissing(): Promise<void> {
    const { missing } = this.#deferred
    if (!missing) return
    const { from, to } = missing
    const read = await this.#targets.log.read(this.#lease.lane, from, READ_MESSAGES, READ_BYTES)
    const until = read.length === 0 ? to : Math.min(to, read.at(-1)!.position + 1)
    this.#deferred.refill(
      read.filter((message) => {
        const app = message.position < until ? appOf(message) : undefined
        return app !== undefined && this.#deferred.includes(app, message.position)
      }),
      from,
      until,
    )
  }
}

/** Returns the app of a message; undefined for one that names none, which becomes a dead letter when it is counted. */
function appOf({ value }: LogMessage): string | undefined {
  return appOfMessage(value) ?? headOf(value).app
}

function bytesByApp(messages: readonly LogMessage[], apps: readonly (string | undefined)[]): Map<string, number> {
  const bytes = new Map<string, number>()
  for (const [index, { value }] of messages.entries()) {
    const app = apps[index]
    if (app !== undefined) bytes.set(app, (bytes.get(app) ?? 0) + value.length)
  }
  return bytes
}
