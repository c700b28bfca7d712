import type { Worker } from 'node:worker_threads'
import { HopperError } from '@hopper/contracts'
import type { ReadReply } from './serve-reads.ts'
import { endThread, startThread } from './thread.ts'

/**
 * Asks a thread of its own, so that a large read never delays what else the caller's thread does. The thread starts
 * with the first question.
 */
export class ReaderThread<R extends { [N in keyof R]: (...args: never[]) => unknown }> {
  readonly #code: URL
  readonly #file: string
  readonly #asked = new Map<number, { resolve: (result: never) => void; reject: (error: unknown) => void }>()
  #thread: Worker | undefined
  #nextId = 0

  /** `code` is the thread's file without its suffix, `file` the database that it reads. */
  constructor(code: URL, file: string) {
    this.#code = code
    this.#file = file
  }

  /** Rejects with HOP_STORE_UNAVAILABLE when the read or its thread fails. */
  ask<N extends keyof R & string>(read: N, ...args: Parameters<R[N]>): Promise<ReturnType<R[N]>> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#asked.set(id, { resolve, reject })
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
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (this.#asked.size === 0) thread.unref()
      if (error === undefined) asked?.resolve(result as never)
      else asked?.reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause: new Error(error) }))
    })
    thread.on('error', (cause) => {
      this.#thread = undefined
      for (const { reject } of this.#asked.values())
        reject(new HopperError('HOP_STORE_UNAVAILABLE', undefined, { cause }))
      this.#asked.clear()
    })
    return thread
  }
}
