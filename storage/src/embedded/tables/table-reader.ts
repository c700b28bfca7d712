import type { CounterTableName, Key } from '../../ports/table-definitions.ts'
import type {
  CounterPartition,
  CounterPartitionRow,
  CounterRow,
  DeadLetter,
  FirstSeen,
  Identity,
  Partition,
  Session,
  TableReader,
  UniquesQuery,
  UniquesRow,
  VisitorChange,
  VisitorPartition,
} from '../../ports/tables.ts'
import { ReaderThread } from '../threads/reader-thread.ts'
import type { TableQueries } from './table-queries.ts'

/** Reads the tables in a separate thread. */
export class EmbeddedTableReader implements TableReader {
  readonly #thread: ReaderThread<TableQueries>

  constructor(file: string) {
    this.#thread = new ReaderThread(new URL('./table-reader-thread', import.meta.url), file)
  }

  versions(app: string, dates: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#thread.call('versions', app, dates)
  }

  counters(
    table: CounterTableName,
    app: string,
    dates: readonly string[],
    prefix: Key = [],
  ): Promise<readonly CounterRow[]> {
    return this.#thread.call('counters', table, app, dates, prefix)
  }

  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    return this.#thread.call('uniques', query)
  }

  seen(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, FirstSeen>> {
    return this.#thread.call('seen', lane, partition, eventIds)
  }

  session(app: string, sessionId: string): Promise<Session | undefined> {
    return this.#thread.call('session', app, sessionId)
  }

  identitiesOf(app: string, device: string): Promise<readonly Identity[]> {
    return this.#thread.call('identitiesOf', app, device)
  }

  devicesOf(app: string, user: string, limit: number): Promise<readonly string[]> {
    return this.#thread.call('devicesOf', app, user, limit)
  }

  deadLetters(): Promise<number> {
    return this.#thread.call('deadLetters')
  }

  deadLettersFrom(lane: number, from: number, limit: number): Promise<readonly DeadLetter[]> {
    return this.#thread.call('deadLettersFrom', lane, from, limit)
  }

  counterPartition(lane: number, partition: CounterPartition): Promise<readonly CounterPartitionRow[]> {
    return this.#thread.call('counterPartition', lane, partition)
  }

  visitorPartition(lane: number, partition: VisitorPartition): Promise<VisitorChange['rows']> {
    return this.#thread.call('visitorPartition', lane, partition)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
