import {
  isPastOf,
  limits,
  StageMatcher,
  type App,
  type ArchivedEvent,
  type Funnel,
  type StageGroup,
} from '@hopper/contracts'
import type { CounterChange, Partition, VisitorChange, VisitorTableName } from '@hopper/storage'
import { CounterRows } from '../fold/counter-rows.ts'
import { OUTSIDE } from '../tables/stage-edges-by-date.ts'
import { VisitorRows } from '../fold/visitor-rows.ts'

/** Funnel with stages that are counted for the past. */
export interface PastFunnel {
  readonly funnel: Funnel
  /** the groups of the stages that were known by then; they say which events were received without that knowledge */
  readonly groups: readonly StageGroup[]
  /** stages to count; the other stages only determine where a session is in the funnel */
  readonly counted: ReadonlySet<number>
}

/**
 * Splits a backfill into its groups, in the order in which they are counted: each one also knows the stages of those
 * before it.
 */
export function pastFunnels(funnel: Funnel, groups: readonly StageGroup[]): PastFunnel[] {
  return groups.map(({ stages }, index) => ({
    funnel,
    groups: groups.slice(0, index + 1),
    counted: new Set(stages),
  }))
}

/** Changes that the past of a date adds to the tables of stages. */
export interface PastChanges {
  readonly visitors: readonly VisitorChange[]
  /** rows of `stage_time_by_date` */
  readonly times: CounterChange['rows']
}

/** One step of a visitor in a funnel: a stage entry that the tracker reported, or one that an event implies. */
interface Entry {
  readonly stage: number
  readonly isReported: boolean
  readonly session: string
  readonly timestamp: number
  readonly seq: number
  readonly position: number
  readonly index: number
  readonly user: string
}

/**
 * Counts stage entries of one date from events that were received before the stages were known, as the tracker would
 * have reported them. A visitor enters the last stage of a funnel that an event matches, from the stage where the
 * session was before; nothing happens when the session is already there. A session begins outside of every funnel, and
 * again on each date. If the tracker has reported an entry of a stage in a session, it knew the stage: an event that
 * implies the same stage is then no second entry, and only its visitor counts.
 */
export class PastEntries {
  readonly #past: PastFunnel
  readonly #matcher: StageMatcher
  readonly #devices = new Map<string, Entry[]>()
  readonly #users: VisitorRows
  readonly #edges: VisitorRows
  readonly #times: CounterRows
  /** number of entries that wait for `count` */
  size = 0

  constructor(app: App, date: string, past: PastFunnel) {
    const partition: Partition = { app: app.id, date }
    this.#past = past
    this.#matcher = new StageMatcher([past.funnel], app)
    const rowsOf = (table: VisitorTableName): VisitorRows => new VisitorRows({ table, ...partition })
    this.#users = rowsOf('stage_users_by_date')
    this.#edges = rowsOf('stage_edges_by_date')
    this.#times = new CounterRows({ table: 'stage_time_by_date', ...partition }, -1)
  }

  /** Adds an event of the date, in any order. */
  add({ event, context, device_id, user, position, index }: ArchivedEvent): void {
    if (context.bot || !this.#past.groups.some((group) => isPastOf(group, position))) return
    const { timestamp, seq, session_id: session = '' } = event
    const put = (stage: number, isReported: boolean): void => {
      let entries = this.#devices.get(device_id)
      if (!entries) this.#devices.set(device_id, (entries = []))
      entries.push({ stage, isReported, session, timestamp, seq, position, index, user })
      this.size++
    }
    if (event.type === 'funnel_change') {
      if (event.funnel === this.#past.funnel.id) put(event.entered, true)
    } else for (const { stage } of this.#matcher.of(event)) put(stage, false)
  }

  /** Counts the added events and releases them. All events of a device must have been added. */
  count(): void {
    for (const [device, entries] of this.#devices) {
      entries.sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq || a.position - b.position || a.index - b.index)
      const sessions = Map.groupBy(entries, ({ session }) => session)
      for (const session of sessions.values()) this.#countSession(device, session)
    }
    this.#devices.clear()
    this.size = 0
  }

  changes(): PastChanges {
    return {
      visitors: [...this.#users.changes(), ...this.#edges.changes()],
      times: this.#times.changes(-1)[0]?.rows ?? [],
    }
  }

  #isCounted(stage: number, position: number): boolean {
    return this.#past.counted.has(stage) && isPastOf(this.#past.groups.at(-1)!, position)
  }

  #countSession(device: string, entries: readonly Entry[]): void {
    const reported = new Set(entries.flatMap(({ isReported, stage }) => (isReported ? [stage] : [])))
    let previous: Entry | undefined
    const funnel = this.#past.funnel.id
    for (const entry of entries) {
      const { stage, isReported, user, timestamp } = entry
      const visitor = { user, device }
      const isCounted = !isReported && this.#isCounted(stage, entry.position)
      if (isCounted) this.#users.put([funnel, stage], visitor)
      if (previous?.stage === stage || (!isReported && reported.has(stage))) continue
      if (isCounted) {
        this.#edges.put([funnel, previous?.stage ?? OUTSIDE, stage], visitor)
        if (previous)
          this.#times.add([funnel, previous.stage], [Math.min(timestamp - previous.timestamp, limits.elapsedMsMax), 1])
      }
      previous = entry
    }
  }
}
