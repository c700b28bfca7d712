import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../sqlite.ts'

interface ReadRequest {
  readonly id: number
  readonly read: string
  readonly args: readonly unknown[]
}
export interface ReadReply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** The thread's side of `ReaderThread`: answers each request by the method of that name, until it receives `end`. */
export function serveReads(queriesOf: (database: DatabaseSync) => object): void {
  const port = parentPort!
  const database = openDatabase((workerData as { file: string }).file)
  const queries = queriesOf(database) as Record<string, (...args: readonly unknown[]) => unknown>
  port.on('message', (request: ReadRequest | { end: true }) => {
    if ('end' in request) {
      database.close()
      port.close()
      return
    }
    const { id, read, args } = request
    try {
      port.postMessage({ id, result: queries[read]!(...args) } satisfies ReadReply)
    } catch (error) {
      port.postMessage({ id, error: String(error) } satisfies ReadReply)
    }
  })
}
