import { HopperError } from '@hopper/contracts'
import {
  isCountable,
  letterOf,
  readMessage,
  type CounterPartition,
  type DeadLetter,
  type LaneBatch,
  type Lease,
  type LogMessage,
  type TableWriter,
} from '@hopper/storage'
import type { ArchiveBuffer } from '../archive-buffer.ts'
import { foldingFailure } from '../fold/fold-alone.ts'
import { BatchFold, touchedPartitions } from '../fold/fold-batch.ts'
import { EarlierParts, judge, type CountedApp, type Message } from '../judge/judge.ts'
import type { LanePast } from '../judge/lane-past.ts'
import type { MessageGate } from '../memory/message-gate.ts'
import { partitionKey } from '../fold/row-key.ts'
import type { IdentifiedDevices } from '../seen/identified-devices.ts'
import { addVerdicts, type Verdicts } from '../judge/verdicts.ts'
import type { WrittenVisitors } from '../fold/written-visitors.ts'

const WATERMARKS_MAX = 20_000
/**
 * Maximum of (app, date) pairs in one write. Each pair touches several table partitions, so events with ever new dates
 * would make a write arbitrarily long.
 */
const DATES_PER_WRITE = 1_000
/** Bytes of messages in one write. */
const BYTES_PER_WRITE = 4_000_000
/**
 * Bytes of messages in one part of a fold: about 250 events. When many ids must be looked up, as after a restart, parts
 * are wide, so that one query to the store covers many more events.
 */
const PART_BYTES = 64_000
const WIDE_PART_BYTES = 1_000_000
const SUSPECT_SHARE_MAX = 0.03
const NONE: ReadonlyMap<number, DeadLetter> = new Map()

/** Outcome of a batch, for the metrics. */
export interface Applied {
  readonly verdicts: readonly Verdicts[]
  readonly deadLetters: readonly DeadLetter[]
}

/** Outcome of messages that were written together. */
export interface Counted extends Applied {
  /** the number of messages that this covers */
  readonly messages: number
}

interface Decoded {
  readonly messages: Message[]
  readonly deadLetters: DeadLetter[]
}

/** Changes of messages, before any of them is written. */
interface Prepared {
  readonly messages: number
  readonly batch: LaneBatch
  readonly verdicts: readonly Verdicts[]
}

/** Destinations of the events of a pass, and the sources that it reads. */
export interface PassTargets {
  readonly lane: number
  readonly writer: TableWriter
  readonly past: LanePast
  readonly identified: IdentifiedDevices
  /** visitor rows that the tables are known to contain */
  readonly written: WrittenVisitors
  /** returns the positions of replayed dead letters: these count at their new positions */
  readonly readReplayed: () => Promise<ReadonlySet<number>>
  readonly buffer: ArchiveBuffer | undefined
  /** returns the memory limit of buffered rows before they are archived, in bytes */
  readonly rowBytesMax: () => number
  /** bounds the messages that are processed concurrently */
  readonly gate: MessageGate
  /** returns a lease whose end is always the current one */
  readonly currentLease: () => Lease
  readonly appOf: (id: string) => Promise<CountedApp | undefined>
  readonly watermarkCheck: boolean
}

/**
 * Turns messages of a lane, in their order, into changes of the tables, exactly once. Two passes over one lane may run
 * concurrently as long as no app has messages in both: everything that is read and written belongs to one app.
 */
export class LanePass {
  readonly #targets: PassTargets
  readonly #watermarks = new Map<string, number>()
  #writing: Promise<unknown> = Promise.resolve()
  /** true when many ids of the last part had to be looked up */
  #isWide = false

  constructor(targets: PassTargets) {
    this.#targets = targets
  }

  /**
   * Counts as many of the messages as should be written together, at most about `bytesMax` bytes. Rejects when the
   * tables could not take them; the messages may then be delivered again.
   */
  count(messages: readonly LogMessage[], bytesMax = BYTES_PER_WRITE): Promise<Counted> {
    return this.#targets.gate.during(bytesOf(messages, bytesMax), async () => {
      const { batch, verdicts, messages: count } = await this.#prepare(messages, bytesMax)
      await this.exclusively((lease) => this.#apply(lease, batch))
      return { messages: count, verdicts, deadLetters: batch.deadLetters }
    })
  }

  /** Drops cached watermarks and covered positions: another pass may have advanced them. */
  forget(): void {
    this.#watermarks.clear()
    this.#targets.buffer?.forget()
  }

  /**
   * Runs work that writes counters outside of this pass, while the pass writes nothing: each write must continue from
   * the watermark.
   */
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => work(this.#targets.currentLease()))
    this.#writing = done.catch(() => undefined)
    return done
  }

  /** Appends buffered events to the archive. */
  async archive(): Promise<void> {
    await this.#targets.buffer?.flush(this.#targets.currentLease)
  }

  async #prepare(delivered: readonly LogMessage[], bytesMax: number): Promise<Prepared> {
    return this.#fold(delivered, NONE, bytesMax).catch(async (error: unknown) => {
      // Errors of the store are not the fault of the messages, nor are failures while looking for a faulty message.
      const unfoldable = error instanceof HopperError ? NONE : await this.#unfoldable(delivered).catch(() => NONE)
      if (unfoldable.size === 0) throw error
      return this.#fold(delivered, unfoldable, bytesMax)
    })
  }

  /**
   * Performs all work that needs the events themselves, one part at a time, so that no event lives long: objects that
   * survive cost the garbage collector several times as much as their creation.
   *
   * The archive's buffer skips events that it already contains, so it may take events that the tables refuse and that
   * are delivered again. Events may be archived before the tables have them, since archive and tables each know what
   * they contain. Ends early when enough messages for one write are folded.
   */
  async #fold(
    delivered: readonly LogMessage[],
    unfoldable: ReadonlyMap<number, DeadLetter>,
    bytesMax: number,
  ): Promise<Prepared> {
    const { lane, past, buffer, rowBytesMax, watermarkCheck } = this.#targets
    const applied = new Map<string, number>()
    const fold = new BatchFold(({ table, app, date }) => applied.get(partitionKey(table, app, date))!, watermarkCheck)
    const earlier = new EarlierParts()
    const verdicts: Verdicts[] = []
    const allDeadLetters: DeadLetter[] = []
    let [end, bytes] = [0, 0]
    for (let begin = 0; begin < delivered.length && fold.dates < DATES_PER_WRITE && bytes < bytesMax; begin = end) {
      end = endOfPart(delivered, begin, Math.min(this.#isWide ? WIDE_PART_BYTES : PART_BYTES, bytesMax))
      const { messages, deadLetters } = await this.#decode(delivered.slice(begin, end), unfoldable)
      allDeadLetters.push(...deadLetters)
      const known = await past.of(messages, earlier)
      const judgement = judge(messages, known.past)
      this.#isWide = known.past.suspects.size > SUSPECT_SHARE_MAX * judgement.events.length
      await this.#readWatermarks(touchedPartitions(messages, judgement), applied)
      fold.add(messages, judgement)
      buffer?.add(judgement.events)
      if (buffer?.isFull(rowBytesMax())) await this.archive()
      addVerdicts(verdicts, messages, judgement)
      earlier.add(judgement, known.ids)
      for (let index = begin; index < end; index++) bytes += delivered[index]!.value.length
    }
    const folded = fold.changes(delivered[end - 1]!.position)
    return { batch: { lane, deadLetters: allDeadLetters, ...folded }, verdicts, messages: end }
  }

  async #apply(lease: Lease, batch: LaneBatch): Promise<void> {
    const { identified, writer, written } = this.#targets
    identified.add(batch.lane, batch.identities)
    const visitors = written.unwritten(batch.visitors)
    try {
      await writer.apply(lease, { ...batch, visitors })
    } catch (error) {
      // Some partitions may contain the change and others not, so the watermarks must be read again.
      this.#watermarks.clear()
      throw error
    }
    written.add(visitors)
    for (const { table, app, date, to } of batch.counters) this.#watermarks.set(partitionKey(table, app, date), to)
  }

  /**
   * Finds messages that are valid but cannot be folded: they must not stop their lane. Each message is tried alone, in
   * memory.
   */
  async #unfoldable(delivered: readonly LogMessage[]): Promise<Map<number, DeadLetter>> {
    const letters = new Map<number, DeadLetter>()
    for (const sent of delivered) {
      const read = await readMessage(sent, this.#targets.appOf)
      const failure = isCountable(read) ? foldingFailure(read) : undefined
      if (failure !== undefined) letters.set(sent.position, letterOf(sent, 'fold_failed', String(failure)))
    }
    return letters
  }

  async #decode(delivered: readonly LogMessage[], unfoldable: ReadonlyMap<number, DeadLetter>): Promise<Decoded> {
    const messages: Decoded['messages'] = []
    const deadLetters: DeadLetter[] = []
    const replayed = await this.#targets.readReplayed()
    for (const sent of delivered) {
      if (replayed.has(sent.position)) continue
      const read = unfoldable.get(sent.position) ?? (await readMessage(sent, this.#targets.appOf))
      if (isCountable(read)) messages.push(read)
      else deadLetters.push(read)
    }
    return { messages, deadLetters }
  }

  /** Adds the watermarks of these partitions to `applied`. */
  async #readWatermarks(partitions: readonly CounterPartition[], applied: Map<string, number>): Promise<void> {
    const unknown: CounterPartition[] = []
    for (const partition of partitions) {
      const key = partitionKey(partition.table, partition.app, partition.date)
      // Keeps the watermark from when the fold first met the partition: its change continues from there.
      if (applied.has(key)) continue
      const known = this.#watermarks.get(key)
      if (known === undefined) unknown.push(partition)
      else applied.set(key, known)
    }
    if (unknown.length === 0) return
    const read = await this.#targets.writer.applied(this.#targets.lane, unknown)
    if (this.#watermarks.size + unknown.length > WATERMARKS_MAX) this.#watermarks.clear()
    unknown.forEach(({ table, app, date }, index) => {
      const key = partitionKey(table, app, date)
      applied.set(key, read[index]!)
      this.#watermarks.set(key, read[index]!)
    })
  }
}

/** Returns the bytes of the messages, at most `bytesMax`: more are not processed together. */
function bytesOf(messages: readonly LogMessage[], bytesMax: number): number {
  let bytes = 0
  for (const { value } of messages) bytes += value.length
  return Math.min(bytes, bytesMax)
}

/** Returns the index after the last message of a part; a part has at least one message. */
function endOfPart(delivered: readonly LogMessage[], begin: number, bytesMax: number): number {
  let end = begin
  for (let bytes = 0; end < delivered.length && bytes < bytesMax; end++) bytes += delivered[end]!.value.length
  return end
}
