import { HopperError, type App } from '@hopper/contracts'
import type { CounterPartition, DeadLetter, LaneBatch, Lease, LogMessage, TableWriter } from '@hopper/storage'
import type { ArchiveBuffer } from '../archive-buffer.ts'
import { foldingFailure } from '../fold/fold-alone.ts'
import { BatchFold, touchedPartitions } from '../fold/fold-batch.ts'
import { EarlierParts, judge, type Message } from '../judge/judge.ts'
import type { LanePast } from './lane-past.ts'
import type { MessageGate } from '../memory/message-gate.ts'
import { isCountable, letterOf, readMessage } from '../judge/read-message.ts'
import { partitionKey } from '../fold/row-key.ts'
import type { IdentifiedDevices } from '../seen/identified-devices.ts'
import { addVerdicts, type Verdicts } from '../judge/verdicts.ts'
import type { WrittenVisitors } from '../fold/written-visitors.ts'

const WATERMARKS_MAX = 20_000
/**
 * Dates of apps that are written together. Each costs some partitions of tables, so that events of ever other dates
 * would make one write endless.
 */
const DATES_PER_WRITE = 1_000
/** Bytes of messages that are written together. */
const BYTES_PER_WRITE = 4_000_000
/**
 * Of messages that are folded at a time: some 250 events. Where many ids are looked up, as after a restart, one look at
 * the store must do for many more.
 */
const PART_BYTES = 64_000
const WIDE_PART_BYTES = 1_000_000
const LOOKED_UP_SHARE_MAX = 0.03
const NONE: ReadonlyMap<number, DeadLetter> = new Map()

/** The outcome of a batch, for the metrics. */
export interface Applied {
  readonly verdicts: readonly Verdicts[]
  readonly deadLetters: readonly DeadLetter[]
}

/** The outcome of messages that were written at once. */
export interface Counted extends Applied {
  /** how many of the messages it is made of */
  readonly messages: number
}

interface Decoded {
  readonly messages: Message[]
  readonly deadLetters: DeadLetter[]
}

/** The changes that messages come to, before any of them is written. */
interface Prepared {
  readonly messages: number
  readonly batch: LaneBatch
  readonly verdicts: readonly Verdicts[]
}

/** Where the events of a pass go, and what it asks on the way. */
export interface PassTargets {
  readonly lane: number
  readonly writer: TableWriter
  readonly past: LanePast
  readonly identified: IdentifiedDevices
  /** rows of visitors that the tables hold, as far as the lane remembers */
  readonly written: WrittenVisitors
  /** positions of dead letters that were replayed: they count where they are again */
  readonly replayed: () => Promise<ReadonlySet<number>>
  readonly buffer: ArchiveBuffer | undefined
  /** memory that rows may take which are held back now before they are archived */
  readonly rowBytesMax: () => number
  /** what may be worked on at once */
  readonly gate: MessageGate
  /** with the end that it has at each look */
  readonly lasting: () => Lease
  readonly appOf: (id: string) => Promise<App | undefined>
  readonly watermarkCheck: boolean
}

/**
 * Turns messages of a lane, in their order, into changes of the tables, exactly once. Two passes over one lane may be
 * under way as long as no app has messages in both: all that is read and written belongs to one app.
 */
export class LanePass {
  readonly #targets: PassTargets
  readonly #watermarks = new Map<string, number>()
  #writing: Promise<unknown> = Promise.resolve()
  /** whether many of the ids of the last part had to be looked up */
  #wide = false

  constructor(targets: PassTargets) {
    this.#targets = targets
  }

  /**
   * Counts as many of the messages as should be written at once, at most about `bytesMax` of them. Rejects when the
   * tables could not take them; they may come again then.
   */
  count(messages: readonly LogMessage[], bytesMax = BYTES_PER_WRITE): Promise<Counted> {
    return this.#targets.gate.during(bytesOf(messages, bytesMax), async () => {
      const { batch, verdicts, messages: count } = await this.#prepare(messages, bytesMax)
      await this.exclusively((lease) => this.#apply(lease, batch))
      return { messages: count, verdicts, deadLetters: batch.deadLetters }
    })
  }

  /** Forgets how far the partitions of its apps are counted and archived: another pass may have gone on with them. */
  forget(): void {
    this.#watermarks.clear()
    this.#targets.buffer?.forget()
  }

  /** Runs what writes counters outside of this pass, while it writes nothing: each must go on from the watermark. */
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => work(this.#targets.lasting()))
    this.#writing = done.catch(() => undefined)
    return done
  }

  /** Appends to the archive what is held back. */
  async archive(): Promise<void> {
    await this.#targets.buffer?.flush(this.#targets.lasting)
  }

  async #prepare(delivered: readonly LogMessage[], bytesMax: number): Promise<Prepared> {
    return this.#fold(delivered, NONE, bytesMax).catch(async (error: unknown) => {
      // What the store has to say is not the messages' fault, nor what cannot be found out about them.
      const unfoldable = error instanceof HopperError ? NONE : await this.#unfoldable(delivered).catch(() => NONE)
      if (unfoldable.size === 0) throw error
      return this.#fold(delivered, unfoldable, bytesMax)
    })
  }

  /**
   * Does all that needs the events themselves, some messages at a time, so that no event is kept for long: an object
   * that waits costs the garbage collector several times what it cost to make. What the archive's buffer takes in, and
   * the tables refuse then, is passed over when it comes again; it may be archived before the tables have it, since
   * each of them tells by itself what it has. Ends early when what was folded is as much as should be written at once.
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
    const buried: DeadLetter[] = []
    let [end, bytes] = [0, 0]
    for (let begin = 0; begin < delivered.length && fold.dates < DATES_PER_WRITE && bytes < bytesMax; begin = end) {
      end = endOfPart(delivered, begin, Math.min(this.#wide ? WIDE_PART_BYTES : PART_BYTES, bytesMax))
      const { messages, deadLetters } = await this.#decode(delivered.slice(begin, end), unfoldable)
      buried.push(...deadLetters)
      const known = await past.of(messages, earlier)
      const judgement = judge(messages, known.past)
      this.#wide = known.past.suspects.size > LOOKED_UP_SHARE_MAX * judgement.events.length
      await this.#readWatermarks(touchedPartitions(messages, judgement), applied)
      fold.add(messages, judgement)
      buffer?.add(judgement.events)
      if (buffer?.isFull(rowBytesMax())) await this.archive()
      addVerdicts(verdicts, messages, judgement)
      earlier.add(judgement, known.ids)
      for (let at = begin; at < end; at++) bytes += delivered[at]!.value.length
    }
    const folded = fold.changes(delivered[end - 1]!.position)
    return { batch: { lane, deadLetters: buried, ...folded }, verdicts, messages: end }
  }

  async #apply(lease: Lease, batch: LaneBatch): Promise<void> {
    const { identified, writer, written } = this.#targets
    identified.add(batch.lane, batch.identities)
    const visitors = written.unwritten(batch.visitors)
    try {
      await writer.apply(lease, { ...batch, visitors })
    } catch (error) {
      // Some partitions may hold the change and others not: what is true must be read again.
      this.#watermarks.clear()
      throw error
    }
    written.add(visitors)
    for (const { table, app, date, to } of batch.counters) this.#watermarks.set(partitionKey(table, app, date), to)
  }

  /**
   * Messages whose shape passes but whose events cannot be folded: they must not stop their lane. Each is tried alone,
   * in memory.
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
    const replayed = await this.#targets.replayed()
    for (const sent of delivered) {
      if (replayed.has(sent.position)) continue
      const read = unfoldable.get(sent.position) ?? (await readMessage(sent, this.#targets.appOf))
      if (isCountable(read)) messages.push(read)
      else deadLetters.push(read)
    }
    return { messages, deadLetters }
  }

  /** Adds to `applied` how far these partitions are counted. */
  async #readWatermarks(partitions: readonly CounterPartition[], applied: Map<string, number>): Promise<void> {
    const unknown: CounterPartition[] = []
    for (const partition of partitions) {
      const key = partitionKey(partition.table, partition.app, partition.date)
      // Kept from when the fold met the partition first: this is where its change continues from.
      if (applied.has(key)) continue
      const known = this.#watermarks.get(key)
      if (known === undefined) unknown.push(partition)
      else applied.set(key, known)
    }
    if (unknown.length === 0) return
    const read = await this.#targets.writer.applied(this.#targets.lane, unknown)
    if (this.#watermarks.size + unknown.length > WATERMARKS_MAX) this.#watermarks.clear()
    unknown.forEach(({ table, app, date }, at) => {
      const key = partitionKey(table, app, date)
      applied.set(key, read[at]!)
      this.#watermarks.set(key, read[at]!)
    })
  }
}

/** Bytes of the messages that are worked on at once. */
function bytesOf(messages: readonly LogMessage[], bytesMax: number): number {
  let bytes = 0
  for (const { value } of messages) bytes += value.length
  return Math.min(bytes, bytesMax)
}

/** One message at least. */
function endOfPart(delivered: readonly LogMessage[], begin: number, bytesMax: number): number {
  let end = begin
  for (let bytes = 0; end < delivered.length && bytes < bytesMax; end++) bytes += delivered[end]!.value.length
  return end
}
