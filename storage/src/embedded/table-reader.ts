import type { Worker } from 'node:worker_threads'
import { HopperError } from '@hopper/contracts'
import type { CounterTableName, Key } from '../ports/table-definitions.ts'
import type { CounterRow, TableReader, UniquesQuery, UniquesRow } from '../ports/tables.ts'
import { endThread, startThread } from './thread.ts'

export type ReadRequest = { readonly id: number } & (
  | { readonly read: 'counters'; readonly args: [CounterTableName, string, readonly string[], Key] }
  | { readonly read: 'uniques'; readonly args: [UniquesQuery] }
  | { readonly read: 'deadLetters'; readonly args: [] }
)
type Asked = ReadRequest extends infer R ? (R extends ReadRequest ? Omit<R, 'id'> : never) : never
export interface ReadReply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Reads in a thread of its own, so that a large read never delays what else the caller's thread does. */
export class EmbeddedTableReader implements TableReader {
  readonly #file: string
  readonly #asked = new Map<number, { resolve: (result: never) => void; reject: (error: unknown) => void }>()
  #thread: Worker | undefined
  #nextId = 0

  constructor(file: string) {
    this.#file = file
  }

  counters(table: CounterTableName, app: string, dates: readonly string[], prefix: Key = []): Promise<readonly CounterRow[]> {
    return this.#ask({ read: 'counters', args: [table, app, dates, prefix] })
  }

  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    return this.#ask({ read: 'uniques', args: [query] })
  }

  deadLetters(): Promise<number> {
    return this.#ask({ read: 'deadLetters', args: [] })
  }

  async close(): Promise<void> {
    if (this.#thread) await endThread(this.#thread)
  }

  #ask<T>(asked: Asked): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#asked.set(id, { resolve, reject })
      const thread = (this.#thread ??= this.#start())
      thread.ref()
      thread.postMessage({ id, ...asked })
    })
  }

  #start(): Worker {
    const thread = startThread('table-reader-thread', { file: this.#file })
    thread.on('message', ({ id, result, error }: ReadReply) => {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (this.#asked.size === 0) thread.unref()
      if (error === undefined) asked?.resolve(result as never)
      else asked?.reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause: new Error(error) }))
    })
    thread.on('error', (error) => this.#fail(error as Error))
    return thread
  }

  #fail(cause: Error): void {
    this.#thread = undefined
    for (const { reject } of this.#asked.values()) reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause }))
    this.#asked.clear()
  }
}
