import { Inject, Injectable } from '@nestjs/common'
import { datesBetween, FATE_DAYS, shiftDate, utcDate, type App, type AppFates, type Status } from '@hopper/contracts'
import type { LaneLoss, Registry, Storage, TableReader } from '@hopper/storage'
import { maySee, type Caller } from '../access/caller.ts'
import { Completeness } from '../answers/completeness.ts'
import { compareTexts, sumBy } from '../answers/rows.ts'
import { CLOCK, HEALTH, MODE, READER, REGISTRY, type Clock } from '../tokens.ts'
import { version } from '../version.ts'
import { visibleAudits } from './audits.service.ts'
import { RatesService } from './rates.service.ts'

function lostOf(loss: LaneLoss | undefined): { lost?: { first: number; next: number } } {
  return loss ? { lost: { first: loss.first, next: loss.next } } : {}
}

/**
 * Reports the health of the installation: lanes and engines as a whole, fates over the apps that the caller may see.
 */
@Injectable()
export class StatusService {
  private readonly reader: TableReader
  private readonly registry: Registry
  private readonly health: Storage['health']
  private readonly completeness: Completeness
  private readonly clock: Clock
  private readonly mode: Status['mode']
  private readonly startedAt: number
  private readonly rates: RatesService

  constructor(
    @Inject(READER) reader: TableReader,
    @Inject(REGISTRY) registry: Registry,
    @Inject(HEALTH) health: Storage['health'],
    @Inject(Completeness) completeness: Completeness,
    @Inject(CLOCK) clock: Clock,
    @Inject(MODE) mode: Status['mode'],
    @Inject(RatesService) rates: RatesService,
  ) {
    this.reader = reader
    this.registry = registry
    this.health = health
    this.completeness = completeness
    this.clock = clock
    this.mode = mode
    this.rates = rates
    this.startedAt = clock()
  }

  async status(caller: Caller): Promise<Status> {
    const progress = await this.completeness.progress()
    const { completeTo, ends, done } = progress
    const apps = (await this.registry.apps.list(caller.organization)).filter((app) => maySee(caller, app))
    const [fates, deadLetters, engines, audit, rates, waiting, losses, accepted] = await Promise.all([
      this.fates(apps),
      this.reader.deadLetters(),
      this.health(),
      this.lastAudit(caller, apps),
      this.rates.current(),
      this.completeness.waiting(progress),
      this.completeness.losses(progress),
      this.registry.losses.list(''),
    ])
    const counting = rates.messages()
    return {
      version,
      mode: this.mode,
      started_at: this.startedAt,
      complete_to: completeTo,
      events_per_second: rates.events(apps.map(({ id }) => id)),
      lag: {
        ...waiting,
        seconds: completeTo === null ? null : Math.max(0, this.clock() - completeTo) / 1_000,
        remaining_seconds: waiting.messages === 0 ? 0 : counting > 0 ? waiting.messages / counting : null,
      },
      fates,
      lanes: ends.map((next, lane) => ({
        lane,
        next,
        done: done[lane] ?? 0,
        lag: Math.max(0, next - (done[lane] ?? 0)),
        ...lostOf(losses.find((loss) => loss.lane === lane)),
      })),
      dead_letters: deadLetters,
      engines: engines.map(({ name, healthy, detail }) => ({
        name,
        healthy,
        ...(detail === undefined ? {} : { detail }),
      })),
      ...(audit ? { last_audit: audit } : {}),
      ...(accepted.length > 0 ? { accepted_losses: accepted.map((loss) => ({ ...loss })) } : {}),
    }
  }

  /** Returns the result of the last audit that ended; that of an earlier version before the first one of this. */
  private async lastAudit(caller: Caller, apps: readonly App[]): Promise<Status['last_audit']> {
    const runs = await visibleAudits(this.registry, caller, this.clock())
    const last = runs.find(({ state }) => state === 'finished')
    if (!last) {
      const earlier = await this.registry.audits.get('', 'last')
      return earlier && (earlier.app === undefined || apps.some(({ id }) => id === earlier.app)) ? earlier : undefined
    }
    const { finished_at = last.started_at, app, from, to, differing, repaired, partitions, differing_partitions } = last
    const scope = { ...(app === undefined ? {} : { app }), ...(from && { from }), ...(to && { to }) }
    return { finished_at, ...scope, differing, repaired, partitions, differing_partitions }
  }

  /** Counts the fates of the events of an app by the date on which they were received. */
  async fatesOf({ id }: App): Promise<AppFates> {
    const dates = this.fateDates()
    const rows = await Promise.all(
      dates.map(async (date) => {
        const counted = sumBy(await this.reader.counters('fates_by_date', id, [date]), ({ key }) => key)
        const row = ({ key, counters }: (typeof counted)[number]): AppFates['rows'][number] => ({
          date,
          fate: String(key[0]),
          reason: String(key[1]),
          events: counters[0] ?? 0,
        })
        return counted.map(row).sort((a, b) => compareTexts(a.fate, b.fate) || compareTexts(a.reason, b.reason))
      }),
    )
    return { from: dates[0]!, to: dates.at(-1)!, rows: rows.flat() }
  }

  private fateDates(): string[] {
    const today = utcDate(this.clock())
    return datesBetween(shiftDate(today, 1 - FATE_DAYS), today)
  }

  /** Counts the fates of the events received in the last 30 days (UTC). */
  private async fates(apps: readonly App[]): Promise<Status['fates']> {
    const dates = this.fateDates()
    const rows = await Promise.all(apps.map(({ id }) => this.reader.counters('fates_by_date', id, dates)))
    return sumBy(rows.flat(), ({ key }) => key)
      .map(({ key, counters }) => ({ fate: String(key[0]), reason: String(key[1]), events: counters[0] ?? 0 }))
      .sort((a, b) => compareTexts(a.fate, b.fate) || compareTexts(a.reason, b.reason))
  }
}
