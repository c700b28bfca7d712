import type { ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { SPILLED_KEYS } from '../chunk/event-keys.ts'
import { keyOfColumn } from '../chunk/key-names.ts'

/** Request for the keys that are so rare that no chunk summary contains them. */
export interface RareKeysRequest {
  /** ms, inclusive */
  readonly from: number
  /** ms, exclusive */
  readonly to: number
  readonly prefix: string
  /** maximum number of keys, the first by name */
  readonly limit: number
}

/** The columns that contain the names of a chunk's rare keys. */
export const rareKeyColumns: readonly string[] = [SPILLED_KEYS]

/** Returns whether a chunk has rare keys, according to its summary. */
export function hasRareKeys({ columns }: ChunkSummary): boolean {
  return Object.hasOwn(columns, SPILLED_KEYS)
}

/** Collects the rare keys of chunks. Needs `rareKeyColumns`. */
export class RareKeyScan {
  readonly #request: RareKeysRequest
  #keys = new Set<string>()
  #last: string | undefined

  constructor(request: RareKeysRequest) {
    this.#request = request
  }

  add(chunk: Chunk): void {
    for (const name of chunk.spilledKeys()?.names ?? []) {
      const key = keyOfColumn(name)
      if (key?.startsWith(this.#request.prefix) && (this.#last === undefined || key <= this.#last)) this.#keys.add(key)
    }
    if (this.#keys.size > 2 * this.#request.limit) this.#keys = new Set(this.finish())
  }

  /** Returns the keys, sorted by name. */
  finish(): string[] {
    const keys = [...this.#keys].sort().slice(0, this.#request.limit)
    if (keys.length === this.#request.limit) this.#last = keys.at(-1)
    return keys
  }
}
