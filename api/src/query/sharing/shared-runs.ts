import type { Progress } from '../pool/query-job.ts'

/** Who waits for an answer: told how far it is, and may leave. */
export interface Client {
  readonly signal: AbortSignal
  /** whose share of threads and streams it is; default: everybody's who has no name */
  readonly caller?: string
  /** when the request came, on the clock of `performance.now()`; default: now */
  readonly arrivedAt?: number
  progress?(progress: Progress): void
}

interface Run<T> {
  readonly answer: Promise<T>
  readonly clients: Set<Client>
  readonly abandoned: AbortController
}

/**
 * Lets equal work that is asked for at the same time run once. It is stopped when the last that waits for it has left.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>()

  has(key: string): boolean {
    return this.#runs.has(key)
  }

  /**
   * `work` begins when no other of this key is under way. It gets all who wait for it as one: the signal that all have
   * left, when the last of them came, whom to tell its progress; and a function after which whoever asks for the same
   * begins anew.
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
    // when everybody has left, nobody looks at how it ends
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
    // whoever starts it is one of its clients before the work begins
    queueMicrotask(() => void work(all, detach).finally(detach).then(resolve, reject))
    return run
  }

  #detach(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}
