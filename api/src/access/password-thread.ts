import { Worker } from 'node:worker_threads'

/** The input of one hash. */
export interface DeriveRequest {
  readonly password: string
  readonly salt: Uint8Array
  readonly bytes: number
}
export type DeriveReply = { readonly hash: Uint8Array } | { readonly error: string }

interface PendingHash {
  resolve(hash: Buffer): void
  reject(error: Error): void
}

/**
 * Hashes passwords one at a time in a low-priority thread. The thread starts with the first request; after a failure
 * the next request starts a new one.
 */
export class PasswordThread {
  #worker: Worker | undefined
  /** in request order; replies come in the same order */
  #pending: PendingHash[] = []

  /** pending requests */
  get pending(): number {
    return this.#pending.length
  }

  derive(request: DeriveRequest): Promise<Buffer> {
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      worker.ref()
      worker.postMessage(request)
    })
  }

  #start(): Worker {
    const fromSources = import.meta.url.endsWith('.ts')
    const worker = new Worker(new URL(`./password-thread-main.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
      name: 'password',
      execArgv: ['--disable-warning=ExperimentalWarning', ...(fromSources ? ['--conditions=source'] : [])],
    })
    worker.unref()
    worker.on('message', (reply: DeriveReply) => {
      const pending = this.#pending.shift()
      if (this.#pending.length === 0) worker.unref()
      if ('hash' in reply) pending?.resolve(Buffer.from(reply.hash))
      else pending?.reject(new Error(reply.error))
    })
    worker.on('error', (error) => this.#fail(worker, error as Error))
    worker.on('exit', () => this.#fail(worker, new Error('the thread that hashes passwords has ended')))
    return worker
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const pending of this.#pending.splice(0)) pending.reject(error)
  }
}
