import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { PartHealth } from '@hopper/storage'
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

/** Requests to the thread. */
export interface AggregatorAnswers {
  readonly metrics: readonly MetricObject[]
  readonly health: readonly PartHealth[]
}

/** Messages to the thread. */
export type ToAggregator = 'close' | keyof AggregatorAnswers
export type FromAggregator = 'ready' | Partial<AggregatorAnswers>

/** The thread may be inside a long fold: after this time, a request for its health gets the last known one. */
const HEALTH_MS_MAX = 1_000

/** Runs the aggregator in its own thread, so that folding never delays a request. */
export class AggregatorThread {
  readonly #worker: Worker
  readonly #ended: Promise<undefined>
  #closing = false
  /** questions that the thread has not answered yet */
  readonly #pendingMetrics = new Map<keyof AggregatorAnswers, Promise<FromAggregator | undefined>>()
  #health: readonly PartHealth[] = []
  /** Resolves with an error when the thread ends without having been asked to. */
  readonly failed: Promise<Error>

  private constructor(options: AggregatorThreadOptions) {
    const fromSources = import.meta.url.endsWith('.ts')
    this.#worker = new Worker(new URL(`./aggregator-thread-main.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
      workerData: options,
      name: 'aggregator',
      ...(fromSources && { execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] }),
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

  /** Returns the metrics of the thread in prom-client's JSON format; none when it has ended. */
  async metrics(): Promise<readonly MetricObject[]> {
    return (await this.#requestMetrics('metrics')) ?? []
  }

  /** Returns the state of the thread's memory, and what of its storage is not healthy. */
  async health(): Promise<readonly PartHealth[]> {
    const answer = await Promise.race([this.#requestMetrics('health'), pause(HEALTH_MS_MAX, undefined, { ref: false })])
    return (this.#health = answer ?? this.#health)
  }

  /** Sends a request to the thread; undefined when it has ended. Concurrent calls share one response. */
  async #requestMetrics<Q extends keyof AggregatorAnswers>(question: Q): Promise<AggregatorAnswers[Q] | undefined> {
    let asking = this.#pendingMetrics.get(question)
    if (!asking) {
      asking = this.#answer(question).finally(() => this.#pendingMetrics.delete(question))
      this.#pendingMetrics.set(question, asking)
    }
    const answer = await asking
    return answer === undefined || answer === 'ready' ? undefined : answer[question]
  }

  #answer(question: keyof AggregatorAnswers): Promise<FromAggregator | undefined> {
    const { promise, resolve } = Promise.withResolvers<FromAggregator | undefined>()
    const onMessage = (message: FromAggregator): void => {
      if (message !== 'ready' && question in message) resolve(message)
    }
    this.#worker.on('message', onMessage)
    void this.#ended.then(resolve)
    this.#worker.postMessage(question satisfies ToAggregator)
    return promise.finally(() => this.#worker.off('message', onMessage))
  }

  /** Finishes the batches in flight and ends the thread. */
  async close(): Promise<void> {
    this.#closing = true
    this.#worker.postMessage('close' satisfies ToAggregator)
    await this.#ended
  }
}
