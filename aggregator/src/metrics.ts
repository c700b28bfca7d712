import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { WrittenOut } from '@hopper/storage'
import type { Merged } from './merge/lane-merges.ts'
import type { Applied } from './lane/lane-pass.ts'

/** Memory of the parts of the aggregator, in bytes. */
export interface MemoryUse {
  readonly total: number
  readonly resident: number
  readonly rows: number
  readonly messages: number
  readonly seen: number
  readonly identified: number
}

/** Prometheus metrics of the aggregator. */
export class AggregatorMetrics {
  readonly #events: Counter
  readonly #deadLetters: Counter
  readonly #failures: Counter
  readonly #seconds: Histogram
  readonly #position: Gauge
  readonly #mergedSpans: Counter
  readonly #mergedEvents: Counter
  readonly #writtenOutRows: Counter

  /**
   * `lags` returns the lag of each lane, `memory` the bytes of each part, `overSeconds` how long memory has exceeded
   * its budget. They are called when the metrics are read.
   */
  constructor(
    registry: Registry,
    lags: () => Promise<ReadonlyMap<number, number>>,
    memory: () => MemoryUse,
    overSeconds: () => number,
  ) {
    const registers = [registry]
    this.#events = new Counter({
      name: 'hopper_aggregator_events_total',
      help: 'Events by what became of them',
      labelNames: ['fate', 'reason'],
      registers,
    })
    this.#deadLetters = new Counter({
      name: 'hopper_aggregator_dead_letters_total',
      help: 'Messages that could not be counted',
      labelNames: ['reason'],
      registers,
    })
    this.#failures = new Counter({
      name: 'hopper_aggregator_failed_batches_total',
      help: 'Batches that will be delivered again',
      registers,
    })
    this.#seconds = new Histogram({
      name: 'hopper_aggregator_batch_seconds',
      help: 'Time of a batch from the log to the tables',
      registers,
    })
    this.#position = new Gauge({
      name: 'hopper_aggregator_position',
      help: 'The next position of each lane',
      labelNames: ['lane'],
      registers,
    })
    this.#mergedSpans = new Counter({
      name: 'hopper_aggregator_merged_spans_total',
      help: 'Spans of the archive that were replaced by merged ones',
      registers,
    })
    this.#mergedEvents = new Counter({
      name: 'hopper_aggregator_merged_events_total',
      help: 'Events that were rewritten by merging',
      registers,
    })
    this.#writtenOutRows = new Counter({
      name: 'hopper_aggregator_written_out_rows_total',
      help: 'Packed rows of visitors that have been written out as rows',
      registers,
    })
    new Gauge({
      name: 'hopper_aggregator_memory_budget_bytes',
      help: 'Bytes of memory that the aggregator may use',
      registers,
      collect() {
        this.set(memory().total)
      },
    })
    new Gauge({
      name: 'hopper_aggregator_memory_bytes',
      help: 'Bytes of memory that the aggregator uses; resident is all of it',
      labelNames: ['part'],
      registers,
      collect() {
        for (const [part, bytes] of Object.entries<number>({ ...memory() }))
          if (part !== 'total') this.set({ part }, bytes)
      },
    })
    new Gauge({
      name: 'hopper_aggregator_memory_over_seconds',
      registers,
      help: 'Seconds for which more memory has been in use than HOPPER_MEMORY_MB allows; 0 while it is not',
      collect() {
        this.set(overSeconds())
      },
    })
    new Gauge({
      name: 'hopper_aggregator_lag',
      help: 'Messages of each lane that are not counted yet',
      labelNames: ['lane'],
      registers,
      async collect() {
        this.reset()
        for (const [lane, lag] of await lags()) this.set({ lane }, lag)
      },
    })
  }

  applied(lane: number, { verdicts, deadLetters }: Applied, position: number, seconds: number): void {
    for (const { fate, reason, count } of verdicts) this.#events.inc({ fate, reason }, count)
    for (const { reason } of deadLetters) this.#deadLetters.inc({ reason })
    this.#seconds.observe(seconds)
    this.#position.set({ lane }, position)
  }

  merged({ spans, rows }: Merged): void {
    this.#mergedSpans.inc(spans)
    this.#mergedEvents.inc(rows)
  }

  wroteOut({ rows }: WrittenOut): void {
    this.#writtenOutRows.inc(rows)
  }

  failed(): void {
    this.#failures.inc()
  }
}
