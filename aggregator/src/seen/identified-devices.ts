import type { IdentityChange, TableWriter } from '@hopper/storage'
import { SeenFilters } from './seen-filters.ts'

/** Memory of all filters of a process: some 10 million devices. */
const BYTES_MAX = 32_000_000

/**
 * Answers 'never identified' for devices of a lane without a look-up, as `SeenFilters` does for ids: most devices are
 * nobody's, and each would be asked for with each batch.
 */
export class IdentifiedDevices {
  readonly #filters: SeenFilters | undefined

  constructor(writer: TableWriter, bytesMax = BYTES_MAX) {
    if (writer.identifiedDevices)
      this.#filters = new SeenFilters({ seenIds: (lane, { app }) => writer.identifiedDevices!(lane, app) }, bytesMax)
  }

  /** of memory */
  get bytes(): number {
    return this.#filters?.bytes ?? 0
  }

  /** Those of the devices that the store may have identities of. */
  async maybe(lane: number, app: string, devices: readonly string[]): Promise<readonly string[]> {
    return this.#filters ? this.#filters.maybeSeen(lane, partitionOf(app), devices) : devices
  }

  /** Tells of identities that are about to be written. */
  add(lane: number, identities: readonly IdentityChange[]): void {
    for (const { app, device } of identities) this.#filters?.tell(lane, partitionOf(app), [device])
  }

  /** Forgets a lane: it has, or had, another owner. */
  forget(lane: number): void {
    this.#filters?.forget(lane)
  }
}

/** An identity holds on every date. */
function partitionOf(app: string): { app: string; date: string } {
  return { app, date: '' }
}
