import type { CounterTableName, Key } from '../ports/table-definitions.ts'
import type { CounterRow, TableReader, UniquesQuery, UniquesRow } from '../ports/tables.ts'
import { ReaderThread } from './reader-thread.ts'
import type { TableQueries } from './table-queries.ts'

/** Reads the tables in a thread of their own. */
export class EmbeddedTableReader implements TableReader {
  readonly #thread: ReaderThread<TableQueries>

  constructor(file: string) {
    this.#thread = new ReaderThread('table-reader-thread', file)
  }

  counters(table: CounterTableName, app: string, dates: readonly string[], prefix: Key = []): Promise<readonly CounterRow[]> {
    return this.#thread.ask('counters', table, app, dates, prefix)
  }

  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    return this.#thread.ask('uniques', query)
  }

  deadLetters(): Promise<number> {
    return this.#thread.ask('deadLetters')
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
