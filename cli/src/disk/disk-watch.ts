import { randomUUID } from 'node:crypto'
import {
  PLACE_KEPT_MS,
  PLACES_MAX,
  forecastDisk,
  usedBytes,
  withMeasurement,
  type DiskRecord,
  type DiskUse,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { Logger } from 'pino'
import { Gauge, type Registry as Metrics } from 'prom-client'

const INTERVAL_MS = 60_000
/** The pause is at least this many times the duration of a measurement: a large directory is measured less often. */
const PAUSE_FACTOR = 50
const CLAIM_MS = 60_000

interface Watched {
  readonly registry: Pick<Registry, 'disks' | 'claims'>
  /** the name of the place; processes that see the same disk use the same name */
  readonly place: string
  readonly measure: () => Promise<DiskUse>
  readonly metrics: Metrics
  readonly logger: Pick<Logger, 'warn'>
  readonly clock?: () => number
}

/**
 * Measures a place on a disk every minute, stores the result with samples of the days before, and shows it in the
 * metrics. Of processes that see the same place one stores it at a time.
 */
export class DiskWatch {
  readonly #watched: Watched
  readonly #clock: () => number
  readonly #holder = randomUUID()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #record: DiskRecord | undefined
  #measuring: Promise<void> | undefined
  #hasFailed = false

  constructor(watched: Watched) {
    this.#watched = watched
    this.#clock = watched.clock ?? Date.now
    this.#register()
    this.#measureAgain()
  }

  /** Measures now; a second call joins the first. Never rejects: a measurement that fails is logged once. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure()
      .then(() => void (this.#hasFailed = false))
      .catch((err: unknown) => {
        if (!this.#hasFailed) this.#watched.logger.warn({ err }, 'the use of the disk could not be measured')
        this.#hasFailed = true
      })
      .finally(() => (this.#measuring = undefined))
    return this.#measuring
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#measuring
  }

  #measureAgain(): void {
    const begun = performance.now()
    void this.measure().then(() => {
      if (this.#isClosed) return
      const pauseMs = Math.max(INTERVAL_MS, PAUSE_FACTOR * (performance.now() - begun))
      this.#timer = setTimeout(() => this.#measureAgain(), pauseMs).unref()
    })
  }

  async #measure(): Promise<void> {
    const { registry, place, measure } = this.#watched
    const claim = `disk ${place}`
    if (!(await registry.claims.claim(claim, this.#holder, CLAIM_MS))) {
      this.#record = await registry.disks.get('', place)
      return
    }
    try {
      const now = this.#clock()
      const record = withMeasurement(await registry.disks.get('', place), place, await measure(), now)
      await registry.disks.put('', place, record)
      this.#record = record
      await this.#forgetGone(now)
    } finally {
      await registry.claims.release(claim, this.#holder)
    }
  }

  /** Removes the places of processes that are gone, and the oldest of too many. */
  async #forgetGone(now: number): Promise<void> {
    const { disks } = this.#watched.registry
    const oldestFirst = [...(await disks.list(''))].sort((a, b) => a.measured_at - b.measured_at)
    const surplus = oldestFirst.length - PLACES_MAX
    for (const [n, { place, measured_at }] of oldestFirst.entries())
      if (n < surplus || now - measured_at > PLACE_KEPT_MS) await disks.remove('', place)
  }

  #register(): void {
    const { metrics, place } = this.#watched
    const gauge = <L extends string>(
      name: string,
      help: string,
      labels: L[],
      collect: (gauge: Gauge<L>) => void,
    ): void =>
      void new Gauge<L>({
        name,
        help,
        labelNames: labels,
        registers: [metrics],
        collect() {
          this.reset()
          collect(this)
        },
      })
    gauge('hopper_disk_bytes', 'Bytes that Hopper uses on the disk, by part', ['place', 'part'], (metric) => {
      for (const { part, bytes } of this.#record?.parts ?? []) metric.set({ place, part }, bytes)
    })
    gauge('hopper_disk_used_bytes', 'Bytes that Hopper uses on the disk', ['place'], (metric) => {
      if (this.#record) metric.set({ place }, usedBytes(this.#record))
    })
    gauge('hopper_disk_free_bytes', 'Free bytes on the disk', ['place'], (metric) => {
      if (this.#record?.free !== undefined) metric.set({ place }, this.#record.free)
    })
    gauge(
      'hopper_disk_full_seconds',
      'Seconds until the disk is full; absent if not known or not growing',
      ['place'],
      (metric) => {
        const { fullInMs } = this.#record ? forecastDisk(this.#record) : { fullInMs: null }
        if (fullInMs !== null) metric.set({ place }, fullInMs / 1_000)
      },
    )
    gauge('hopper_disk_low', '1 if the disk needs attention (docs/operating.md)', ['place'], (metric) => {
      if (this.#record) metric.set({ place }, forecastDisk(this.#record).isLow ? 1 : 0)
    })
  }
}
