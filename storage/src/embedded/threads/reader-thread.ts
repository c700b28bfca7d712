import type { Worker } from 'node:worker_threads'
import { HopperError } from '@hopper/contracts'
import type { ReadReply } from './serve-reads.ts'
import { endThread, startThread } from './thread.ts'

/**
 * Runs queries in a separate thread, so that a large read never delays other work of the caller's thread. The thread
 * starts with the first query.
 */
export class ReaderThread<R extends { [N in keyof R]: (...args: never[]) => unknown }> {
  readonly #code: URL
  readonly #file: string
  readonly #pending = new Map<number, { resolve: (result: never) => void; reject: (error: unknown) => void }>()
  #thread: Worker | undefined
  #nextId = 0

  /** `code` is the thread's file without its suffix, `file` the database that it reads. */
  constructor(code: URL, file: string) {
    this.#code = code
    this.#file = file
  }

  /** Runs a query. Rejects with HOP_STORE_UNAVAILABLE when the read or its thread fails. */
  call<N extends keyof R & string>(read: N, ...args: Parameters<R[N]>): Promise<ReturnType<R[N]>> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#pending.set(id, { resolve, reject })
      const thread = (this.#thread ??= this.#start())
      thread.ref()
      thread.postMessage({ id, read, args })
    })
  }

  async close(): Promise<void> {
    if (this.#thread) await endThread(this.#thread)
    this.#thread = undefined
  }

  #start(): Worker {
    const thread = startThread(this.#code, { file: this.#file })
    thread.on('message', ({ id, result, error }: ReadReply) => {
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (this.#pending.size === 0) thread.unref()
      if (error === undefined) pending?.resolve(result as never)
      else pending?.reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause: new Error(error) }))
    })
    thread.on('error', (cause) => this.#ended(thread, cause))
    // A thread may end without an error; a caller that waits for it would never continue.
    thread.on('exit', (code) => this.#ended(thread, new Error(`the reading thread has ended with code ${code}`)))
    return thread
  }

  /** Rejects the queries that the thread has not answered; the next query starts a new thread. */
  #ended(thread: Worker, cause: unknown): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    for (const { reject } of this.#pending.values())
      reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause }))
    this.#pending.clear()
  }
}
