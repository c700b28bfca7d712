import { availableParallelism } from 'node:os'
import { HopperError } from '@hopper/contracts'
import type { QueryJob } from './query-job.ts'
import { QueryThreadHandle, type JobHost } from './query-thread-handle.ts'

/** How many threads there are at most, how many of them one app may have, and how many jobs may wait. */
export interface PoolBounds {
  readonly threadsMax: number
  readonly threadsPerAppMax: number
  readonly waitingMax: number
}

/** One core is for ingest and for the calls themselves; three threads at least, so that one long query stops neither its app's others nor other apps'. */
const QUERY_THREADS_MAX = Math.max(3, Math.min(4, availableParallelism() - 1))
/** Every app leaves a thread to the others. */
export const queryBounds: PoolBounds = { threadsMax: QUERY_THREADS_MAX, threadsPerAppMax: QUERY_THREADS_MAX - 1, waitingMax: 64 }
/** Exports take as long as their clients take: they have threads of their own, and no queue. */
export const exportBounds: PoolBounds = { threadsMax: 3, threadsPerAppMax: 2, waitingMax: 1 }

/** What a job is without its time and its stop, which the pool gives it. */
export type Task = Omit<QueryJob, 'limitMs' | 'stop'>

interface Waiting {
  readonly task: Task
  start(thread: QueryThreadHandle): void
}

/** The threads of queries: a bounded number of jobs at once and waiting, in order, none of the threads' apps shutting out another. */
export class QueryPool {
  readonly #bounds: PoolBounds
  readonly #threads = new Set<QueryThreadHandle>()
  readonly #busy = new Map<QueryThreadHandle, string>()
  readonly #waiting = new Set<Waiting>()

  constructor(bounds: PoolBounds) {
    this.#bounds = bounds
  }

  /**
   * @param limitMs of the whole time, waiting included
   * @throws HopperError HOP_QUERY_TIMEOUT when the limit has passed, HOP_QUERY_BUSY when too many wait
   */
  run(task: Task, host: JobHost, limitMs: number, signal: AbortSignal): Promise<unknown> {
    if (this.#waiting.size >= this.#bounds.waitingMax) return Promise.reject(new HopperError('HOP_QUERY_BUSY', undefined, { details: { waiting_max: this.#bounds.waitingMax } }))
    const until = performance.now() + limitMs
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', aborted)
        this.#waiting.delete(waiting)
      }
      const late = (): void => {
        leave()
        reject(new HopperError('HOP_QUERY_TIMEOUT', 'It waited for others all the time.'))
      }
      const aborted = (): void => {
        leave()
        reject(gone())
      }
      const start = (thread: QueryThreadHandle): void => {
        leave()
        this.#run(thread, task, host, until - performance.now(), signal).then(resolve, reject)
      }
      const waiting: Waiting = { task, start }
      const timer = setTimeout(late, limitMs)
      signal.addEventListener('abort', aborted)
      this.#waiting.add(waiting)
      if (signal.aborted) aborted()
      else if (limitMs <= 0) late()
      else this.#next()
    })
  }

  /** jobs under way, and those that wait for a thread */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#busy.size, waiting: this.#waiting.size }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  async #run(thread: QueryThreadHandle, task: Task, host: JobHost, limitMs: number, signal: AbortSignal): Promise<unknown> {
    const job = { ...task, limitMs, stop: new SharedArrayBuffer(4) }
    const stop = (): void => thread.stop(job)
    signal.addEventListener('abort', stop)
    try {
      return await thread.run(job, host)
    } finally {
      signal.removeEventListener('abort', stop)
      this.#busy.delete(thread)
      if (thread.ended) this.#threads.delete(thread)
      this.#next()
    }
  }

  /** Starts the first that may start. */
  #next(): void {
    for (const waiting of this.#waiting) {
      const { app } = waiting.task
      if ([...this.#busy.values()].filter((other) => other === app).length >= this.#bounds.threadsPerAppMax) continue
      const thread = this.#free(app)
      if (!thread) return
      this.#busy.set(thread, app)
      waiting.start(thread)
    }
  }

  /** A thread that has worked for this app knows its columns. */
  #free(app: string): QueryThreadHandle | undefined {
    const free = [...this.#threads].filter((thread) => !this.#busy.has(thread) && !thread.ended)
    const known = free.find((thread) => thread.app === app)
    if (known) return known
    if (this.#threads.size >= this.#bounds.threadsMax) return free[0]
    const thread = new QueryThreadHandle()
    this.#threads.add(thread)
    return thread
  }
}

/** What a query ends with whose client has gone; nobody reads it. */
export function gone(): HopperError {
  return new HopperError('HOP_QUERY_TIMEOUT', 'The client went away.')
}
