import { setImmediate as pause } from 'node:timers/promises'
import {
  deviceDigest,
  type ArchivedEvent,
  type ChunkSummary,
  type Event,
  type ForgetPart,
  type PlaceRange,
} from '@hopper/contracts'
import { Chunk, eventsOfRun, keyOf, mayHave, restOf, runOfDevice, type DeviceKey } from '@hopper/engine'
import { placeOf, type Archive } from '@hopper/storage'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** Events that are removed from the archive, or changed there. */
export interface RewrittenRows {
  /** Returns whether an event is removed. */
  has(event: Pick<ArchivedEvent, 'device_id' | 'position' | 'index'> & { readonly event: Event }): boolean
  /** Returns the replacement of an event that is not removed; if missing, all of these stay as they are. */
  changed?(event: ArchivedEvent): ArchivedEvent
  /** Returns how much of a chunk is removed or changed. */
  shareOf(archive: Archive, summary: ChunkSummary): Promise<'none' | 'some' | 'all'>
}

/** Devices of a part. A digest begins with the device hash, by which the device is found in chunks. */
export class ForgottenRows implements RewrittenRows {
  readonly #app: string
  readonly #devices: readonly { readonly digest: string; readonly key: DeviceKey }[]
  readonly #ranges: ReadonlyMap<string, readonly PlaceRange[]>
  /** events of a device are adjacent */
  #last: { readonly device: string; readonly ranges: readonly PlaceRange[] | undefined } | undefined

  constructor(app: string, { devices }: Pick<ForgetPart, 'devices'>) {
    this.#app = app
    this.#ranges = new Map(devices.map(({ device, ranges }) => [device, ranges]))
    this.#devices = devices.map(({ device }) => {
      const [high, low] = [Number.parseInt(device.slice(0, 8), 16), Number.parseInt(device.slice(8, 16), 16)]
      return { digest: device, key: { key: keyOf(high, low), rest: restOf(low) } }
    })
  }

  /** Returns whether an event is forgotten. */
  has({ device_id, position, index }: Pick<ArchivedEvent, 'device_id' | 'position' | 'index'>): boolean {
    if (this.#last?.device !== device_id)
      this.#last = { device: device_id, ranges: this.#ranges.get(deviceDigest(this.#app, device_id)) }
    const { ranges } = this.#last
    return ranges !== undefined && isIn(ranges, placeOf(position, index))
  }

  async shareOf(archive: Archive, summary: ChunkSummary): Promise<'none' | 'some'> {
    return (await this.read(archive, summary)).length === 0 ? 'none' : 'some'
  }

  /** Reads the forgotten events of a chunk; most chunks have none, as their summary or their runs show. */
  async read(archive: Archive, summary: ChunkSummary): Promise<ArchivedEvent[]> {
    const near = this.#devices.filter(({ key }) => mayHave(summary, key))
    if (near.length === 0) return []
    const runs = await fetchColumns(archive, summary, ['runs'])
    const present = near.filter(({ key }) => runOfDevice(runs, key) >= 0)
    if (present.length === 0) return []
    const chunk = await fetchColumns(archive, summary, Object.keys(summary.columns))
    return present
      .flatMap(({ key }) => eventsOfRun(chunk, runOfDevice(chunk, key), ALL, () => true))
      .filter((event) => this.has(event))
  }
}

/** Yields the forgotten events of a lane, chunk by chunk; chunks without any are passed over. */
export async function* forgottenEvents(
  archive: Archive,
  { app, lane, rows }: { readonly app: string; readonly lane: number; readonly rows: ForgottenRows },
  assertOwned: () => void,
): AsyncGenerator<readonly ArchivedEvent[]> {
  for (const summary of await archive.list({ app, lane, ...ALL })) {
    assertOwned()
    const events = await rows.read(archive, summary)
    if (events.length > 0) yield events
    await pause()
  }
}

/**
 * Fetches columns of a chunk.
 * @throws Error when the archive lacks one of them: nothing may be changed then
 */
export async function fetchColumns(archive: Archive, summary: ChunkSummary, names: readonly string[]): Promise<Chunk> {
  const cells = await archive.columns(summary, names)
  const lost = names.find((name) => cells.get(name)?.byteLength !== summary.columns[name])
  if (lost !== undefined) throw new Error(`the archive lacks the column ${lost} of a chunk of ${summary.date}`)
  return new Chunk(summary, (column) => cells.get(column))
}

function isIn(ranges: readonly PlaceRange[], place: number): boolean {
  return ranges.some(([from, to]) => from <= place && place < to)
}
