import { availableParallelism } from 'node:os'
import { HopperError } from '@hopper/contracts'
import { JobOver } from './chunk-source.ts'
import type { QueryJob, Task } from './query-job.ts'
import { QueryThreadHandle, type JobHost } from './query-thread-handle.ts'
import { hostsOfParts, partsMaxOf, splitTask } from './split-task.ts'

/** How many threads there are at most, how many of them one app may have, how many jobs may wait, and from how many rows on one is shared by threads. */
export interface PoolBounds {
  readonly threadsMax: number
  readonly threadsPerAppMax: number
  readonly waitingMax: number
  readonly splitRowsMin: number
}

/** A funnel over fewer rows is answered by one thread in about 30 ms out of what it has at hand; another thread costs 3, and reads who the devices belong to once more. */
const SPLIT_ROWS_MIN = 2_000_000

/** One core is for ingest and for the calls themselves; three threads at least, so that a long query in one stops neither its app's others nor other apps'. */
const QUERY_THREADS_MAX = Math.max(3, Math.min(4, availableParallelism() - 1))
/** Every app leaves a thread to the others. */
export const queryBounds: PoolBounds = { threadsMax: QUERY_THREADS_MAX, threadsPerAppMax: QUERY_THREADS_MAX - 1, waitingMax: 64, splitRowsMin: SPLIT_ROWS_MIN }
/** Exports take as long as their clients take: they have threads of their own, and no queue. */
export const exportBounds: PoolBounds = { threadsMax: 3, threadsPerAppMax: 2, waitingMax: 1, splitRowsMin: Infinity }

interface Waiting {
  readonly task: Task
  start(threads: readonly QueryThreadHandle[]): void
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
        reject(new HopperError('HOP_QUERY_TIMEOUT', 'The query waited for others until its time limit; ask again.'))
      }
      const aborted = (): void => {
        leave()
        reject(gone())
      }
      const start = (threads: readonly QueryThreadHandle[]): void => {
        leave()
        this.#runParts(threads, task, host, until - performance.now(), signal).then(resolve, reject)
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

  /** threads at work, and tasks that wait for one */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#busy.size, waiting: this.#waiting.size }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  /** Every part is over when this is; one that fails stops the others. */
  async #runParts(threads: readonly QueryThreadHandle[], task: Task, host: JobHost, limitMs: number, signal: AbortSignal): Promise<unknown> {
    const given = { ...task, limitMs, stop: new SharedArrayBuffer(4) }
    const jobs = splitTask(task, threads.length).map((part): QueryJob => ({ ...given, ...part }))
    const hosts = hostsOfParts(host, task, threads.length)
    const stop = (): void => jobs.forEach((job, i) => threads[i]!.stop(job))
    const failures: unknown[] = []
    signal.addEventListener('abort', stop)
    const results = await Promise.all(jobs.map((job, i) => this.#run(threads[i]!, job, hosts[i]!).catch((error: unknown) => {
      failures.push(error)
      stop()
    })))
    signal.removeEventListener('abort', stop)
    if (failures.length === 0) return results[0]
    // A part is over, too, because another has failed.
    throw failures.find((error) => !(error instanceof JobOver)) ?? failures[0]
  }

  async #run(thread: QueryThreadHandle, job: QueryJob, host: JobHost): Promise<unknown> {
    try {
      return await thread.run(job, host)
    } finally {
      this.#busy.delete(thread)
      if (thread.ended) this.#threads.delete(thread)
      this.#next()
    }
  }

  /** Starts the first that may start. When no other waits, it is helped by the threads that its app may have besides. */
  #next(): void {
    for (const waiting of this.#waiting) {
      const { task } = waiting
      const partsMax = this.#waiting.size > 1 ? 1 : partsMaxOf(task, this.#bounds.splitRowsMin)
      const threads: QueryThreadHandle[] = []
      while (threads.length < partsMax && this.#busyFor(task.app) < this.#bounds.threadsPerAppMax) {
        const thread = this.#free(task.app)
        if (!thread) break
        this.#busy.set(thread, task.app)
        threads.push(thread)
      }
      if (threads.length > 0) waiting.start(threads)
    }
  }

  #busyFor(app: string): number {
    return [...this.#busy.values()].filter((other) => other === app).length
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
