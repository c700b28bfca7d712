import type { Partition } from '@hopper/storage'

/**
 * Holds one value for each (app, date) that events fall into. Events of one partition are adjacent, so a key is built
 * for hardly any of them.
 */
export class ByPartition<T> {
  readonly #make: (partition: Partition) => T
  readonly #found = new Map<string, T>()
  #last: { readonly app: string; readonly date: string; readonly value: T } | undefined

  constructor(make: (partition: Partition) => T) {
    this.#make = make
  }

  of(app: string, date: string): T {
    if (this.#last?.app === app && this.#last.date === date) return this.#last.value
    const key = `${app}\0${date}`
    let value = this.#found.get(key)
    if (value === undefined) this.#found.set(key, (value = this.#make({ app, date })))
    this.#last = { app, date, value }
    return value
  }

  get size(): number {
    return this.#found.size
  }

  /** Values in the order of their first events. */
  values(): T[] {
    return [...this.#found.values()]
  }
}
