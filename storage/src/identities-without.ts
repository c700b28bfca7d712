import type { PlaceRange } from '@hopper/contracts'
import type { Identity } from './ports/tables.ts'

/** Identities of a device that are removed, and those that stay. */
export interface SplitIdentities {
  readonly gone: readonly Identity[]
  readonly remaining: readonly Identity[]
}

/**
 * Splits the identities of a device, ascending by place, by ranges of places. An identity that then repeats the user of
 * the one before it is removed too: it is redundant, and a recount of the log would not find it.
 */
export function identitiesWithout(all: readonly Identity[], ranges: readonly PlaceRange[]): SplitIdentities {
  const [gone, remaining]: [Identity[], Identity[]] = [[], []]
  for (const identity of all) {
    const isRemoved = ranges.some(([from, to]) => from <= identity.place && identity.place < to)
    if (isRemoved || remaining.at(-1)?.user === identity.user) gone.push(identity)
    else remaining.push(identity)
  }
  return { gone, remaining }
}
