import type { ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { SPILLED_KEYS } from '../chunk/event-keys.ts'
import { keyOfColumn } from '../chunk/key-names.ts'

/** Which keys are so rare that no summary of a chunk names them. */
export interface RareKeysRequest {
  /** ms, included */
  readonly from: number
  /** ms, not included */
  readonly to: number
  readonly prefix: string
  /** keys at most, the first by name */
  readonly limit: number
}

/** The columns that name the rare keys of a chunk. */
export const rareKeyColumns: readonly string[] = [SPILLED_KEYS]

/** Whether a chunk has rare keys, by its summary. */
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

  /** In the order of their names. */
  finish(): string[] {
    const keys = [...this.#keys].sort().slice(0, this.#request.limit)
    if (keys.length === this.#request.limit) this.#last = keys.at(-1)
    return keys
  }
}
