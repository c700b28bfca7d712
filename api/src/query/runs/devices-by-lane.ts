import type { ChunkSummary } from '@hopper/contracts'
import { hashOfDevice, lowHalf, runOfDevice, type Chunk, type DeviceKey } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/** A few devices, and where in the archive their events are. */
export class DevicesByLane {
  readonly #byLane: ReadonlyMap<number, DeviceSet>

  constructor(devices: readonly DeviceKey[], lanes: number) {
    this.#byLane = new Map(
      [...Map.groupBy(devices, (device) => lowHalf(device) % lanes)].map(([lane, group]) => [
        lane,
        new DeviceSet(group),
      ]),
    )
  }

  /** Selects the chunks that have events of any of the devices. */
  async present(chunks: readonly ChunkSummary[], runtime: QueryRuntime): Promise<ChunkSummary[]> {
    const present: ChunkSummary[] = []
    for (const batch of this.#near(chunks)) present.push(...(await this.#presentIn(batch, runtime)))
    return present
  }

  /** Calls `add` for each chunk that has any of the devices, with their runs. */
  async each(
    chunks: readonly ChunkSummary[],
    columns: (summary: ChunkSummary) => readonly string[],
    add: (chunk: Chunk, runs: readonly number[]) => void,
    runtime: QueryRuntime,
  ): Promise<void> {
    const { source, budget } = runtime
    for (const near of this.#near(chunks)) {
      const present = (await this.#presentIn(near, runtime)).map((summary) => ({ summary, names: columns(summary) }))
      for (const batch of batchesOf(present)) {
        for (const chunk of await source.chunks(batch)) {
          budget.check()
          add(chunk, this.runsIn(chunk))
        }
      }
    }
  }

  /** Finds the runs of the devices in a chunk, whose column `runs` is loaded. */
  runsIn(chunk: Chunk): number[] {
    const devices = this.#byLane.get(chunk.summary.lane)?.devices ?? []
    return devices.map((device) => runOfDevice(chunk, device)).filter((run) => run >= 0)
  }

  #near(chunks: readonly ChunkSummary[]): ReturnType<typeof batchesOf> {
    const near = chunks.filter((summary) => this.#byLane.get(summary.lane)?.mayBeIn(summary))
    return batchesOf(near.map((summary) => ({ summary, names: ['runs'] })))
  }

  async #presentIn(batch: ReturnType<typeof batchesOf>[number], { source }: QueryRuntime): Promise<ChunkSummary[]> {
    const chunks = await source.chunks(batch)
    return chunks.filter((chunk) => this.runsIn(chunk).length > 0).map(({ summary }) => summary)
  }
}

/** Devices of a lane, sorted by their hash like those of a chunk. */
class DeviceSet {
  readonly devices: readonly DeviceKey[]
  readonly #hashes: readonly string[]

  constructor(devices: readonly DeviceKey[]) {
    const byHash = new Map(devices.map((device) => [hashOfDevice(device), device]))
    this.#hashes = [...byHash.keys()].sort()
    this.devices = this.#hashes.map((hash) => byHash.get(hash)!)
  }

  mayBeIn({ first_device, last_device }: ChunkSummary): boolean {
    return this.#hashes.some((hash) => first_device <= hash && hash <= last_device)
  }
}
