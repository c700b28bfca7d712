import type { IdentityChange, TableWriter } from '@hopper/storage'
import { SeenFilters } from './seen-filters.ts'

/** Memory of all filters of a process: about 10 million devices. */
const BYTES_MAX = 32_000_000

/**
 * Answers 'never identified' for devices of a lane without a look-up, as `SeenFilters` does for ids: most devices are
 * never identified, and each would be looked up with each batch.
 */
export class IdentifiedDevices {
  readonly #filters: SeenFilters | undefined

  constructor(writer: TableWriter, bytesMax = BYTES_MAX) {
    if (writer.identifiedDevices)
      this.#filters = new SeenFilters({ seenIds: (lane, { app }) => writer.identifiedDevices!(lane, app) }, bytesMax)
  }

  /** memory in bytes */
  get bytes(): number {
    return this.#filters?.bytes ?? 0
  }

  /** Returns the devices that may have identities in the store. */
  async maybeIdentified(lane: number, app: string, devices: readonly string[]): Promise<readonly string[]> {
    return this.#filters ? this.#filters.maybeSeen(lane, partitionOf(app), devices) : devices
  }

  /** Adds identities that are about to be written. */
  add(lane: number, identities: readonly IdentityChange[]): void {
    for (const { app, device } of identities) this.#filters?.add(lane, partitionOf(app), [device])
  }

  /** Drops the filters of a lane that has, or had, another owner. */
  forget(lane: number): void {
    this.#filters?.forget(lane)
  }
}

/** An identity applies to every date. */
function partitionOf(app: string): { app: string; date: string } {
  return { app, date: '' }
}
