import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import { datesBetween, shiftDate } from '@hopper/contracts'
import type { Lanes, Registry, TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import { EventRates } from '../answers/event-rates.ts'
import { CLOCK, LANES, LOGGER, READER, REGISTRY, type Clock } from '../tokens.ts'

const SAMPLE_INTERVAL_MS = 5_000
/** number of recent dates (UTC) whose totals may still grow */
const DATES = 3
const APPS_CONCURRENCY = 8

type Totals = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * Samples the rate of events continuously, even without requests. It reads the tables, so that every api process of a
 * cluster reports the same rate; while nothing is counted it reads none of them.
 */
@Injectable()
export class RatesService implements OnModuleInit, OnModuleDestroy {
  private readonly reader: TableReader
  private readonly registry: Registry
  private readonly lanes: Lanes
  private readonly logger: Logger
  private readonly clock: Clock
  private readonly rates = new EventRates()
  private timer: NodeJS.Timeout | undefined
  private sampling: Promise<void> | undefined
  private seen: { readonly positions: string; readonly events: Totals } | undefined

  constructor(
    @Inject(READER) reader: TableReader,
    @Inject(REGISTRY) registry: Registry,
    @Inject(LANES) lanes: Lanes,
    @Inject(LOGGER) logger: Logger,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.reader = reader
    this.registry = registry
    this.lanes = lanes
    this.logger = logger
    this.clock = clock
  }

  onModuleInit(): void {
    const sample = (): void =>
      void this.sample().catch((err: unknown) => this.logger.debug({ err }, 'the rate of events could not be read'))
    sample()
    this.timer = setInterval(sample, SAMPLE_INTERVAL_MS).unref()
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer)
    await this.sampling?.catch(() => undefined)
  }

  /** Returns the current rates. */
  async current(): Promise<EventRates> {
    // a sample in progress may have begun before the changes that this caller knows of
    await this.sampling?.catch(() => undefined)
    await this.sample(true)
    return this.rates
  }

  /**
   * Takes a sample. `always` reads the tables even if no lane has advanced, since positions lag slightly behind the
   * tables.
   */
  private sample(always = false): Promise<void> {
    return (this.sampling ??= this.read(always).finally(() => (this.sampling = undefined)))
  }

  private async read(always: boolean): Promise<void> {
    const at = this.clock()
    const positions = await this.lanes.positions()
    const events = await this.totals(at, positions.join(), always)
    this.rates.add({ at, events, messages: positions.reduce((sum, position) => sum + position, 0) })
  }

  private async totals(at: number, positions: string, always: boolean): Promise<Totals> {
    const today = new Date(at).toISOString().slice(0, 10)
    const key = `${today} ${positions}`
    if (!always && this.seen?.positions === key) return this.seen.events
    const dates = datesBetween(shiftDate(today, 1 - DATES), today)
    const apps = await this.registry.apps.list()
    const events = new Map<string, ReadonlyMap<string, number>>()
    for (let first = 0; first < apps.length; first += APPS_CONCURRENCY) {
      await Promise.all(
        apps.slice(first, first + APPS_CONCURRENCY).map(async ({ id }) => {
          const rows = await this.reader.counters('fates_by_date', id, dates)
          const byDate = new Map<string, number>()
          for (const { date, counters } of rows) byDate.set(date, (byDate.get(date) ?? 0) + (counters[0] ?? 0))
          events.set(id, byDate)
        }),
      )
    }
    this.seen = { positions: key, events }
    return events
  }
}
