import type { JourneyPeopleRequest } from '@hopper/contracts'
import { invalid } from '../../filter/parse-filters.ts'
import { placeId, specialId } from './journey-graph.ts'

/** The part of a unit's journey that is counted. */
export interface Way {
  readonly places: readonly string[]
  /** when the unit came to each place, in ms */
  readonly times: readonly number[]
  /** the step of the first place */
  readonly step: number
  /** true if the unit went to no other place afterwards */
  readonly leaves: boolean
}

/** A node or a link of journeys. */
export type WayPart = Pick<JourneyPeopleRequest, 'node' | 'link'>

/** @throws HopperError HOP_PARAM_INVALID unless the query names exactly one of both, and it is of one place */
export function checkPart({ node, link }: WayPart): void {
  if (node === undefined && link === undefined) throw invalid('node', 'is required, unless there is a `link`')
  if (node !== undefined && link !== undefined) throw invalid('node', 'cannot be sent together with `link`')
  const ids = { node, 'link.from': link?.from, 'link.to': link?.to }
  for (const [field, id] of Object.entries(ids))
    if (id !== undefined && /^\d+\/other$/.test(id))
      throw invalid(field, 'must be a place, an exit or an entry: `other` has many places')
}

/** Returns the index of the place at which a way comes to a node, or from which it takes a link; -1 if it does not. */
export function indexOfPart(way: Way, { node, link }: WayPart): number {
  const { places, step, leaves } = way
  const idAt = (index: number): string | undefined => {
    if (index < 0) return specialId(step - 1, 'entry')
    if (index < places.length) return placeId(step + index, places[index]!)
    return leaves ? specialId(step + index, 'exit') : undefined
  }
  if (link) {
    if (link.from === idAt(-1)) return link.to === idAt(0) ? 0 : -1
    return places.findIndex((_, i) => idAt(i) === link.from && idAt(i + 1) === link.to)
  }
  if (node === idAt(-1)) return 0
  if (node === idAt(places.length)) return places.length - 1
  return places.findIndex((_, i) => idAt(i) === node)
}
