import { limits, StageMatcher, type App, type ArchivedEvent, type Funnel, type StageGroup } from '@hopper/contracts'
import type { CounterChange, Partition, VisitorChange, VisitorTableName } from '@hopper/storage'
import { CounterRows } from '../fold/counter-rows.ts'
import { OUTSIDE } from '../tables/stage-edges-by-date.ts'
import { VisitorRows } from '../fold/visitor-rows.ts'

/** A funnel some of whose stages are counted for the past. */
export interface PastFunnel {
  readonly funnel: Funnel
  /** by the id of a stage, the position of the lane before which events came when nobody knew of it */
  readonly until: ReadonlyMap<number, number>
  /** the stages to count; of the others only where a session stands is told */
  readonly counted: ReadonlySet<number>
}

/** The groups of a backfill one after another, as each was or is counted: those before it are known by then. */
export function pastFunnels(funnel: Funnel, groups: readonly StageGroup[]): PastFunnel[] {
  return groups.map(({ stages }, at) => {
    const until = groups.slice(0, at + 1).flatMap((group) => group.stages.map((id) => [id, group.until] as const))
    return { funnel, until: new Map(until), counted: new Set(stages) }
  })
}

/** What the past of a date adds to the tables of stages. */
export interface PastChanges {
  readonly visitors: readonly VisitorChange[]
  /** rows of `stage_time_by_date` */
  readonly times: CounterChange['rows']
}

/** One step of a visitor in a funnel: a stage that the tracker said was entered, or that an event means. */
interface Entry {
  readonly stage: number
  readonly said: boolean
  readonly session: string
  readonly timestamp: number
  readonly seq: number
  readonly position: number
  readonly index: number
  readonly user: string
}

/**
 * Counts what the events of one date mean for stages that were not known yet when they came, as the tracker would have
 * said it: a visitor enters the last stage
 * of a funnel that an event fits, from the stage where the session stood before; nothing happens when it stands there
 * already. A session begins outside of every
 * funnel, and again on each date. Where the tracker has said in a session that a stage was entered, it knew the stage:
 * then the event that means the same is no
 * other entry, only its visitor counts.
 */
export class PastEntries {
  readonly #past: PastFunnel
  readonly #matcher: StageMatcher
  readonly #before: number
  readonly #devices = new Map<string, Entry[]>()
  readonly #users: VisitorRows
  readonly #edges: VisitorRows
  readonly #times: CounterRows
  /** entries that wait for `count` */
  size = 0

  constructor(app: App, date: string, past: PastFunnel) {
    const partition: Partition = { app: app.id, date }
    this.#past = past
    this.#matcher = new StageMatcher([past.funnel], app)
    this.#before = Math.max(...past.until.values())
    const rowsOf = (table: VisitorTableName): VisitorRows => new VisitorRows({ table, ...partition })
    this.#users = rowsOf('stage_users_by_date')
    this.#edges = rowsOf('stage_edges_by_date')
    this.#times = new CounterRows({ table: 'stage_time_by_date', ...partition }, -1)
  }

  /** Takes in an event of the date, in any order. */
  add({ event, context, device_id, user, position, index }: ArchivedEvent): void {
    if (context.bot || position >= this.#before) return
    const { timestamp, seq, session_id: session = '' } = event
    const put = (stage: number, said: boolean): void => {
      let entries = this.#devices.get(device_id)
      if (!entries) this.#devices.set(device_id, (entries = []))
      entries.push({ stage, said, session, timestamp, seq, position, index, user })
      this.size++
    }
    if (event.type === 'funnel_change') {
      if (event.funnel === this.#past.funnel.id) put(event.entered, true)
    } else for (const { stage } of this.#matcher.of(event)) put(stage, false)
  }

  /** Counts what was taken in, and lets go of it: all events of a device must be there. */
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
    return this.#past.counted.has(stage) && position < (this.#past.until.get(stage) ?? 0)
  }

  #countSession(device: string, entries: readonly Entry[]): void {
    const known = new Set(entries.flatMap(({ said, stage }) => (said ? [stage] : [])))
    let place: Entry | undefined
    const funnel = this.#past.funnel.id
    for (const entry of entries) {
      const { stage, said, user, timestamp } = entry
      const visitor = { user, device }
      const isCounted = !said && this.#isCounted(stage, entry.position)
      if (isCounted) this.#users.put([funnel, stage], visitor)
      if (place?.stage === stage || (!said && known.has(stage))) continue
      if (isCounted) {
        this.#edges.put([funnel, place?.stage ?? OUTSIDE, stage], visitor)
        if (place)
          this.#times.add([funnel, place.stage], [Math.min(timestamp - place.timestamp, limits.elapsedMsMax), 1])
      }
      place = entry
    }
  }
}
