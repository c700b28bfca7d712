import { NumberList } from '../funnel/number-list.ts'
import { DistinctValues } from './distinct-values.ts'
import type { Dictionary } from '../chunk/value-column.ts'

/** The events of one set of an `exact_order` funnel: the data that decides whether they convert, and their counts. */
export class StageEvents {
  /** number of the match values, -1 when one is missing */
  readonly tuple = new NumberList()
  readonly time = new NumberList()
  readonly lane = new NumberList()
  readonly position = new NumberList()
  readonly index = new NumberList()
  readonly weight = new NumberList()
  /** numbers of the values to count, by key; -1 when missing */
  readonly uniques: readonly NumberList[]

  constructor(keys: number) {
    this.uniques = Array.from({ length: keys }, () => new NumberList())
  }
}

export interface StageCount {
  readonly count: number
  readonly unique: readonly number[]
}

/** The order of an event: timestamp, then place in the log. */
type Place = readonly [time: number, lane: number, position: number, index: number]

/**
 * Evaluates the stages. All events of the first stage convert. An event of a later stage converts if an earlier
 * converted event of the previous stage has the same match values. So only the earliest converted event of each tuple
 * matters to the next stage.
 */
export function followStages(
  stages: readonly StageEvents[],
  dictionaries: readonly (readonly Dictionary[])[],
): StageCount[] {
  let before: Map<number, Place> | undefined
  return stages.map((stage, s) => {
    const [tuple, time, lane, position, index, weight] = [
      stage.tuple,
      stage.time,
      stage.lane,
      stage.position,
      stage.index,
      stage.weight,
    ].map((list) => list.view())
    const uniques = stage.uniques.map((list) => list.view())
    const earliest = new Map<number, Place>()
    const distinct = dictionaries[s]!.map((dictionary) => new DistinctValues(dictionary))
    let count = 0
    for (let i = 0; i < time!.length; i++) {
      const place: Place = [time![i]!, lane![i]!, position![i]!, index![i]!]
      const match = tuple![i]!
      if (before) {
        const needed = match < 0 ? undefined : before.get(match)
        if (!needed || comparePlaces(needed, place) >= 0) continue
      }
      count += weight![i]!
      uniques.forEach((values, key) => values[i]! >= 0 && distinct[key]!.add(values[i]!))
      const known = earliest.get(match)
      if (match >= 0 && (!known || comparePlaces(place, known) < 0)) earliest.set(match, place)
    }
    before = earliest
    return { count, unique: distinct.map((values) => values.size) }
  })
}

function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]
}
