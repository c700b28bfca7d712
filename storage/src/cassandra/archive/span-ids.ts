import type { types } from 'cassandra-driver'
import type { SpanKey } from '../../ports/archive.ts'
import { spanName } from '../../spans.ts'

const SPANS_MAX = 100_000

/**
 * Ids of the cells of the spans that this process has listed most recently. A listed span can thus be read after it was
 * merged.
 */
export class SpanIds {
  readonly #ids = new Map<string, types.TimeUuid>()

  remember(key: SpanKey, span: types.TimeUuid): void {
    const name = spanName(key)
    this.#ids.delete(name)
    this.#ids.set(name, span)
    if (this.#ids.size > SPANS_MAX) this.#ids.delete(this.#ids.keys().next().value!)
  }

  get(key: SpanKey): types.TimeUuid | undefined {
    return this.#ids.get(spanName(key))
  }
}
