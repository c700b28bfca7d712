import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, receivedBytes, receivedFrom, usageId, utcDate, type App, type Usage } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'

const APPS_MAX = 10_000
/** After this time, the counts of other processes are read again, and those of this process are stored. */
const READ_INTERVAL_MS = 10_000
const STORE_INTERVAL_MS = 10_000
/** Maximum time that a request waits for the registry; after it, the request is judged by the known counts. */
const PATIENCE_MS = 1_000
const CLOSE_MS_MAX = 2_000
const WRITE_CONCURRENCY = 16
const RETRY_AFTER_SECONDS = 300
const LOG_INTERVAL_MS = 600_000

type Day = Pick<Usage, 'date' | 'bytes' | 'events'>

interface Others {
  readonly usages: readonly Usage[]
  readonly readAt: number
}

/** Pauses in ms, which tests shorten. */
export interface QuotaPauses {
  readonly readEveryMs: number
  readonly storeEveryMs: number
}

/**
 * Counts the bytes that each app sends, and refuses more than its quota. Every few seconds, each process stores its own
 * count and reads those of others. So several processes together may exceed a quota by the bytes they receive in twice
 * that time, and the bytes that a killed process had not stored yet do not count.
 */
export class Quotas {
  readonly #registry: Pick<Registry, 'usages'>
  readonly #logger: Pick<FastifyBaseLogger, 'info' | 'error'>
  readonly #process = randomUUID()
  readonly #readEveryMs: number
  readonly #own = new Map<string, Map<string, Day>>()
  readonly #unstored = new Map<string, Usage>()
  readonly #others = new LRUCache<string, Others>({ max: APPS_MAX })
  readonly #reading = new Map<string, Promise<void>>()
  readonly #saidAt = new LRUCache<string, number>({ max: APPS_MAX })
  readonly #storing: NodeJS.Timeout
  #isStoring = false

  constructor(
    registry: Pick<Registry, 'usages'>,
    logger: Pick<FastifyBaseLogger, 'info' | 'error'>,
    { readEveryMs, storeEveryMs }: QuotaPauses = { readEveryMs: READ_INTERVAL_MS, storeEveryMs: STORE_INTERVAL_MS },
  ) {
    this.#registry = registry
    this.#logger = logger
    this.#readEveryMs = readEveryMs
    this.#storing = setInterval(() => void this.#store(), storeEveryMs)
    this.#storing.unref()
  }

  /** @throws HopperError HOP_QUOTA if the app has received its quota */
  async assertRoom(app: App): Promise<void> {
    const { quota_bytes: quota } = app
    if (quota === undefined || quota === null) return
    const others = await this.#othersOf(app)
    if (receivedBytes(app, [...others, ...(this.#own.get(app.id)?.values() ?? [])]) < quota) return
    this.#say(app.id, quota)
    throw new HopperError('HOP_QUOTA', `The app has received its quota of ${quota} bytes.`, {
      details: { quota_bytes: quota, retry_after: RETRY_AFTER_SECONDS },
    })
  }

  /** Adds the bytes that were stored for an app. */
  add({ id }: Pick<App, 'id'>, { bytes, events }: Pick<Usage, 'bytes' | 'events'>, receivedAt: number): void {
    const date = utcDate(receivedAt)
    const days = this.#own.get(id) ?? new Map<string, Day>()
    this.#own.set(id, days)
    const known = days.get(date)
    const day = { date, bytes: (known?.bytes ?? 0) + bytes, events: (known?.events ?? 0) + events }
    days.set(date, day)
    this.#unstored.set(`${id} ${date}`, { app: id, process: this.#process, ...day })
  }

  /** Stores the counts that are not stored yet, as far as that is possible in a short time. */
  async close(): Promise<void> {
    clearInterval(this.#storing)
    await Promise.race([this.#store(), pause(CLOSE_MS_MAX, undefined, { ref: false })])
  }

  async #othersOf(app: App): Promise<readonly Usage[]> {
    const known = this.#others.get(app.id)
    if (!known || performance.now() - known.readAt > this.#readEveryMs) {
      const reading = this.#read(app)
      if (!known) await Promise.race([reading, pause(PATIENCE_MS, undefined, { ref: false })])
      // only the first request waits
      if (!this.#others.has(app.id)) this.#know(app.id, [])
    }
    return this.#others.get(app.id)?.usages ?? []
  }

  /** Reads the counts of an app by other processes, and removes expired ones. */
  #read(app: App): Promise<void> {
    const reading = this.#reading.get(app.id)
    if (reading) return reading
    const read = async (): Promise<void> => {
      const all = await this.#registry.usages.list(app.id)
      const usages = all.filter((usage) => usage.process !== this.#process)
      this.#know(app.id, usages)
      const from = receivedFrom(app)
      for (const usage of usages.filter(({ date }) => date < from))
        await this.#registry.usages.remove(app.id, usageId(usage))
    }
    // the known counts hold while the registry does not answer
    const done = read()
      .catch(() => this.#know(app.id, this.#others.get(app.id)?.usages ?? []))
      .finally(() => this.#reading.delete(app.id))
    this.#reading.set(app.id, done)
    return done
  }

  #know(app: string, usages: readonly Usage[]): void {
    this.#others.set(app, { usages, readAt: performance.now() })
  }

  async #store(): Promise<void> {
    if (this.#isStoring) return
    this.#isStoring = true
    const usages = [...this.#unstored]
    for (let start = 0; start < usages.length; start += WRITE_CONCURRENCY)
      await Promise.all(usages.slice(start, start + WRITE_CONCURRENCY).map((each) => this.#storeOne(...each)))
    this.#isStoring = false
  }

  async #storeOne(key: string, usage: Usage): Promise<void> {
    try {
      await this.#registry.usages.put(usage.app, usageId(usage), usage)
      if (this.#unstored.get(key) === usage) this.#unstored.delete(key)
    } catch (err) {
      this.#logger.info({ err }, 'what an app has received is not stored yet; it is tried again')
    }
  }

  /** Logs that an app is refused, once in ten minutes: its owner or the operator must act. */
  #say(app: string, quotaBytes: number): void {
    const now = performance.now()
    if (now - (this.#saidAt.get(app) ?? -Infinity) < LOG_INTERVAL_MS) return
    this.#saidAt.set(app, now)
    this.#logger.error(
      { app, quotaBytes },
      'events of an app are refused: it has received its quota; raise quota_bytes, or lower retention_days',
    )
  }
}
