import {
  limits,
  LOSS_GAP_MAX,
  queryLimits,
  timeZone,
  type Filter,
  type LossRequest,
  type LossResult,
  type TimeZone,
  type Truncatable,
} from '@hopper/contracts'
import { NUMBERED_KEY } from '../chunk/event-keys.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

const DAY_MS = 86_400_000
/** Role of an event in the count; the number of its step in the plan. */
const [NUMBERED, ENTERED, CLOSED, WANTED] = [1, 2, 3, 4]
const UNKNOWN = 'unknown'
/** Standard normal quantile of a two-sided interval of 95 %. */
const Z = 1.959963984540054

interface Tally {
  sessions: number
  expected: number
  received: number
  pages: number
  unclosed: number
}

const numbered: readonly Filter[] = [
  { type: 'eq', key: NUMBERED_KEY, value: true },
  { type: 'all', key: 'session_id' },
]
const urlChange: Filter = { type: 'eq', key: 'type', value: 'url_change' }
const enteredAPage: readonly Filter[] = [urlChange, { type: 'ne', key: 'to', value: '' }]
const leftAPage: readonly Filter[] = [
  { type: 'ne', key: 'from', value: '' },
  {
    type: 'or',
    filters: [
      { type: 'gt', key: 'elapsed_time', value: 0 },
      { type: 'eq', key: 'to', value: '' },
    ],
  },
]

/**
 * Measures lost events by the gaps in the numbers that trackers give to the events of a session. A session belongs to
 * the date of its first received event; the day before the range is read to recognize sessions that began earlier, and
 * the day after it for the rest of sessions that began in it.
 */
export class LossScan extends UnitScan {
  readonly #from: number
  readonly #to: number
  /** sessions with an event from here on may continue */
  readonly #openFrom: number
  /** of the app, when days are compared */
  readonly #zone: TimeZone | undefined
  readonly #tallies = new Map<string, Tally>()
  #open = 0

  constructor({ from, to, by, filters }: LossRequest, context: QueryContext, budget?: Budget) {
    super(planOf({ from, to, by, filters }), budget)
    this.#from = from
    this.#to = to
    // 0: nobody knows up to when everything has arrived
    this.#openFrom = context.completeTo === 0 ? Infinity : context.completeTo - limits.sessionPauseMs
    this.#zone = by === 'day' ? timeZone(context.timezone) : undefined
  }

  finish(): Truncatable<LossResult> {
    this.finishShared()
    const rows = [...this.#tallies].map(([value, { sessions, expected, received, pages, unclosed }]) => ({
      value,
      sessions,
      expected,
      received,
      ...lossOf(expected - received, expected),
      pages,
      unclosed_pages: unclosed,
    }))
    const inOrder = this.#zone
      ? rows.sort((a, b) => compare(a.value, b.value))
      : rows.sort((a, b) => b.expected - a.expected || compare(a.value, b.value))
    return {
      open_sessions: this.#open,
      rows: inOrder.slice(0, limits.answerRowsMax),
      ...(inOrder.length > limits.answerRowsMax && { truncated: true as const }),
    }
  }

  /** Counts one session. Its rows are in order of time; those that the tracker has not numbered do not count. */
  protected override unit(rows: UnitRows, begin: number, end: number): void {
    const { symbolSteps } = this.state
    const received = new Set<number>()
    let [first, last, pages, closed, isWanted] = [-1, -1, 0, 0, false]
    for (let i = begin; i < end; i++) {
      const steps = symbolSteps[rows.symbol[i]!]!
      if (!steps.includes(NUMBERED)) continue
      if (first < 0) first = i
      last = i
      received.add(rows.seq[i]!)
      if (steps.includes(ENTERED)) pages++
      if (steps.includes(CLOSED)) closed++
      if (steps.includes(WANTED)) isWanted = true
    }
    if (first < 0 || !isWanted) return
    const start = rows.time[first]!
    if (start < this.#from || start >= this.#to) return
    if (rows.time[last]! >= this.#openFrom) {
      this.#open++
      return
    }
    const tally = this.#tallyOf(this.#valueOf(start, rows.group[first]!))
    tally.sessions++
    tally.received += received.size
    tally.expected += received.size + missing(received)
    tally.pages += pages
    tally.unclosed += Math.max(0, pages - closed)
  }

  #valueOf(start: number, group: number): string {
    return this.#zone ? this.#zone.dateOf(start) : String(this.groups.values[group] ?? UNKNOWN)
  }

  #tallyOf(value: string): Tally {
    let tally = this.#tallies.get(value)
    if (!tally) this.#tallies.set(value, (tally = { sessions: 0, expected: 0, received: 0, pages: 0, unclosed: 0 }))
    return tally
  }
}

function planOf({ from, to, by, filters }: LossRequest): FunnelPlan {
  const steps = [
    { name: 'numbered', filters: numbered },
    { name: 'entered', filters: enteredAPage },
    { name: 'closed', filters: [urlChange, ...leftAPage] },
    { name: 'wanted', filters },
  ]
  // For the longest range, the day before it would exceed the limit of a query.
  const earliest = Math.max(from - DAY_MS, to - queryLimits.rangeMsMax)
  return new FunnelPlan(
    { from: earliest, to, steps, count_by: 'session', ...(by === 'day' ? {} : { breakdown: by }) },
    DAY_MS,
  )
}

/**
 * Returns how many numbers are missing below the highest one; a leap of more than `LOSS_GAP_MAX` counts as a restart.
 */
function missing(received: ReadonlySet<number>): number {
  let [count, before] = [0, -1]
  for (const seq of [...received].sort((a, b) => a - b)) {
    const gap = seq - before - 1
    if (gap <= LOSS_GAP_MAX) count += gap
    before = seq
  }
  return count
}

/**
 * Returns the lost share, and half the width of its Wilson score interval (E. B. Wilson, "Probable inference, the law
 * of succession, and statistical inference", JASA 22, 1927), which is valid for shares near 0.
 */
export function lossOf(lost: number, expected: number): { lost_share: number | null; error: number | null } {
  if (expected === 0) return { lost_share: null, error: null }
  const share = lost / expected
  const z2 = Z * Z
  const variance = (share * (1 - share)) / expected + z2 / (4 * expected * expected)
  return { lost_share: share, error: (Z * Math.sqrt(variance)) / (1 + z2 / expected) }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Runs a complete query for losses in this thread. */
export function queryLoss(
  request: LossRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<LossResult> {
  const scan = new LossScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
