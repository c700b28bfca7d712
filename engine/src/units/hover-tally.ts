import { durationBucket, type ElementHovers, type Hesitation } from '@hopper/contracts'
import { conversionTime } from '../funnel/conversion-time.ts'
import { NumberList } from '../funnel/number-list.ts'
import { actionCorrelation, actionHistogram, type ActionCounts } from './hover-statistics.ts'

/** The hovers of a unit: durations in ms until the element was left or clicked. */
export interface Hovers {
  readonly left: readonly number[]
  readonly clicked: readonly number[]
}

/** Adds up the hovers of units. */
export class HoverTally {
  #people = 0
  readonly #left = new NumberList()
  readonly #clicked = new NumberList()

  add({ left, clicked }: Hovers): void {
    this.#people++
    for (const ms of left) this.#left.push(ms)
    for (const ms of clicked) this.#clicked.push(ms)
  }

  summary(): ElementHovers {
    const [left, clicked] = [this.#left.view(), this.#clicked.view()]
    const hovers = left.length + clicked.length
    return {
      people: this.#people,
      hovers,
      clicked: clicked.length,
      clicked_share: hovers === 0 ? null : clicked.length / hovers,
      median_click_ms: conversionTime([clicked]).median_ms,
      median_leave_ms: conversionTime([left]).median_ms,
    }
  }

  result(): Hesitation {
    const [left, clicked] = [this.#left.view(), this.#clicked.view()]
    return {
      ...this.summary(),
      // A duration counts from 1 ms.
      correlation: actionCorrelation(
        [...countsBy((ms) => Math.max(1, ms), left, clicked)].map(([ms, counts]) => ({ x: Math.log(ms), ...counts })),
      ),
      histogram: actionHistogram(countsBy(durationBucket, left, clicked)),
    }
  }
}

/** Counts hovers by a number that is derived from their durations. */
function countsBy(keyOf: (ms: number) => number, left: Float64Array, clicked: Float64Array): Map<number, ActionCounts> {
  const counts = new Map<number, ActionCounts>()
  const add = (durations: Float64Array, action: keyof ActionCounts): void => {
    for (const ms of durations) {
      const key = keyOf(ms)
      let known = counts.get(key)
      if (!known) counts.set(key, (known = { leave: 0, click: 0 }))
      known[action]++
    }
  }
  add(left, 'leave')
  add(clicked, 'click')
  return counts
}
