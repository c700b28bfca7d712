import { HopperError, type App } from '@hopper/contracts'
import type { Archive, CounterPartition, DeadLetter, LaneBatch, Lease, LogMessage, TableWriter } from '@hopper/storage'
import { ArchiveBuffer } from './archive-buffer.ts'
import { foldingFailure } from './fold-alone.ts'
import { BatchFold, touchedPartitions } from './fold-batch.ts'
import { EarlierParts, judge, type Message } from './judge.ts'
import { LanePast } from './lane-past.ts'
import type { MessageGate } from './memory/message-gate.ts'
import type { LaneMerges } from './merge/lane-merges.ts'
import { isCountable, letterOf, readMessage } from './read-message.ts'
import { partitionKey } from './row-key.ts'
import type { IdentifiedDevices } from './seen/identified-devices.ts'
import type { SeenFilters } from './seen/seen-filters.ts'
import { addVerdicts, type Verdicts } from './verdicts.ts'
import { WrittenVisitors } from './written-visitors.ts'

const WATERMARKS_MAX = 20_000
const WRITTEN_VISITORS_MAX = 20_000
/** Dates of apps that are written together. Each costs some partitions of tables, so that events of ever other dates would make one write endless. */
const DATES_PER_WRITE = 1_000
/** Bytes of messages that are written together. */
const BYTES_PER_WRITE = 4_000_000
const RENEWALS_PER_LEASE = 4
/** Of messages that are folded at a time: some 250 events. Where many ids are looked up, as after a restart, one look at the store must do for many more. */
const PART_BYTES = 64_000
const WIDE_PART_BYTES = 1_000_000
const LOOKED_UP_SHARE_MAX = 0.03
const NONE: ReadonlyMap<number, DeadLetter> = new Map()

/** What became of a batch, for the metrics. */
export interface Applied {
  readonly verdicts: readonly Verdicts[]
  readonly deadLetters: readonly DeadLetter[]
}

interface Decoded {
  readonly messages: Message[]
  readonly deadLetters: DeadLetter[]
}

/** What a batch comes to, before any of it is written. */
interface Prepared {
  /** how many messages it is made of */
  readonly messages: number
  readonly batch: LaneBatch
  readonly verdicts: readonly Verdicts[]
}

/** Where a lane's events go, and what it asks on the way. */
export interface LaneTargets {
  readonly writer: TableWriter
  /** of the ids that `writer` holds */
  readonly seen: SeenFilters
  readonly identified: IdentifiedDevices
  readonly archive: Archive | undefined
  /** how long events wait for others before they are archived together */
  readonly archiveMs: number
  /** memory that rows may take which the lane holds back now before they are archived */
  readonly rowBytesMax: () => number
  /** what all lanes may work on at once */
  readonly gate: MessageGate
  /** of the archive's spans of this lane */
  readonly merges: LaneMerges | undefined
  readonly appOf: (id: string) => Promise<App | undefined>
  readonly watermarkCheck: boolean
}

/** A lane that is ours: turns its messages into changes of the tables, exactly once. */
export class OwnedLane {
  #lease!: Lease
  #renewAt = 0
  /** the next message to read; everything before it is in the tables */
  position: number
  committed: number
  readonly merges: LaneMerges | undefined
  readonly #writer: TableWriter
  readonly #identified: IdentifiedDevices
  readonly #past: LanePast
  readonly #appOf: (id: string) => Promise<App | undefined>
  readonly #watermarkCheck: boolean
  readonly #rowBytesMax: () => number
  readonly #gate: MessageGate
  readonly #buffer: ArchiveBuffer | undefined
  readonly #watermarks = new Map<string, number>()
  readonly #written = new WrittenVisitors(WRITTEN_VISITORS_MAX)
  #writing: Promise<unknown> = Promise.resolve()
  /** whether many of the ids of the last part had to be looked up */
  #wide = false

  constructor(lease: Lease, position: number, { writer, seen, identified, archive, archiveMs, rowBytesMax, gate, merges, appOf, watermarkCheck }: LaneTargets) {
    this.lease = lease
    this.position = this.committed = position
    this.#writer = writer
    this.#identified = identified
    this.#past = new LanePast(lease.lane, writer, seen, identified)
    this.#appOf = appOf
    this.#watermarkCheck = watermarkCheck
    this.merges = merges
    this.#rowBytesMax = rowBytesMax
    this.#gate = gate
    this.#buffer = archive && new ArchiveBuffer(archive, lease.lane, position, archiveMs, (partition) => merges?.appended(partition))
  }

  get lease(): Lease {
    return this.#lease
  }

  set lease(lease: Lease) {
    const now = performance.now()
    this.#lease = lease
    this.#renewAt = now + (lease.expiresAt - now) / RENEWALS_PER_LEASE
  }

  /** whether it is time to renew the lease */
  get aging(): boolean {
    return performance.now() >= this.#renewAt
  }

  /** whether another owner may have the lane by now */
  get expired(): boolean {
    return performance.now() >= this.#lease.expiresAt
  }

  /** The lease with the end that it has at each look: a batch that takes long goes on when it was renewed meanwhile. */
  lasting(): Lease {
    const until = (): number => this.#lease.expiresAt
    return { ...this.#lease, get expiresAt() { return until() } }
  }

  /** Rejects when the tables could not take the batch; it may be delivered again then. */
  async apply(delivered: readonly LogMessage[]): Promise<Applied> {
    const applied = { verdicts: [] as Verdicts[], deadLetters: [] as DeadLetter[] }
    for (let begin = 0; begin < delivered.length; ) {
      const rest = begin === 0 ? delivered : delivered.slice(begin)
      const taken = await this.#gate.during(bytesOf(rest), async () => {
        const { batch, verdicts, messages } = await this.#prepare(rest)
        await this.#write(batch)
        applied.verdicts.push(...verdicts)
        applied.deadLetters.push(...batch.deadLetters)
        return messages
      })
      begin += taken
      this.position = Math.max(this.position, delivered[begin - 1]!.position + 1)
    }
    return applied
  }

  /** An estimate of the memory that rows take which wait for the archive. */
  get rowBytes(): number {
    return this.#buffer?.bytes ?? 0
  }

  /** Does the same as `archive` unless what is held back had better wait for more. */
  async archiveRipe(): Promise<number> {
    return this.#buffer && !this.#buffer.ripe ? this.committed : this.archive()
  }

  /** Appends to the archive what is held back; answers the position before which every event is in the tables and in the archive. */
  async archive(): Promise<number> {
    const { position } = this
    await this.#buffer?.flush(() => this.lasting())
    return position
  }

  async #prepare(delivered: readonly LogMessage[]): Promise<Prepared> {
    return this.#fold(delivered, NONE).catch(async (error: unknown) => {
      // What the store has to say is not the messages' fault, nor what cannot be found out about them.
      const unfoldable = error instanceof HopperError ? NONE : await this.#unfoldable(delivered).catch(() => NONE)
      if (unfoldable.size === 0) throw error
      return this.#fold(delivered, unfoldable)
    })
  }

  /**
   * All that needs the events themselves, some messages at a time, so that no event is kept for long: an object that waits costs the garbage collector several
   * times what it cost to make. What the archive's buffer takes in, and the tables refuse then, is passed over when it comes again; it may be archived before the
   * tables have it, since each of them tells by itself what it has. Ends early when what was folded is as much as should be written at once.
   */
  async #fold(delivered: readonly LogMessage[], unfoldable: ReadonlyMap<number, DeadLetter>): Promise<Prepared> {
    const fold = new BatchFold(({ table, app, date }) => this.#watermarks.get(partitionKey(table, app, date)) ?? -1, this.#watermarkCheck)
    const earlier = new EarlierParts()
    const verdicts: Verdicts[] = []
    const buried: DeadLetter[] = []
    let [end, bytes] = [0, 0]
    for (let begin = 0; begin < delivered.length && fold.dates < DATES_PER_WRITE && bytes < BYTES_PER_WRITE; begin = end) {
      end = endOfPart(delivered, begin, this.#wide ? WIDE_PART_BYTES : PART_BYTES)
      const { messages, deadLetters } = await this.#decode(delivered.slice(begin, end), unfoldable)
      buried.push(...deadLetters)
      const { past, ids } = await this.#past.of(messages, earlier)
      const judgement = judge(messages, past)
      this.#wide = past.suspects.size > LOOKED_UP_SHARE_MAX * judgement.events.length
      await this.#readWatermarks(touchedPartitions(messages, judgement))
      fold.add(messages, judgement)
      this.#buffer?.add(judgement.events)
      if (this.#buffer?.isFull(this.#rowBytesMax())) await this.archive()
      addVerdicts(verdicts, messages, judgement)
      earlier.add(judgement, ids)
      for (let at = begin; at < end; at++) bytes += delivered[at]!.value.length
    }
    const folded = fold.changes(delivered[end - 1]!.position)
    const visitors = this.#written.unwritten(folded.visitors)
    return { batch: { lane: this.lease.lane, deadLetters: buried, ...folded, visitors }, verdicts, messages: end }
  }

  /** Runs what writes counters of the lane outside of its batches, while no batch is being written: each change must continue from the watermark. */
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => work(this.lasting()))
    this.#writing = done.catch(() => undefined)
    return done
  }

  #write(batch: LaneBatch): Promise<void> {
    return this.exclusively((lease) => this.#apply(lease, batch))
  }

  async #apply(lease: Lease, batch: LaneBatch): Promise<void> {
    this.#identified.add(batch.lane, batch.identities)
    try {
      await this.#writer.apply(lease, batch)
    } catch (error) {
      // Some partitions may hold the change and others not: what is true must be read again.
      this.#watermarks.clear()
      throw error
    }
    this.#written.add(batch.visitors)
    for (const { table, app, date, to } of batch.counters) this.#watermarks.set(partitionKey(table, app, date), to)
  }

  /** Messages whose shape passes but whose events cannot be folded: they must not stop their lane. Each is tried alone, in memory. */
  async #unfoldable(delivered: readonly LogMessage[]): Promise<Map<number, DeadLetter>> {
    const letters = new Map<number, DeadLetter>()
    for (const sent of delivered) {
      const read = await readMessage(sent, this.#appOf)
      const failure = isCountable(read) ? foldingFailure(read) : undefined
      if (failure !== undefined) letters.set(sent.position, letterOf(sent, 'fold_failed', String(failure)))
    }
    return letters
  }

  async #decode(delivered: readonly LogMessage[], unfoldable: ReadonlyMap<number, DeadLetter>): Promise<Decoded> {
    const messages: Decoded['messages'] = []
    const deadLetters: DeadLetter[] = []
    for (const sent of delivered) {
      const read = unfoldable.get(sent.position) ?? (await readMessage(sent, this.#appOf))
      if (isCountable(read)) messages.push(read)
      else deadLetters.push(read)
    }
    return { messages, deadLetters }
  }

  async #readWatermarks(partitions: readonly CounterPartition[]): Promise<void> {
    if (this.#watermarks.size + partitions.length > WATERMARKS_MAX) this.#watermarks.clear()
    const unknown = partitions.filter(({ table, app, date }) => !this.#watermarks.has(partitionKey(table, app, date)))
    if (unknown.length === 0) return
    const applied = await this.#writer.applied(this.lease.lane, unknown)
    unknown.forEach(({ table, app, date }, at) => this.#watermarks.set(partitionKey(table, app, date), applied[at]!))
  }
}

/** What is worked on at once of the messages. */
function bytesOf(messages: readonly LogMessage[]): number {
  let bytes = 0
  for (const { value } of messages) bytes += value.length
  return Math.min(bytes, BYTES_PER_WRITE)
}

/** One message at least. */
function endOfPart(delivered: readonly LogMessage[], begin: number, bytesMax: number): number {
  let end = begin
  for (let bytes = 0; end < delivered.length && bytes < bytesMax; end++) bytes += delivered[end]!.value.length
  return end
}
