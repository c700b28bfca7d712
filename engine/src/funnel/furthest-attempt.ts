import type { Budget } from '../scan/budget.ts'
import type { Attempt } from './attempt.ts'
import type { FunnelPlan } from './plan/funnel-plan.ts'
import type { PlanState } from './scan/plan-state.ts'
import { UnitRows } from './scan/unit-rows.ts'

/** Rows between two budget checks while attempts are walked one by one. */
const WALKS_PER_CHECK = 256

/**
 * Finds the start of a unit's furthest attempt (the first one among equals) in time linear in the rows.
 *
 * Ordered: of two running attempts, the later one never leads. So the attempts at each level form a queue by start. An
 * event of step k moves the queue of level k - 1, as far as it is still inside its window, to the end of the queue of
 * level k. The first attempt to reach a level is the earliest that ever will. With match values, attempts with
 * different values are independent and are searched separately.
 */
export class FurthestAttempt {
  level = 0
  start = -1
  readonly #plan: FunnelPlan
  readonly #state: PlanState
  readonly #attempt: Attempt
  readonly #budget: Budget
  readonly #head: Int32Array
  readonly #tail: Int32Array
  #next = new Int32Array(1024)
  readonly #same = new UnitRows()

  constructor(plan: FunnelPlan, state: PlanState, attempt: Attempt, budget: Budget) {
    this.#budget = budget
    this.#plan = plan
    this.#state = state
    this.#attempt = attempt
    this.#head = new Int32Array(plan.steps + 1).fill(-1)
    this.#tail = new Int32Array(plan.steps + 1).fill(-1)
  }

  search(rows: UnitRows, begin: number, end: number): void {
    this.level = 0
    this.start = -1
    if (this.#plan.order !== 'ordered') this.#searchEach(rows, begin, end)
    else if (this.#plan.match.length > 0) this.#searchApart(rows, begin, end)
    else this.#searchOrdered(rows, begin, end)
  }

  #searchOrdered(rows: UnitRows, begin: number, end: number): void {
    const { steps, to } = this.#plan
    const { symbolSteps, symbolExclusions } = this.#state
    if (this.#next.length < end) this.#next = new Int32Array(end * 2)
    for (let i = begin; i < end && this.level < steps; i++) {
      const symbol = rows.symbol[i]!
      const stepsOfRow = symbolSteps[symbol]!
      if (symbolExclusions[symbol]!.length > 0) {
        for (let level = Math.min(this.level, steps - 1); level >= 1; level--) {
          if (stepsOfRow.includes(level + 1)) this.#promote(rows.time, i, level + 1)
          else if (this.#excluded(symbol, level)) this.#head[level] = -1
        }
      } else for (const step of stepsOfRow) if (step > 1) this.#promote(rows.time, i, step)
      if (stepsOfRow.at(-1) === 1 && rows.time[i]! < to) this.#begin(i)
    }
    this.#head.fill(-1)
  }

  #begin(row: number): void {
    this.#next[row] = -1
    if (this.#head[1]! < 0) this.#head[1] = row
    else this.#next[this.#tail[1]!] = row
    this.#tail[1] = row
    if (this.level === 0) {
      this.level = 1
      this.start = row
    }
  }

  #promote(time: Float64Array, row: number, step: number): void {
    let first = this.#head[step - 1]!
    while (first >= 0 && time[row]! - time[first]! > this.#plan.windowMs) first = this.#next[first]!
    this.#head[step - 1] = -1
    if (first < 0) return
    if (this.#head[step]! < 0) this.#head[step] = first
    else this.#next[this.#tail[step]!] = first
    this.#tail[step] = this.#tail[step - 1]!
    if (step > this.level) {
      this.level = step
      this.start = first
    }
  }

  #excluded(symbol: number, level: number): boolean {
    return this.#state.symbolExclusions[symbol]!.some((number) => {
      const { after, before } = this.#plan.exclusions[number]!
      return after <= level && level < before
    })
  }

  /**
   * Searches ordered attempts with match values, separately for each value. A start without a value reaches level 1.
   */
  #searchApart(rows: UnitRows, begin: number, end: number): void {
    const { to, steps } = this.#plan
    const { symbolSteps } = this.#state
    const order: number[] = []
    for (let i = begin; i < end; i++) if (rows.match[i]! >= 0) order.push(i)
    order.sort((a, b) => rows.match[a]! - rows.match[b]! || a - b)
    let bestLevel = 0
    let bestStart = -1
    for (let i = begin; i < end && bestLevel === 0; i++) {
      if (symbolSteps[rows.symbol[i]!]!.at(-1) === 1 && rows.time[i]! < to) {
        bestLevel = 1
        bestStart = i
      }
    }
    for (let a = 0, b = 0; bestLevel > 0 && steps > 1 && a < order.length; a = b) {
      this.#same.length = 0
      for (; b < order.length && rows.match[order[b]!] === rows.match[order[a]!]; b++) {
        this.#same.reserve(1)
        this.#same.append(rows, order[b]!)
      }
      this.level = 0
      this.start = -1
      this.#searchOrdered(this.#same, 0, this.#same.length)
      const start = this.level > 0 ? order[a + this.start]! : -1
      if (this.level > bestLevel || (this.level === bestLevel && start < bestStart)) {
        bestLevel = this.level
        bestStart = start
      }
    }
    this.level = bestLevel
    this.start = bestStart
  }

  /**
   * Walks strict and `any` attempts one by one. A strict attempt ends at the first other event, so walking it costs no
   * more than its steps; `any` attempts that cannot lead are skipped.
   */
  #searchEach(rows: UnitRows, begin: number, end: number): void {
    const { steps, to, windowMs, order } = this.#plan
    const { symbolSteps } = this.#state
    const within = new Int32Array(steps + 1)
    let distinct = 0
    let ahead = begin
    const weigh = (row: number, by: 1 | -1): void => {
      for (const step of symbolSteps[rows.symbol[row]!]!) {
        if (by > 0 ? within[step]!++ === 0 : --within[step]! === 0) distinct += by
      }
    }
    for (let i = begin; i < end && this.level < steps && rows.time[i]! < to; i++) {
      const stepsOfRow = symbolSteps[rows.symbol[i]!]!
      if (order === 'any') {
        for (; ahead < end && rows.time[ahead]! <= rows.time[i]! + windowMs; ahead++) weigh(ahead, 1)
      }
      const starts = order === 'any' ? stepsOfRow.length > 0 : stepsOfRow.at(-1) === 1
      if (starts && (order === 'strict' || distinct > this.level)) {
        if (i % WALKS_PER_CHECK === 0) this.#budget.check()
        this.#attempt.walk(rows, i, end)
        if (this.#attempt.level > this.level) {
          this.level = this.#attempt.level
          this.start = i
        }
      }
      if (order === 'any') weigh(i, -1)
    }
  }
}
