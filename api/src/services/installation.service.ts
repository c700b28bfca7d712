import { Inject, Injectable } from '@nestjs/common'
import {
  PLACES_MAX,
  PLACE_KEPT_MS,
  PROCESSES_MAX,
  PROCESS_KEPT_MS,
  REFUSAL_DAYS,
  diskPlaceView,
  shiftDate,
  utcDate,
  type Disk,
  type Processes,
  type Refusal,
  type Refusals,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { maySee, type Caller } from '../access/caller.ts'
import { compareTexts } from '../answers/rows.ts'
import { CLOCK, REGISTRY, type Clock } from '../tokens.ts'

/** Rows of refusals in an answer; the newest remain. */
const REFUSALS_MAX = 500

/** Facts about the installation that its processes have stored: the disk they use, and what ingest refused. */
@Injectable()
export class InstallationService {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  async disk(): Promise<Disk> {
    const now = this.clock()
    const places = await this.registry.disks.list('')
    const present = places.filter(({ measured_at }) => now - measured_at <= PLACE_KEPT_MS)
    return { places: present.slice(0, PLACES_MAX).map(diskPlaceView) }
  }

  /** Lists the processes that were seen in the last week, with their last problems. */
  async processes(): Promise<Processes> {
    const now = this.clock()
    const seen = (await this.registry.processes.list('')).filter(({ seen_at }) => now - seen_at <= PROCESS_KEPT_MS)
    return { processes: [...seen].sort((a, b) => b.seen_at - a.seen_at).slice(0, PROCESSES_MAX) }
  }

  /**
   * Lists refused requests of the caller's apps. A request with an unknown key is shown to the organization that lists
   * its origin for an app, or always if there is just one organization.
   */
  async refusals(caller: Caller): Promise<Refusals> {
    const from = shiftDate(utcDate(this.clock()), 1 - REFUSAL_DAYS)
    const [days, apps, organizations] = await Promise.all([
      this.registry.refusals.list(''),
      this.registry.apps.list(caller.organization),
      this.registry.organizations.list(''),
    ])
    const selected = apps.filter((app) => maySee(caller, app))
    const ids = new Set(selected.map(({ id }) => id))
    const origins = new Set(selected.flatMap((app) => app.origins))
    const isAlone = organizations.every(({ id }) => id === caller.organization)
    const isVisible = ({ app, origin }: Omit<Refusal, 'date'>): boolean =>
      app !== null ? ids.has(app) : isAlone || (origin !== null && origins.has(origin))
    const rows = new Map<string, Refusal>()
    for (const { date, rows: refused } of days) {
      if (date < from) continue
      for (const row of refused.filter(isVisible)) {
        const key = JSON.stringify([date, row.code, row.app, row.origin, row.key_hint])
        const known = rows.get(key)
        const requests = row.requests + (known?.requests ?? 0)
        rows.set(key, { date, ...row, requests, last_at: Math.max(row.last_at, known?.last_at ?? 0) })
      }
    }
    const newest = [...rows.values()].sort((a, b) => b.last_at - a.last_at || compareTexts(a.code, b.code))
    return { rows: newest.slice(0, REFUSALS_MAX) }
  }
}
