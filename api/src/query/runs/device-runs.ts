import { deviceHash, type ChunkSummary } from '@hopper/contracts'
import { keyOf, lowHalf, mayHave, restOf, runOfDevice, type Chunk, type DeviceKey } from '@hopper/engine'
import { batchesOf, fetchedAhead } from '../batches.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/** The rows of a device in a chunk, with all columns of the chunk loaded. */
export interface DeviceRun<D extends DeviceKey> {
  readonly chunk: Chunk
  readonly device: D
  readonly run: number
}

export function deviceOf(app: string, id: string): DeviceKey {
  const { high, low } = deviceHash(app, id)
  return { key: keyOf(high, low), rest: restOf(low) }
}

/** Yields the runs of some devices. Other chunks than those with such a run are not read as a whole. */
export async function* runsOfDevices<D extends DeviceKey>(
  devices: readonly D[],
  chunks: readonly ChunkSummary[],
  lanes: number,
  runtime: QueryRuntime,
): AsyncGenerator<DeviceRun<D>> {
  const near = chunks.filter((summary) =>
    devices.some((device) => lowHalf(device) % lanes === summary.lane && mayHave(summary, device)),
  )
  for await (const batch of fetchedAhead(batchesOf(near.map((summary) => ({ summary, names: ['runs'] }))), runtime)) {
    const present = batch
      .filter((chunk) => devices.some((device) => runOfDevice(chunk, device) >= 0))
      .map(({ summary }) => summary)
    for (const some of batchesOf(present.map((summary) => ({ summary, names: Object.keys(summary.columns) })))) {
      for (const chunk of await runtime.source.chunks(some)) {
        for (const device of devices) {
          runtime.budget.check()
          const run = runOfDevice(chunk, device)
          if (run >= 0) yield { chunk, device, run }
        }
      }
    }
  }
}
