import { stageNumber, type Funnel, type StageGroup } from '@hopper/contracts'
import { Recount } from '../recount/recount.ts'
import { archivedEventsOf, pastOfDate, type ArchivedDate } from './archived-date.ts'
import { LiveStages } from './live-stages.ts'
import { pastFunnels } from './past-entries.ts'

/** Funnel with the groups of stages that a lane knows of. */
export interface GroupedFunnel {
  readonly funnel: Funnel
  readonly groups: readonly StageGroup[]
}

/** Recount of a date from the archive: the rows of a funnel, and the number of events. */
export interface RecountedDate {
  readonly recount: Recount
  events: number
}

/**
 * Recounts the rows of a funnel in the tables of stages on one date: entries that were reported or derived live, and
 * the past.
 */
export async function stagesOfDate(
  source: ArchivedDate,
  funnel: GroupedFunnel,
  before: number,
): Promise<RecountedDate> {
  const date = { recount: new Recount(), events: 0 }
  await addPastOf(date.recount, source, funnel)
  await addLive(date, source, funnel.funnel, { from: 0, before })
  return date
}

/** Adds the stage entries of events that were received before the stages were known. */
export async function addPastOf(
  recount: Recount,
  source: ArchivedDate,
  { funnel, groups }: GroupedFunnel,
): Promise<void> {
  const partition = { table: 'stage_time_by_date' as const, app: source.app.id, date: source.date }
  const stages = funnel.stages.map(stageNumber)
  for (const past of pastFunnels(funnel, groups)) {
    // No event matches a stage that the funnel no longer has.
    if (!stages.some((stage) => past.counted.has(stage))) continue
    const { visitors, times } = await pastOfDate(source, past)
    recount.add({ visitors, counters: [{ ...partition, from: -1, to: -1, rows: times }] })
  }
}

/** Adds the live-counted rows of the events at these positions. */
export async function addLive(
  recounted: RecountedDate,
  source: ArchivedDate,
  funnel: Funnel,
  positions: { readonly from: number; readonly before: number },
): Promise<void> {
  const { from, before } = positions
  const { archive, app, lane, date, range } = source
  const live = new LiveStages(app, date, funnel)
  const chunks = (await archive.list({ app: app.id, lane, ...range })).filter(
    ({ last_position }) => last_position >= from,
  )
  for await (const event of archivedEventsOf(archive, chunks, range)) {
    if (event.position >= from && event.position < before) live.add(event)
  }
  recounted.recount.add(live.changes())
  recounted.events += live.events
}
