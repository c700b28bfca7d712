import type { Progress } from './query-job.ts'

/** Who waits for an answer: told how far it is, and may leave. */
export interface Client {
  readonly signal: AbortSignal
  progress?(progress: Progress): void
}

interface Run<T> {
  readonly answer: Promise<T>
  readonly clients: Set<Client>
  readonly abandoned: AbortController
}

/** Lets equal work that is asked for at the same time run once. It is stopped when the last that waits for it has left. */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>()

  /** `work` begins when no other of this key is under way; it gets the signal that all have left, and whom to tell its progress. */
  join(key: string, client: Client, work: (all: Client) => Promise<T>): Promise<T> {
    let run = this.#runs.get(key)
    if (!run) this.#runs.set(key, (run = this.#start(key, work)))
    const { answer, clients, abandoned } = run
    clients.add(client)
    return new Promise((resolve, reject) => {
      const left = (): void => {
        clients.delete(client)
        reject(client.signal.reason as Error)
        if (clients.size > 0) return
        this.#runs.delete(key)
        abandoned.abort(client.signal.reason)
      }
      if (client.signal.aborted) return left()
      client.signal.addEventListener('abort', left)
      answer.then(resolve, reject).finally(() => client.signal.removeEventListener('abort', left))
    })
  }

  #start(key: string, work: (all: Client) => Promise<T>): Run<T> {
    const clients = new Set<Client>()
    const abandoned = new AbortController()
    const answer = work({ signal: abandoned.signal, progress: (progress) => clients.forEach((client) => client.progress?.(progress)) })
    const run = { answer, clients, abandoned }
    const over = (): void => void (this.#runs.get(key) === run && this.#runs.delete(key))
    answer.then(over, over)
    return run
  }
}
