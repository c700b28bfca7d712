import type { ArchivedEvent, Context, Event, Value } from '@hopper/contracts'
import { contextColumns, DATA_PREFIX, eventColumns, utmColumn } from './event-keys.ts'

/** The values of one column: row i has `values[codes[i]]`; `null` when the event has no value. */
export interface ValueCodes {
  readonly codes: Uint32Array
  readonly values: readonly (Value | null)[]
}

/** Gives equal values the same code, in the order in which they are met. Types are kept apart. */
export class Dictionary {
  readonly values: (Value | null)[] = []
  readonly #codes = new Map<Value | null, number>()

  code(value: Value | null): number {
    let code = this.#codes.get(value)
    if (code === undefined) {
      this.#codes.set(value, (code = this.values.length))
      this.values.push(value)
    }
    return code
  }
}

/** The values of events by column; not the whole numbers and ids, which every event has. */
export function valuesOf(rows: readonly ArchivedEvent[]): Map<string, ValueCodes> {
  const columns = new ValueColumns(rows.length)
  rows.forEach((row, at) => columns.put(at, row))
  return new Map([...columns.byName].map(([name, { codes, values }]) => [name, { codes, values }]))
}

class ValueColumn implements ValueCodes {
  readonly codes: Uint32Array
  readonly #dictionary = new Dictionary()
  #last: Value | undefined
  #code = 0

  constructor(rows: number) {
    this.codes = new Uint32Array(rows)
    this.#dictionary.code(null)
  }

  get values(): readonly (Value | null)[] {
    return this.#dictionary.values
  }

  /** A value often follows an equal one, and to compare them costs less than to look one up. */
  codeOf(value: Value): number {
    if (value !== this.#last) {
      this.#code = this.#dictionary.code(value)
      this.#last = value
    }
    return this.#code
  }
}

class ValueColumns {
  readonly byName = new Map<string, ValueColumn>()
  readonly #rows: number
  /** the columns of `eventColumns` that have a value, by their place there */
  readonly #ofEvent: (ValueColumn | undefined)[] = eventColumns.map(() => undefined)
  #context: Context | undefined
  #ofContext: readonly { readonly codes: Uint32Array; readonly code: number }[] = []

  constructor(rows: number) {
    this.#rows = rows
  }

  put(at: number, { event, user, context }: ArchivedEvent): void {
    this.#putEvent(at, event as Event & Readonly<Record<string, Value | undefined>>)
    if (user !== '') this.#put(at, 'user', user)
    // The events of one envelope share their context, and most of them stand side by side.
    if (context !== this.#context) this.#readContext(context)
    for (const { codes, code } of this.#ofContext) codes[at] = code
    if ('data' in event && event.data) for (const [key, value] of Object.entries(event.data)) this.#put(at, DATA_PREFIX + key, value)
  }

  #putEvent(at: number, event: Readonly<Record<string, Value | undefined>>): void {
    for (let place = 0; place < eventColumns.length; place++) {
      const value = event[eventColumns[place]!]
      // An event may carry fields that its kind does not have, and they may hold anything.
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
      const column = (this.#ofEvent[place] ??= this.#column(eventColumns[place]!))
      column.codes[at] = column.codeOf(value)
    }
  }

  #readContext(context: Context): void {
    const values: [string, Value][] = Object.entries(context.utm ?? {}).map(([name, value]) => [utmColumn(name), value])
    for (const name of contextColumns) if (context[name] !== undefined) values.push([name, context[name]])
    this.#context = context
    this.#ofContext = values.map(([name, value]) => {
      const column = this.#column(name)
      return { codes: column.codes, code: column.codeOf(value) }
    })
  }

  #put(at: number, name: string, value: Value): void {
    const column = this.#column(name)
    column.codes[at] = column.codeOf(value)
  }

  #column(name: string): ValueColumn {
    let column = this.byName.get(name)
    if (!column) this.byName.set(name, (column = new ValueColumn(this.#rows)))
    return column
  }
}
