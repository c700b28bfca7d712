import type { Lease, TableWriter, WrittenOut } from '@hopper/storage'

/** A lane that is ours. */
interface WritingLane {
  /** the lease with the end that it has at each look */
  lasting(): Lease
}

export interface BackgroundWriteOutOptions {
  readonly writer: TableWriter
  readonly logger: { error(details: object, message: string): void } | undefined
  readonly wroteOut: (written: WrittenOut) => void
}

/**
 * Writes out what the large batches of our lanes have packed, a part of one lane after the other, so that its memory
 * is that of one part and batches under way
 * keep most of the store.
 */
export class BackgroundWriteOut {
  readonly #options: BackgroundWriteOutOptions
  readonly #steps = new Map<number, Promise<unknown>>()
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: BackgroundWriteOutOptions) {
    this.#options = options
  }

  /** Writes out until no lane has anything that is due. Calls at the same time share one run. Never rejects. */
  run(lanes: () => Iterable<WritingLane>): Promise<void> {
    this.#running ??= this.#run(lanes).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Resolves when nothing of the lane is being written any more; to be called once the lane is not ours any more. */
  async left(lane: number): Promise<void> {
    await this.#steps.get(lane)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(lanes: () => Iterable<WritingLane>): Promise<void> {
    for (let worked = true; worked && !this.#closed;) {
      worked = false
      // A lane may be taken away while those before it are written.
      for (const lane of [...lanes()]) {
        const isOurs = !this.#closed && [...lanes()].includes(lane)
        if (isOurs && (await this.#step(lane.lasting()))) worked = true
      }
    }
  }

  async #step(lease: Lease): Promise<boolean> {
    const writing = this.#writeOut(lease)
    this.#steps.set(lease.lane, writing)
    try {
      return await writing
    } finally {
      this.#steps.delete(lease.lane)
    }
  }

  async #writeOut(lease: Lease): Promise<boolean> {
    try {
      const written = await this.#options.writer.writeOut?.(lease)
      if (written) this.#options.wroteOut(written)
      return written !== undefined
    } catch (error) {
      const message = 'packed visitors could not be written out and will be tried again'
      this.#options.logger?.error({ lane: lease.lane, err: error }, message)
      return false
    }
  }
}
