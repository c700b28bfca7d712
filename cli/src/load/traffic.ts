import { botAgents } from './agents.ts'
import { Random } from './random.ts'
import { Recorder } from './recorder.ts'
import { DAY_MS, startsOfDay, visitsByDay } from './visit-times.ts'
import type { Batch } from './sender.ts'
import { screenOf, sourceOf } from './sessions.ts'
import { Shoppers } from './shoppers.ts'
import { funnels } from './shop.ts'
import { crawl, walk } from './walk.ts'

const VISITS_PER_VISITOR = 1.8
const BOT_CHANCE = 0.02
const RESENT_CHANCE = 0.01
/** clicks and hovers that never arrive, as of browsers that are closed or offline for days */
const LOST_CHANCE = 0.004
/** as in the tracker: further events wait for the next request */
const EVENTS_PER_BATCH_MAX = 50

/** Describes the requested traffic. The same plan always gives the same traffic. */
export interface Plan {
  readonly seed: string
  /** end of the last day, ms since the epoch */
  readonly untilMs: number
  readonly days: number
  /** approximate number of devices */
  readonly visitors: number
  /** origin of the shop, e.g. `http://127.0.0.1:8080` */
  readonly origin: string
}

/** One visit: its requests in the order in which they are sent. A request that is sent again occurs twice. */
export interface Visit {
  readonly startMs: number
  readonly device: string
  readonly batches: readonly Batch[]
}

/** Returns the number of visits that begin on each day of the plan. */
export function visitsOf({ seed, untilMs, days, visitors }: Plan): { dayMs: number; visits: number }[] {
  const today = Math.floor(untilMs / DAY_MS) * DAY_MS
  const dates = Array.from({ length: days }, (_, index) => today - (days - 1 - index) * DAY_MS)
  const visits = visitsByDay(dates, visitors * VISITS_PER_VISITOR, new Random(seed).fork('rhythm'))
  return dates.map((dayMs, index) => ({ dayMs, visits: visits[index]! }))
}

/** Yields the traffic of the demo shop, visit by visit, approximately in the order of time. */
export function* traffic(plan: Plan): Generator<Visit> {
  const seed = new Random(plan.seed)
  const shoppers = new Shoppers(seed.fork('shoppers'))
  for (const { dayMs, visits } of visitsOf(plan)) {
    const day = seed.fork(new Date(dayMs).toISOString().slice(0, 10))
    for (const [index, startMs] of startsOfDay(dayMs, visits, day).entries()) {
      const visit = visitAt(startMs, plan, shoppers, day.fork(String(index)))
      if (visit.batches.length > 0) yield visit
    }
  }
}

function visitAt(startMs: number, plan: Plan, shoppers: Shoppers, random: Random): Visit {
  const recorder = new Recorder(`s-${random.id()}`, plan.origin, funnels, startMs)
  if (random.chance(BOT_CHANCE)) {
    crawl(recorder, random)
    return visit(`d-${random.id()}`, random.pick(botAgents), {}, recorder, plan, random)
  }
  const shopper = shoppers.arriving(startMs, 1 / VISITS_PER_VISITOR, random)
  walk(recorder, shopper, random)
  shopper.visits++
  shopper.busyUntil = recorder.nowMs
  const { device, agent, home } = shopper
  const landing = recorder.events.find(({ type }) => type === 'url_change')
  const session = {
    ...(landing && { source: sourceOf(String(landing['to']), random.fork('source')) }),
    ...home,
    screen: screenOf(agent.kind),
  }
  return visit(device, agent.userAgent, session, recorder, plan, random)
}

function visit(
  device: string,
  userAgent: string,
  session: Batch['session'],
  { events }: Recorder,
  { untilMs }: Plan,
  random: Random,
): Visit {
  const losses = random.fork('losses')
  const past = events.filter(
    ({ type, timestamp }) =>
      Number(timestamp) <= untilMs && !((type === 'click' || type === 'btn_time') && losses.chance(LOST_CHANCE)),
  )
  const batches: Batch[] = []
  for (let from = 0; from < past.length; from += EVENTS_PER_BATCH_MAX) {
    const batch = { device, userAgent, session, events: past.slice(from, from + EVENTS_PER_BATCH_MAX) }
    batches.push(batch)
    // A browser that lost the answer sends the batch again.
    if (random.chance(RESENT_CHANCE)) batches.push(batch)
  }
  return { startMs: Number(events[0]!.timestamp), device, batches }
}
