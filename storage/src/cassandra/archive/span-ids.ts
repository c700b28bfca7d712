import type { types } from 'cassandra-driver'
import type { ChunkKey } from '../../ports/archive.ts'
import { spanName } from '../../spans.ts'

const CHUNKS_MAX = 100_000

/**
 * Ids of the cells of the chunks that this process has listed most recently. A listed chunk can thus be read after its
 * span was merged.
 */
export class SpanIds {
  readonly #ids = new Map<string, types.TimeUuid>()

  remember(key: ChunkKey, span: types.TimeUuid): void {
    const name = nameOf(key)
    this.#ids.delete(name)
    this.#ids.set(name, span)
    if (this.#ids.size > CHUNKS_MAX) this.#ids.delete(this.#ids.keys().next().value!)
  }

  get(key: ChunkKey): types.TimeUuid | undefined {
    return this.#ids.get(nameOf(key))
  }
}

function nameOf(key: ChunkKey): string {
  return `${spanName(key)}/${key.part}/${key.rows}`
}
