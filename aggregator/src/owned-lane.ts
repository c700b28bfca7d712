import { decodeEnvelope, type App, type DeadLetterReason } from '@hopper/contracts'
import { placeOf, type Archive, type CounterPartition, type DeadLetter, type Identity, type LaneBatch, type Lease, type LogMessage, type Partition, type TableWriter } from '@hopper/storage'
import { ArchiveBuffer } from './archive-buffer.ts'
import { ByPartition } from './by-partition.ts'
import { flawOf } from './flaw.ts'
import { foldBatch, touchedPartitions, type AppliedOf } from './fold-batch.ts'
import { deviceKey, judge, seenDate, seenKey, type Judgement, type Message, type Past } from './judge.ts'
import type { LaneMerges } from './merge/lane-merges.ts'
import { partitionKey } from './row-key.ts'
import type { IdentifiedDevices } from './seen/identified-devices.ts'
import type { SeenFilters } from './seen/seen-filters.ts'
import { WrittenVisitors } from './written-visitors.ts'

const WATERMARKS_MAX = 20_000
const WRITTEN_VISITORS_MAX = 20_000
const DETAIL_CHARS_MAX = 500
const RENEWALS_PER_LEASE = 4
const NOTHING: Past = { firstPositions: new Map(), identities: new Map() }

/** What became of a batch, for the metrics. */
export interface Applied {
  readonly judgement: Judgement
  readonly messages: readonly Message[]
  readonly deadLetters: readonly DeadLetter[]
}

interface Decoded {
  readonly messages: (Message & { readonly value: Uint8Array })[]
  readonly deadLetters: DeadLetter[]
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
  /** rows that the lane may hold back now before they are archived */
  readonly rowsMax: () => number
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
  readonly #seen: SeenFilters
  readonly #identified: IdentifiedDevices
  readonly #appOf: (id: string) => Promise<App | undefined>
  readonly #watermarkCheck: boolean
  readonly #rowsMax: () => number
  readonly #buffer: ArchiveBuffer | undefined
  readonly #watermarks = new Map<string, number>()
  readonly #written = new WrittenVisitors(WRITTEN_VISITORS_MAX)

  constructor(lease: Lease, position: number, { writer, seen, identified, archive, archiveMs, rowsMax, merges, appOf, watermarkCheck }: LaneTargets) {
    this.lease = lease
    this.position = this.committed = position
    this.#writer = writer
    this.#seen = seen
    this.#identified = identified
    this.#appOf = appOf
    this.#watermarkCheck = watermarkCheck
    this.merges = merges
    this.#rowsMax = rowsMax
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
  #lasting(): Lease {
    const until = (): number => this.#lease.expiresAt
    return { ...this.#lease, get expiresAt() { return until() } }
  }

  /** Rejects when the tables could not take the batch; it may be delivered again then. */
  async apply(delivered: readonly LogMessage[]): Promise<Applied> {
    const decoded = await this.#decode(delivered)
    const applied = await this.#count(decoded).catch((error: unknown) => {
      const foldable = siftFoldable(decoded)
      if (foldable.deadLetters.length === decoded.deadLetters.length) throw error
      return this.#count(foldable)
    })
    this.#buffer?.add(applied.judgement.events)
    this.position = Math.max(this.position, delivered.at(-1)!.position + 1)
    if (this.#buffer && this.#buffer.rows >= this.#rowsMax()) await this.archive()
    return applied
  }

  /** Does the same as `archive` unless what is held back had better wait for more. */
  async archiveRipe(): Promise<number> {
    return this.#buffer && !this.#buffer.ripe ? this.committed : this.archive()
  }

  /** Appends to the archive what is held back; answers the position before which every event is in the tables and in the archive. */
  async archive(): Promise<number> {
    const { position } = this
    await this.#buffer?.flush(() => this.#lasting())
    return position
  }

  async #count({ messages, deadLetters }: Decoded): Promise<Applied> {
    const judgement = judge(messages, await this.#past(messages))
    await this.#readWatermarks(touchedPartitions(messages, judgement))
    const appliedOf: AppliedOf = ({ table, app, date }) => this.#watermarks.get(partitionKey(table, app, date)) ?? -1
    const folded = foldBatch(messages, judgement, appliedOf, this.#watermarkCheck)
    const batch: LaneBatch = { lane: this.lease.lane, deadLetters, ...folded, visitors: this.#written.unwritten(folded.visitors) }
    this.#identified.add(batch.lane, batch.identities)
    try {
      await this.#writer.apply(this.#lasting(), batch)
    } catch (error) {
      // Some partitions may hold the change and others not: what is true must be read again.
      this.#watermarks.clear()
      throw error
    }
    this.#written.add(batch.visitors)
    for (const { table, app, date, to } of batch.counters) this.#watermarks.set(partitionKey(table, app, date), to)
    return { judgement, messages, deadLetters }
  }

  async #decode(delivered: readonly LogMessage[]): Promise<Decoded> {
    const messages: Decoded['messages'] = []
    const deadLetters: DeadLetter[] = []
    for (const { position, value } of delivered) {
      const bury = (reason: DeadLetterReason, detail: string): void => void deadLetters.push(letterOf(position, value, reason, detail))
      try {
        const envelope = decodeEnvelope(value)
        const app = await this.#appOf(envelope.app)
        const flaw = flawOf(envelope)
        if (!app) bury('unknown_app', envelope.app)
        else if (flaw !== undefined) bury('fold_failed', flaw)
        else messages.push({ position, envelope, app, value })
      } catch (error) {
        if (error instanceof SyntaxError || error instanceof TypeError) bury(error instanceof SyntaxError ? 'undecodable' : 'unknown_version', error.message)
        else throw error
      }
    }
    return { messages, deadLetters }
  }

  /** What the store knows of the ids and the devices of a batch. */
  async #past(messages: readonly Message[]): Promise<Past> {
    const seen = new ByPartition((partition) => ({ partition, ids: [] as string[] }))
    const devices = new Map<string, Set<string>>()
    for (const { envelope, app } of messages) {
      for (const event of envelope.events) seen.of(app.id, seenDate(event)).ids.push(event.event_id)
      const known = devices.get(app.id)
      if (known) known.add(envelope.device_id)
      else devices.set(app.id, new Set([envelope.device_id]))
    }
    const [repeats, identities] = await Promise.all([this.#repeats(seen.values()), this.#identities(devices, messages)])
    return { ...repeats, identities }
  }

  async #repeats(asked: readonly { partition: Partition; ids: string[] }[]): Promise<Pick<Past, 'firstPositions' | 'suspects'>> {
    const firstPositions = new Map<string, number>()
    const suspects = new Set<string>()
    const { lane } = this.lease
    await Promise.all(asked.map(async ({ partition, ids }) => {
      const maybe = await this.#seen.meet(lane, partition, ids)
      if (maybe.length === 0) return
      for (const id of maybe) suspects.add(id)
      for (const [id, position] of await this.#writer.firstPositions(lane, partition, maybe)) firstPositions.set(seenKey(partition, id), position)
    }))
    return { firstPositions, suspects }
  }

  async #identities(asked: ReadonlyMap<string, ReadonlySet<string>>, messages: readonly Message[]): Promise<Map<string, readonly Identity[]>> {
    const found = new Map<string, readonly Identity[]>()
    const before = placeOf(messages[0]?.position ?? 0, 0)
    await Promise.all([...asked].map(async ([app, devices]) => {
      const maybe = await this.#identified.maybe(this.lease.lane, app, [...devices])
      if (maybe.length > 0) for (const [device, identity] of await this.#writer.identities(app, maybe, before)) found.set(deviceKey(app, device), [identity])
    }))
    return found
  }

  async #readWatermarks(partitions: readonly CounterPartition[]): Promise<void> {
    if (this.#watermarks.size + partitions.length > WATERMARKS_MAX) this.#watermarks.clear()
    const unknown = partitions.filter(({ table, app, date }) => !this.#watermarks.has(partitionKey(table, app, date)))
    if (unknown.length === 0) return
    const applied = await this.#writer.applied(this.lease.lane, unknown)
    unknown.forEach(({ table, app, date }, at) => this.#watermarks.set(partitionKey(table, app, date), applied[at]!))
  }
}

function letterOf(position: number, value: Uint8Array, reason: DeadLetterReason, detail: string): DeadLetter {
  return { position, value, reason, detail: detail.slice(0, DETAIL_CHARS_MAX) }
}

/** A message whose shape passes but whose events can not be folded must not stop its lane. When a batch fails, each is tried alone, in memory. */
function siftFoldable({ messages, deadLetters }: Decoded): Decoded {
  const foldable: Decoded = { messages: [], deadLetters: [...deadLetters] }
  for (const message of messages) {
    const failure = failureOf(message)
    if (failure === undefined) foldable.messages.push(message)
    else foldable.deadLetters.push(letterOf(message.position, message.value, 'fold_failed', String(failure)))
  }
  return foldable
}

function failureOf(message: Message): unknown {
  try {
    const judgement = judge([message], NOTHING)
    foldBatch([message], judgement, () => -1)
    return undefined
  } catch (error) {
    return error
  }
}
