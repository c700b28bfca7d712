import { StageMatcher, type App, type ArchivedEvent, type Funnel } from '@hopper/contracts'
import type { CounterChange, Key, VisitorChange, VisitorTableName } from '@hopper/storage'
import type { CountedEvent } from '../fold/counted-event.ts'
import { CounterRows } from '../fold/counter-rows.ts'
import { stageEdgesByDate } from '../tables/stage-edges-by-date.ts'
import { stageTimeByDate } from '../tables/stage-time-by-date.ts'
import { stageUsersByDate } from '../tables/stage-users-by-date.ts'
import { weightOf } from '../tables/weight.ts'
import { VisitorRows } from '../fold/visitor-rows.ts'

/** Folds archived events of one date into the rows of one funnel, with the same folds as live counting. */
export class LiveStages {
  readonly #funnel: string
  readonly #stages: StageMatcher
  readonly #users: VisitorRows
  readonly #edges: VisitorRows
  readonly #times: CounterRows
  /** number of counted events, as in `activity_by_date` */
  events = 0

  constructor(app: App, date: string, funnel: Funnel) {
    const partition = { app: app.id, date }
    const rowsOf = (table: VisitorTableName): VisitorRows => new VisitorRows({ table, ...partition })
    this.#funnel = funnel.id
    this.#stages = new StageMatcher([funnel], app)
    this.#users = rowsOf('stage_users_by_date')
    this.#edges = rowsOf('stage_edges_by_date')
    this.#times = new CounterRows({ table: 'stage_time_by_date', ...partition }, -1)
  }

  add({ event, context, device_id: device, user }: ArchivedEvent): void {
    if (context.bot) return
    this.events += weightOf(event)
    const visitor = { user, device }
    const counted: CountedEvent = { event, context, visitor, hour: 0, page: (url) => url, stages: this.#stages }
    const isOwn = (key: Key): boolean => key[0] === this.#funnel
    stageUsersByDate.fold(counted, (key) => isOwn(key) && this.#users.put(key, visitor))
    stageEdgesByDate.fold(counted, (key) => isOwn(key) && this.#edges.put(key, visitor))
    stageTimeByDate.fold(counted, (key, deltas) => isOwn(key) && this.#times.add(key, deltas))
  }

  changes(): { readonly visitors: readonly VisitorChange[]; readonly counters: readonly CounterChange[] } {
    return { visitors: [...this.#users.changes(), ...this.#edges.changes()], counters: this.#times.changes(-1) }
  }
}
