import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { MetricObject } from 'prom-client'
import type { LogLevel } from '../config/settings.ts'

/** The start options of the thread. */
export interface AggregatorThreadOptions {
  readonly dir: string
  readonly lanes: number
  readonly watermarkCheck: boolean
  readonly logLevel: LogLevel
  /** memory limit of the thread; 0 for a share of the available memory */
  readonly memoryMb: number
}

/** Messages to the thread. */
export type ToAggregator = 'close' | 'metrics'
export type FromAggregator = 'ready' | { readonly metrics: readonly MetricObject[] }

/** Runs the aggregator in its own thread, so that folding never delays a request. */
export class AggregatorThread {
  readonly #worker: Worker
  readonly #ended: Promise<undefined>
  #closing = false
  #asking: Promise<readonly MetricObject[]> | undefined
  /** Resolves with an error when the thread ends without having been asked to. */
  readonly failed: Promise<Error>

  private constructor(options: AggregatorThreadOptions) {
    this.#worker = new Worker(new URL('./aggregator-thread-main.js', import.meta.url), {
      workerData: options,
      name: 'aggregator',
    })
    this.#ended = new Promise((resolve) => this.#worker.on('exit', () => resolve(undefined)))
    this.failed = new Promise((resolve) => {
      this.#worker.on('error', (cause) => resolve(new Error('the aggregator thread has failed', { cause })))
      this.#worker.on('exit', (code) => {
        if (!this.#closing) resolve(new Error(`the aggregator thread has ended with code ${code}`))
      })
    })
  }

  /** Resolves when the thread counts. */
  static async start(options: AggregatorThreadOptions): Promise<AggregatorThread> {
    const thread = new AggregatorThread(options)
    const outcome = await Promise.race([once(thread.#worker, 'message'), thread.failed])
    if (outcome instanceof Error) throw outcome
    return thread
  }

  /**
   * Returns the metrics of the thread in prom-client's JSON format; none when it has ended. Concurrent calls share one
   * answer.
   */
  metrics(): Promise<readonly MetricObject[]> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<readonly MetricObject[]> {
    const answered = once(this.#worker, 'message') as Promise<[FromAggregator]>
    this.#worker.postMessage('metrics' satisfies ToAggregator)
    const [message] = (await Promise.race([answered, this.#ended])) ?? []
    return message === undefined || message === 'ready' ? [] : message.metrics
  }

  /** Finishes the batches in flight and ends the thread. */
  async close(): Promise<void> {
    this.#closing = true
    this.#worker.postMessage('close' satisfies ToAggregator)
    await this.#ended
  }
}
