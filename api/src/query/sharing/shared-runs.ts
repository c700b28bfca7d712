import type { Progress } from '../pool/query-job.ts'

/** A client that waits for an answer: it receives progress and may leave. */
export interface Client {
  readonly signal: AbortSignal
  /** owner of the share of threads and streams; default: the share of all unnamed callers */
  readonly caller?: string
  /** arrival of the request, by `performance.now()`; default: now */
  readonly arrivedAt?: number
  progress?(progress: Progress): void
}

interface Run<T> {
  readonly answer: Promise<T>
  readonly clients: Set<Client>
  readonly abandoned: AbortController
}

/** Runs equal concurrent work once, and stops it when its last client has left. */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>()

  has(key: string): boolean {
    return this.#runs.has(key)
  }

  /**
   * Joins the run of a key, or starts `work` if there is none. `work` receives its clients as one: a signal that aborts
   * when all have left, the latest arrival, and the progress of all. It also receives a function that detaches the run,
   * so that later clients of the same key start a new one.
   */
  join(key: string, client: Client, work: (all: Client, detach: () => void) => Promise<T>): Promise<T> {
    const run = this.#runs.get(key) ?? this.#start(key, work)
    const { answer, clients, abandoned } = run
    clients.add(client)
    return new Promise((resolve, reject) => {
      const left = (): void => {
        clients.delete(client)
        reject(client.signal.reason as Error)
        if (clients.size > 0) return
        this.#detach(key, run)
        abandoned.abort(client.signal.reason)
      }
      if (client.signal.aborted) return left()
      client.signal.addEventListener('abort', left)
      answer.then(resolve, reject).finally(() => client.signal.removeEventListener('abort', left))
    })
  }

  #start(key: string, work: (all: Client, detach: () => void) => Promise<T>): Run<T> {
    const clients = new Set<Client>()
    const abandoned = new AbortController()
    const { promise: answer, resolve, reject } = Promise.withResolvers<T>()
    // once all clients have left, nobody handles a rejection
    answer.catch(() => undefined)
    const run = { answer, clients, abandoned }
    this.#runs.set(key, run)
    const detach = (): void => this.#detach(key, run)
    const startedAt = performance.now()
    const all: Client = {
      signal: abandoned.signal,
      progress: (progress) => clients.forEach((client) => client.progress?.(progress)),
      get arrivedAt() {
        return Math.max(...[...clients].map(({ arrivedAt = startedAt }) => arrivedAt))
      },
    }
    // the client that starts the run joins it before the work begins
    queueMicrotask(() => void work(all, detach).finally(detach).then(resolve, reject))
    return run
  }

  #detach(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}
