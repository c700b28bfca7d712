import { Worker } from 'node:worker_threads'
import type { EncodedChunk } from '@hopper/contracts'
import { newZstdLock, terminateOutsideZstd } from '@hopper/engine'
import { packChunks, type PackedChunk } from './packed-chunk.ts'

/** Merges the chunks of several spans into those of one span. */
export interface SpanMerger {
  merge(chunks: readonly EncodedChunk[]): Promise<readonly EncodedChunk[]>
  close(): Promise<void>
}

/** Reply of the thread. */
export type MergeReply = { readonly merged: readonly PackedChunk[] } | { readonly error: string }

interface PendingMerge {
  readonly resolve: (merged: readonly EncodedChunk[]) => void
  readonly reject: (error: Error) => void
}

/**
 * Merges in a thread of its own with low priority, so that folding continues meanwhile. Runs one merge at a time; the
 * thread starts with the first. When the thread fails, its merge is rejected, and the next merge starts another thread.
 */
export class MergeThread implements SpanMerger {
  #thread: Worker | undefined
  #lock = newZstdLock()
  #pending: PendingMerge | undefined
  #last: Promise<unknown> = Promise.resolve()

  merge(chunks: readonly EncodedChunk[]): Promise<readonly EncodedChunk[]> {
    const merged = this.#last.then(() => this.#request(chunks))
    this.#last = merged.catch(() => undefined)
    return merged
  }

  /** Terminates the thread immediately: a merge in flight is rejected. */
  async close(): Promise<void> {
    const [thread, lock] = [this.#thread, this.#lock]
    this.#fail(new Error('the merge was aborted'))
    if (thread) await terminateOutsideZstd(thread, lock)
  }

  #request(chunks: readonly EncodedChunk[]): Promise<readonly EncodedChunk[]> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      const { message, transfer } = packChunks(chunks)
      this.#thread ??= this.#start()
      this.#thread.postMessage(message, transfer)
    })
  }

  #start(): Worker {
    const fromSources = import.meta.url.endsWith('.ts')
    const workerData = (this.#lock = newZstdLock())
    const thread = new Worker(new URL(`./merge-thread-main.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
      name: 'merge',
      workerData,
      execArgv: ['--disable-warning=ExperimentalWarning', ...(fromSources ? ['--conditions=source'] : [])],
    })
    thread.unref()
    thread.on('message', (reply: MergeReply) => {
      const pending = this.#pending
      this.#pending = undefined
      if ('error' in reply) pending?.reject(new Error(reply.error))
      else pending?.resolve(reply.merged.map(({ summary, cells }) => ({ summary, columns: new Map(cells) })))
    })
    thread.on('error', (error) => {
      if (this.#thread === thread) this.#fail(error as Error)
    })
    thread.on('exit', () => {
      if (this.#thread === thread) this.#fail(new Error('the merge thread has exited'))
    })
    return thread
  }

  #fail(error: Error): void {
    this.#thread = undefined
    this.#pending?.reject(error)
    this.#pending = undefined
  }
}
