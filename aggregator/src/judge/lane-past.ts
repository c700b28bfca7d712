import { forgottenId, isOlderThanKept } from '@hopper/contracts'
import { placeOf, type Identity, type Partition, type TableWriter } from '@hopper/storage'
import { ByPartition } from '../fold/by-partition.ts'
import type { IdentifiedDevices } from '../seen/identified-devices.ts'
import type { SeenFilters } from '../seen/seen-filters.ts'
import { deviceKey, seenDate, seenKey, EarlierParts, type IdsOfPartition, type Message, type Past } from './judge.ts'

/** Ids that the filters could not rule out, so that the store was asked for them. */
type Suspects = Required<Pick<Past, 'suspects'>>

/** The filters of the process that owns the lane. */
interface LaneFilters {
  readonly seen: SeenFilters
  readonly identified: IdentifiedDevices
}

/**
 * Reads what the store knows of a lane before some messages. The filters of its owner answer most look-ups ("never
 * seen"); a recount has no filters and looks everything up.
 */
export class LanePast {
  readonly #lane: number
  readonly #writer: TableWriter
  readonly #filters: LaneFilters | undefined

  constructor(lane: number, writer: TableWriter, filters?: LaneFilters) {
    this.#lane = lane
    this.#writer = writer
    this.#filters = filters
  }

  /**
   * Returns the past of messages, and their ids. `earlier` has the messages that will be counted and are not in the
   * store yet.
   */
  async of(
    messages: readonly Message[],
    earlier = new EarlierParts(),
  ): Promise<{ readonly past: Past & Suspects; readonly ids: readonly IdsOfPartition[] }> {
    const ids = new ByPartition((partition) => ({ partition, ids: [] as string[] }))
    const hashes = new ByPartition((partition) => ({ partition, ids: [] as string[] }))
    const devices = new Map<string, Set<string>>()
    for (const { envelope, app } of messages) {
      for (const { id, date, expired } of envelope.forgotten ?? []) if (!expired) ids.of(app.id, date).ids.push(id)
      const identifies = envelope.forgotten?.some(({ user_id }) => user_id !== undefined) ?? false
      if (envelope.events.length === 0 && !identifies) continue
      const { events } = envelope
      const kept = app.kept_from === undefined ? events : events.filter((event) => !isOlderThanKept(app, event))
      for (const event of kept) ids.of(app.id, seenDate(event)).ids.push(event.event_id)
      if (app.forgotten !== undefined) {
        for (const event of kept) hashes.of(app.id, seenDate(event)).ids.push(forgottenId(app.id, event.event_id))
      }
      const known = devices.get(app.id)
      if (known) known.add(envelope.device_id)
      else devices.set(app.id, new Set([envelope.device_id]))
    }
    const [repeats, identities] = await Promise.all([
      this.#repeats(ids.values(), hashes.values()),
      this.#identities(devices, messages),
    ])
    return { past: { ...repeats, identities, earlier }, ids: ids.values() }
  }

  /** `hashes` are the hashes of the ids: the store has the hash instead of the id if the first event was forgotten. */
  async #repeats(
    requested: readonly IdsOfPartition[],
    hashes: readonly IdsOfPartition[],
  ): Promise<Pick<Past, 'firstPositions'> & Suspects> {
    const firstPositions = new Map<string, number>()
    const suspects = new Set<string>()
    const lookUp = async (partition: Partition, maybe: readonly string[]): Promise<void> => {
      if (maybe.length === 0) return
      for (const id of maybe) suspects.add(id)
      for (const [id, position] of await this.#writer.firstPositions(this.#lane, partition, maybe))
        firstPositions.set(seenKey(partition, id), position)
    }
    await Promise.all(
      requested.map(async ({ partition, ids }) =>
        lookUp(partition, this.#filters ? await this.#filters.seen.testAndAdd(this.#lane, partition, ids) : ids),
      ),
    )
    await Promise.all(
      hashes.map(async ({ partition, ids }) =>
        lookUp(partition, this.#filters ? await this.#filters.seen.maybeSeen(this.#lane, partition, ids) : ids),
      ),
    )
    return { firstPositions, suspects }
  }

  async #identities(
    requested: ReadonlyMap<string, ReadonlySet<string>>,
    messages: readonly Message[],
  ): Promise<Map<string, readonly Identity[]>> {
    const found = new Map<string, readonly Identity[]>()
    // One position per app: when another app is deferred, the first message may precede counted messages of this app.
    const firsts = new Map<string, number>()
    for (const { app, position } of messages) if (!firsts.has(app.id)) firsts.set(app.id, position)
    await Promise.all(
      [...requested].map(async ([app, devices]) => {
        const maybe = this.#filters
          ? await this.#filters.identified.maybeIdentified(this.#lane, app, [...devices])
          : [...devices]
        if (maybe.length === 0) return
        const identities = await this.#writer.identities(app, maybe, placeOf(firsts.get(app)!, 0))
        for (const [device, identity] of identities) found.set(deviceKey(app, device), [identity])
      }),
    )
    return found
  }
}
